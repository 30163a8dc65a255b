#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "messages/kinds.hpp"
#include "messages/limits.hpp"
#include "messages/types.hpp"
#include "messages/values.hpp"
#include "runtime/links/link_error.hpp"

namespace hypermesh::links {

/// The counters of a node's links. A counter is reported as "link_" and the name of its enumerator.
enum class link_count : std::uint8_t {
  frames_in,
  frames_out,
  /// Bytes of frames, without the bytes that the link adds.
  frame_bytes_in,
  frame_bytes_out,
  /// All bytes on the connections, including handshakes and keepalives.
  wire_bytes_in,
  wire_bytes_out,
  keepalives_in,
  keepalives_out,
  /// Frames not sent because the outbound queue was full.
  dropped_queue_full,
  /// Frames not sent because the link was down.
  dropped_link_down,
  /// Frames not sent because they are empty or longer than this node may send.
  dropped_too_long,
  dials,
  accepted,
  /// Handshakes that succeeded, whether this node dialed or accepted.
  established,
  /// Links that came up again after they had been up before.
  reconnects,
  /// The number of times that reading stopped because the node was too slow.
  reading_halted,
  /// Messages that a link's actor does not understand. They are a fault of this program.
  unexpected_messages,
  // The counters from here on are gauges.
  links_up,
  client_links_open,
  handshakes_pending,
};

inline constexpr auto link_count_last = link_count::handshakes_pending;
inline constexpr std::size_t link_count_count = static_cast<std::size_t>(link_count_last) + 1;

/// The name of the counter in snake_case.
[[nodiscard]] std::string_view to_string(link_count what);

enum class link_direction : std::uint8_t { in, out };
inline constexpr auto link_direction_last = link_direction::out;
inline constexpr std::size_t link_direction_count = static_cast<std::size_t>(link_direction_last) + 1;

/// Frames and their bytes, without the bytes that the link adds.
struct frame_count {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

/// An address of the genesis at which another replica than the listed replica answers.
struct misdirected_address {
  replica_id listed_for;
  replica_id answers_as;

  friend bool operator==(const misdirected_address&, const misdirected_address&) = default;
};

/// The counters of all links of one node. The links write them, and any thread may read them at any time. Each number
/// is exact, but the numbers of a snapshot may come from different instants. Memory: fixed.
class link_counters {
 public:
  void add(link_count what, std::uint64_t amount = 1) { at(what).fetch_add(amount, std::memory_order_relaxed); }
  /// Lowers the value of a gauge.
  void subtract(link_count what) { at(what).fetch_sub(1, std::memory_order_relaxed); }
  /// Counts a frame by its kind. A frame of an unknown kind counts only in the sums.
  void add_frame(link_direction direction, byte_span frame);
  void add(link_error reason) { at(reason).fetch_add(1, std::memory_order_relaxed); }

  [[nodiscard]] std::uint64_t of(link_count what) const {
    return counts_[index_of(what)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t of(link_error reason) const {
    return errors_[index_of(reason)].load(std::memory_order_relaxed);
  }

  [[nodiscard]] frame_count of(link_direction direction, message_kind kind) const;

  /// Records which replica proved its identity at the address of `dialed` in the last attempt.
  void note_answer(replica_id dialed, replica_id answered);
  /// The swapped addresses in ascending order; empty when each address that answered belongs to its replica.
  [[nodiscard]] std::vector<misdirected_address> misdirected() const;

  /// All counters: "link_frames_in" and so on, and "link_closed_bad_signature" and so on for each reason. If another
  /// replica ever answered at the address of replica 2, there is also "link_answers_as{replica="2"}": the number of the
  /// replica that answers there plus 1, or 0 once the right replica answers.
  [[nodiscard]] std::vector<named_counter> snapshot() const;

 private:
  template <class Enum>
  static constexpr std::size_t index_of(Enum value) {
    return static_cast<std::size_t>(value);
  }
  std::atomic<std::uint64_t>& at(link_count what) { return counts_[index_of(what)]; }
  std::atomic<std::uint64_t>& at(link_error reason) { return errors_[index_of(reason)]; }

  std::array<std::atomic<std::uint64_t>, link_count_count> counts_{};
  std::array<std::atomic<std::uint64_t>, link_error_count> errors_{};
  struct kind_counts {
    std::atomic<std::uint64_t> frames{};
    std::atomic<std::uint64_t> bytes{};
  };
  /// By direction and number of the kind.
  std::array<std::array<kind_counts, message_kind_last + 1>, link_direction_count> kinds_{};
  /// The number of the replica that answered plus 1, by the number of the dialed replica; 0 before the first answer.
  std::array<std::atomic<std::uint32_t>, limits::replicas_max> answers_{};
  std::array<std::atomic<bool>, limits::replicas_max> was_misdirected_{};
};

static_assert(link_count_count + link_error_count + limits::replicas_max <= limits::report_counters_max / 2,
              "a report has room for the counters of other parts");

}  // namespace hypermesh::links
