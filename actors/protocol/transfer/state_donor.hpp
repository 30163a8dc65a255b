#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "messages/digest.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Limits on the resources that a replica spends on other replicas that fetch its state. These are local settings: no
/// agreed value depends on them.
struct donor_settings {
  /// Bytes that are given to all others together in one tick. At the default tick of 200 ms these are 80 MiB a second.
  /// Their encryption costs a tenth of a core. The bytes of one tick are half of what the outbound queue of a link
  /// holds.
  std::uint64_t bytes_per_tick_max = 16ULL << 20U;
  /// Bound on the distinct bytes of all kept states; chunks that states share count once. Above this bound the oldest
  /// states are dropped.
  std::uint64_t held_bytes_max = 256ULL << 20U;
  /// Additional bytes for states that another replica is fetching.
  std::uint64_t pinned_bytes_max = 128ULL << 20U;
};

/// The states that this replica can give to others, which are those of its recent checkpoints. Pure.
///
/// A donor keeps L/K + 2 states: the stable state, the previous stable state, which a slow fetcher may still be
/// reading, and the states of one window that are not stable yet. With fewer states it could drop the only certified
/// state, and a replica that needs this state could never catch up while the group waits for that replica. A state that
/// is being read is kept for `pin_ticks` longer (attack 26).
///
/// Memory: snapshots share their unchanged chunks. Clients may change all chunks in each period, so the distinct bytes
/// are counted and bounded by the settings. Two states are never dropped: the newest stable state, because other
/// replicas need it to catch up, and the newest state, because the state machine has its chunks in memory anyway. If
/// each state is larger than half of the bound, only these two are kept. In addition, there is one pin for each
/// replica.
class state_donor {
 public:
  /// Ticks for which a state is kept after it was last read. The value is the longest time that a fetcher waits for an
  /// answer (`donor_roster::patience_max`): this limit is 3 ticks at first and doubles each time the donor is late.
  static constexpr unsigned pin_ticks = 24;
  /// The cost of an answer in addition to its bytes, because the donor has to find, encode and encrypt the part.
  static constexpr std::uint64_t answer_overhead_bytes = 512;
  /// The most refusals that one replica gets in one tick. Further requests get no answer, because a refusal costs as
  /// much as the request.
  static constexpr unsigned refusals_per_tick_max = 64;

  explicit state_donor(const cluster_parameters& cluster, const donor_settings& settings = {});

  /// This replica took its state after `sequence`.
  void on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);
  /// A quorum certified the state after `sequence`.
  void on_stable(sequence_number sequence);

  /// The part with its proof, or a refusal. Null if the asking replica has used up its refusals of this tick.
  [[nodiscard]] frame_ptr answer(replica_id asker, const state_request& wanted);

  /// Gives all fetching replicas a new share of bytes, and removes pins that have expired.
  void on_tick();

  /// The state of this replica is wrong, so all kept states are dropped (attack 27). The executor reports this, and
  /// then takes no state until it has installed a certified one. So every state that it reports afterwards may be kept.
  void on_diverged();

  [[nodiscard]] bool holds(sequence_number sequence) const { return states_.contains(sequence); }
  /// Distinct bytes of all kept states.
  [[nodiscard]] std::uint64_t bytes_held() const;

 private:
  struct held_state {
    std::shared_ptr<const state_snapshot> snapshot;
    bool is_stable = false;
    /// The bytes of all chunks, and the bytes of the chunks that the previous state shares.
    std::uint64_t bytes = 0;
    std::uint64_t shared_bytes = 0;
    /// Built when the first page is requested.
    std::shared_ptr<const merkle_pages> pages;
  };
  struct pin {
    sequence_number sequence;
    unsigned ticks_left = 0;
  };
  using state_map = std::map<sequence_number, held_state>;

  [[nodiscard]] frame_ptr give(replica_id asker, const state_request& wanted, held_state& from);
  [[nodiscard]] frame_ptr refuse(replica_id asker, const state_request& wanted, state_refusal why);
  [[nodiscard]] bool has_share(replica_id asker) const;
  [[nodiscard]] bool is_pinned(sequence_number sequence) const;
  /// The oldest state that may be dropped; the end if there is none.
  [[nodiscard]] state_map::iterator victim(bool even_pinned);
  void drop(state_map::iterator state);
  void compare_with_previous(state_map::iterator state);
  void trim();

  donor_settings settings_;
  std::size_t states_max_;
  /// Bytes that each other replica is guaranteed in a tick.
  std::uint64_t guaranteed_bytes_;
  sequence_number stable_;
  state_map states_;
  std::map<replica_id, pin> pins_;

  /// Bytes that each replica got since the last tick.
  std::map<replica_id, std::uint64_t> given_;
  std::uint64_t given_to_all_ = 0;
  std::map<replica_id, unsigned> refused_;
  /// The replicas that got parts in the previous tick. They share the bytes of one tick.
  std::set<replica_id> sharers_;
};

}  // namespace hypermesh::protocol
