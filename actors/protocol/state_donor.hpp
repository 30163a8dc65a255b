#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/divergence.hpp"
#include "messages/digest.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// What a replica spends on others that fetch its state. Its own business: none of it affects what is agreed.
struct donor_settings {
  /// Given to all others together in one tick. At the default period 80 MB a second, a tenth of a core for encryption,
  /// and half of what a link's outbound queue holds.
  std::uint64_t bytes_per_tick_max = 16ULL << 20U;
  /// Bytes of the held states together, chunks that they share counted once. Over it the oldest states go.
  std::uint64_t held_bytes_max = 256ULL << 20U;
  /// As much more for states that somebody is reading.
  std::uint64_t pinned_bytes_max = 128ULL << 20U;
};

/// The states that this replica can give to others: those of its recent checkpoints. Pure.
///
/// Held are the stable one, the one before it, which a slow fetcher may still be reading, and those of a window that
/// are not stable yet: L/K + 2. Fewer would drop the only state that has a certificate, and the group could wait for a
/// replica that waits for that state. A state that somebody reads is kept beyond that for `pin_ticks` (attack 26).
///
/// Memory: snapshots share their unchanged chunks, but clients may change all of them in every period, so the distinct
/// bytes are counted and bounded by the settings. Never dropped are the newest stable state, without which nobody could
/// catch up, and the newest one, whose chunks the machine holds anyway: with states larger than half of the bound these
/// two are what is held. One pin for each replica.
class state_donor {
 public:
  /// How long a state is kept after it was read last: as long as a fetcher waits before it looks for another donor.
  static constexpr unsigned pin_ticks = 24;
  /// What an answer costs beside its bytes: looking it up, encoding and encrypting it.
  static constexpr std::uint64_t answer_overhead_bytes = 512;
  /// Refusals that one replica is given in one tick. They are as small as requests, so beyond it silence is enough.
  static constexpr unsigned refusals_per_tick_max = 64;

  explicit state_donor(const cluster_parameters& cluster, const donor_settings& settings = {});

  void on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);
  /// A quorum certified the state after `sequence`.
  void on_stable(sequence_number sequence);

  /// The part with its proof, or a refusal, or silence for who asks without end.
  [[nodiscard]] frame_ptr answer(replica_id asker, const state_request& wanted);

  /// Everybody gets a new share, and pins grow older.
  void on_tick();

  /// This replica's state after `sequence` is wrong: nobody gets it any more (attack 27).
  void on_diverged(sequence_number sequence);
  /// The certified state after `sequence` is in place: what is taken from now on is right. The two pieces of news come
  /// from different actors, in any order.
  void on_installed(sequence_number sequence);

  [[nodiscard]] bool holds(sequence_number sequence) const { return states_.contains(sequence); }
  /// Distinct bytes of all held states.
  [[nodiscard]] std::uint64_t bytes_held() const;

 private:
  struct held_state {
    std::shared_ptr<const state_snapshot> snapshot;
    bool is_stable = false;
    /// Of all chunks, and of those that the state before it has too.
    std::uint64_t bytes = 0;
    std::uint64_t shared_bytes = 0;
    /// Built when the first page is asked for.
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
  /// The oldest state that may go; the end when there is none.
  [[nodiscard]] state_map::iterator victim(bool even_pinned);
  void drop(state_map::iterator state);
  void compare_with_previous(state_map::iterator state);
  void trim();

  donor_settings settings_;
  std::size_t states_max_;
  /// What each of the others may always have in a tick.
  std::uint64_t guaranteed_bytes_;
  divergence divergence_;
  sequence_number stable_;
  state_map states_;
  std::map<replica_id, pin> pins_;

  /// Since the last tick.
  std::map<replica_id, std::uint64_t> given_;
  std::uint64_t given_to_all_ = 0;
  std::map<replica_id, unsigned> refused_;
  /// Who was given something in the tick before: they share what one tick has.
  std::set<replica_id> sharers_;
};

}  // namespace hypermesh
