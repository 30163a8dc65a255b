#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/effects.hpp"
#include "messages/digest.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// A state that was verified as a whole against the certificate.
struct verified_state {
  std::shared_ptr<const checkpoint_certificate> certificate;
  std::shared_ptr<const state_snapshot> snapshot;
};

struct transfer_effects {
  std::vector<outgoing_message> sends;
  std::shared_ptr<const verified_state> install;
  std::vector<observation> observations;
};

/// The states that this replica can give to others: those of its recent checkpoints. Pure.
/// Memory: the snapshots share their unchanged chunks. Held are the stable one, the one before it, which a slow fetcher
/// may still be reading, and those of a window that are not stable yet: L/K + 2. Fewer would drop the only state that
/// has a certificate, and the group could wait for a replica that waits for that state.
class state_donor {
 public:
  /// Chunks that one replica is given in one tick: 64 MiB/s at the default period, and no more work than that.
  static constexpr unsigned chunks_per_tick_max = 64;

  explicit state_donor(const cluster_parameters& cluster)
      : states_max_(cluster.watermark_window / cluster.checkpoint_period + 2) {}

  void on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);

  /// The chunk with its proof, or nothing when this state is not held or `asker` has had its share.
  [[nodiscard]] frame_ptr answer(replica_id asker, const state_request& wanted);

  /// Everybody gets a new share.
  void on_tick() { given_.clear(); }

  /// This replica's state is wrong: nobody gets it any more.
  void stop();

 private:
  struct held_state {
    std::shared_ptr<const state_snapshot> snapshot;
    /// Built when the first chunk is asked for.
    std::shared_ptr<const merkle_tree> tree;
  };

  std::size_t states_max_;
  bool stopped_ = false;
  std::map<sequence_number, held_state> states_;
  /// Chunks given since the last tick.
  std::map<replica_id, unsigned> given_;
};

/// Fetches a certified state (TOCS '02 §5.3). Pure. The certificate comes first; each chunk is checked
/// against its root before it is kept, so a Byzantine donor can only delay (attack 24). Donors are the
/// certificate's signers, several at once. Memory: the state being fetched, whose chunk count the root binds.
class state_fetcher {
 public:
  state_fetcher(const cluster_parameters& cluster, replica_id self) : cluster_(cluster), self_(self) {}

  /// Starts; or, when nothing arrived for a while, starts over for a newer certificate. A transfer that moves is let
  /// finish: under load there is always a newer certificate, and who starts over for each never arrives (attack 26).
  [[nodiscard]] transfer_effects on_fetch(std::shared_ptr<const checkpoint_certificate> certificate);
  [[nodiscard]] transfer_effects on_chunk(replica_id donor, const state_chunk_message& chunk);
  /// Asks another donor for what did not arrive.
  [[nodiscard]] transfer_effects on_tick();
  /// The state is in place, or execution overtook it.
  void on_installed(sequence_number sequence);

  [[nodiscard]] bool is_active() const { return certificate_ != nullptr; }

 private:
  struct open_request {
    replica_id donor;
    unsigned ticks = 0;
  };

  void ask_more(transfer_effects& out);
  void ask(std::uint64_t index, transfer_effects& out);
  void start(std::shared_ptr<const checkpoint_certificate> certificate);
  void drop_donor(replica_id donor);
  [[nodiscard]] const digest& root() const { return certificate_->votes.front().content.value; }

  cluster_parameters cluster_;
  replica_id self_;
  std::shared_ptr<const checkpoint_certificate> certificate_;
  /// Next donor first.
  std::deque<replica_id> donors_;
  /// Zero until the first verified chunk tells.
  std::uint64_t chunk_count_ = 0;
  std::uint64_t next_index_ = 0;
  /// Since the last verified chunk.
  unsigned ticks_idle_ = 0;
  std::map<std::uint64_t, open_request> open_;
  std::map<std::uint64_t, state_chunk> chunks_;
};

}  // namespace hypermesh
