#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "runtime/audit/audit_chain.hpp"
#include "runtime/audit/audit_sink.hpp"

namespace hypermesh {

/// When a segment is full.
inline constexpr std::uint64_t audit_segment_bytes = 8 * 1024 * 1024;
/// A segment begins a last entry below that, and ends with a seal; the longest that any reader takes.
inline constexpr std::uint64_t segment_file_bytes_max = audit_segment_bytes + 2 * record_bytes_max;

struct trail_settings {
  std::uint64_t segment_bytes = audit_segment_bytes;
  /// The oldest segments go when all together are longer. The newest always stays.
  std::uint64_t retained_bytes = 256 * 1024 * 1024;
};

/// Where a trail goes on.
struct trail_place {
  chain_position at;
  trail_head head;
  /// Bytes of each segment that is there; the last one is the newest.
  std::map<std::uint64_t, std::uint64_t> segments;
};

/// How far a trail is, for metrics.
struct trail_progress {
  std::uint64_t entries = 0;
  std::uint64_t sealed = 0;
  std::uint64_t bytes = 0;
  /// Since the start of this run, for whatever reason.
  std::uint64_t lost = 0;
};

/// The single writer of one node's audit trail: chains entries, seals them, goes from segment to segment and forgets
/// the oldest. Not durable before a seal. An error of the sink loses the entries under way, and only those: the next
/// entry that is written is preceded by one that says how many are missing. Memory: what was added since the last
/// `flush`.
class audit_trail {
 public:
  /// `keys` signs as the owner. The head of `place` is not written yet: `begin_run` comes first.
  audit_trail(trail_owner owner, std::shared_ptr<const authenticator> keys, std::unique_ptr<audit_sink> sink,
              trail_settings settings, trail_place place);

  /// Says in the head that the trail is being written again.
  [[nodiscard]] std::optional<world_error> begin_run();

  /// An entry for the next `flush`.
  void add(std::uint64_t time_us, const audit_event& event);
  /// So many entries never came here.
  void note_lost(loss_reason reason, std::uint64_t entries, std::uint64_t time_us);

  /// Hands what was added to the operating system. After an error all of it is lost, and counted.
  [[nodiscard]] std::optional<world_error> flush(std::uint64_t time_us);

  /// Flushes, signs the chain, and makes all of it durable. `closed`: nothing follows in this run.
  [[nodiscard]] std::optional<world_error> seal(std::uint64_t time_us, sequence_number checkpoint, bool closed = false);

  [[nodiscard]] trail_progress progress() const;
  [[nodiscard]] const chain_position& position() const { return at_; }

 private:
  struct waiting_entry {
    std::uint64_t time_us = 0;
    audit_kind kind = audit_kind::started;
    byte_vector payload;
  };
  /// Records that are chained but not written: the chain moves with the writing.
  struct draft {
    byte_vector bytes;
    chain_position at;
    std::uint64_t entries = 0;
  };

  [[nodiscard]] draft new_draft() const { return {{}, at_, 0}; }
  [[nodiscard]] std::uint64_t segment() const { return segments_.rbegin()->first; }
  [[nodiscard]] std::uint64_t segment_size() const { return segments_.rbegin()->second; }
  [[nodiscard]] bool is_room_for(const draft& written, std::size_t record_bytes) const;
  [[nodiscard]] std::optional<world_error> write(draft& records);
  [[nodiscard]] std::optional<world_error> write_losses(std::uint64_t time_us);
  [[nodiscard]] std::optional<world_error> write_seal(std::uint64_t time_us, bool closed);
  [[nodiscard]] std::optional<world_error> rotate(std::uint64_t time_us);
  [[nodiscard]] std::optional<world_error> forget_oldest();
  [[nodiscard]] std::optional<world_error> write_head(trail_head next, bool durable);

  trail_owner owner_;
  std::shared_ptr<const authenticator> keys_;
  std::unique_ptr<audit_sink> sink_;
  trail_settings settings_;
  chain_position at_;
  trail_head head_;
  std::map<std::uint64_t, std::uint64_t> segments_;
  sequence_number checkpoint_;
  std::vector<waiting_entry> waiting_;
  /// Behind the newest segment's size may stand a part of a failed write.
  bool is_end_dirty_ = false;
  /// By their reason, until an entry says so.
  std::map<loss_reason, entries_were_lost> losses_;
  std::uint64_t lost_ = 0;
};

}  // namespace hypermesh
