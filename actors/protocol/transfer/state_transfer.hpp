#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/transfer/donor_roster.hpp"
#include "actors/protocol/transfer/state_assembly.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// A state that was verified as a whole against its certificate.
struct verified_state {
  std::shared_ptr<const checkpoint_certificate> certificate;
  std::shared_ptr<const state_snapshot> snapshot;
};

/// The result of one step of `state_fetcher`.
struct transfer_effects {
  std::vector<outgoing_message> sends;
  std::shared_ptr<const verified_state> install;
  std::vector<observation> observations;
};

/// Fetches a certified state (TOCS '02 §5.3). Pure. Time is counted in ticks.
///
/// A transfer starts with a certificate. Then the fetcher asks several donors at once, first for the leaves of the
/// state's hash tree, then for the chunks that this replica does not have. Each part is verified against the certified
/// root before it is kept, so a Byzantine donor can only delay the transfer (attack 24), and `donor_roster` bounds the
/// delay. When the transfer changes to a newer certificate, verified parts are used again.
///
/// Memory: the fetched state, whose number of chunks is part of the root; the newest own state, and the parts that were
/// verified under one earlier certificate, which share unchanged chunks; and the open questions.
class state_fetcher {
 public:
  state_fetcher(const cluster_parameters& cluster, replica_id self) : cluster_(cluster), self_(self) {}

  /// This replica's own state after `sequence`. Chunks that did not change since are not fetched. A transfer to a
  /// replica that lags ends if the state has reached its certificate. A repair goes on, because the state may be wrong.
  void on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);

  /// Starts a transfer, or changes a running transfer to a newer certificate. It changes only if no part was verified
  /// for 12 ticks, or if at most f donors may still have the state. A transfer that makes progress is completed,
  /// because under load there is always a newer certificate, and a replica that starts again for each of them never
  /// finishes (attack 26).
  [[nodiscard]] transfer_effects on_fetch(std::shared_ptr<const checkpoint_certificate> certificate, fetch_reason why);
  /// An answer of `donor`: a chunk, a page of leaves or a refusal.
  [[nodiscard]] transfer_effects on_chunk(replica_id donor, const state_chunk_message& answer);
  /// Replaces late donors, and asks other donors for the parts that did not arrive.
  [[nodiscard]] transfer_effects on_tick();

  /// The fetched state after `sequence` is installed.
  void on_installed(sequence_number sequence);
  /// The fetched state was not installed. Either it is no longer needed, or it is `unreadable` and is not fetched
  /// again.
  [[nodiscard]] transfer_effects on_install_refused(sequence_number sequence, bool unreadable);
  /// Sets the replicas that are asked last, from the next transfer on. `throttled` must be in ascending order.
  void on_trust(std::vector<replica_id> throttled) { throttled_ = std::move(throttled); }

  [[nodiscard]] bool is_active() const { return certificate_ != nullptr; }

 private:
  enum class question {
    /// The question counts against the window of the donor.
    open,
    /// Another donor may be asked for the part. This donor still has to answer, so it is not asked for the part a
    /// second time.
    taken_back,
    /// Another donor is asked for the part. A late answer of this donor is still accepted.
    given_up,
  };
  /// A donor that was asked for a part, until the part is verified.
  struct asking {
    replica_id donor;
    /// The number of the question in the roster.
    std::uint64_t number = 0;
    /// Ticks since the question was asked.
    unsigned ticks = 0;
    question now = question::open;

    [[nodiscard]] bool is_open() const { return now == question::open; }
  };
  using asking_list = std::vector<asking>;

  void start(std::shared_ptr<const checkpoint_certificate> certificate, transfer_effects& out);
  void go_over(transfer_effects& out);
  [[nodiscard]] bool should_go_over() const;
  void finish();
  [[nodiscard]] bool has_moved_past(sequence_number certified) const;

  void ask_more(transfer_effects& out);
  void hedge(transfer_effects& out);
  void ask(std::uint64_t part, replica_id donor, transfer_effects& out);
  [[nodiscard]] bool may_ask() const;
  [[nodiscard]] std::optional<replica_id> next_donor_for(std::uint64_t part) const;

  void settle(const state_request& part, const asking& from, state_assembly::verdict verdict, std::uint64_t bytes,
              transfer_effects& out);
  void take_refusal(std::uint64_t part, asking& from, state_refusal why, transfer_effects& out);
  void settle(std::uint64_t part);
  void begin_chunks();
  void replace(replica_id donor, donor_fault why, transfer_effects& out);
  void close(std::uint64_t part, asking& which, question as);
  void give_up_passed_over();
  void take_back_excess(replica_id donor);

  [[nodiscard]] const digest& root() const { return certificate_->votes.front().content.value; }

  cluster_parameters cluster_;
  replica_id self_;

  std::shared_ptr<const checkpoint_certificate> certificate_;
  /// The newest certificate that arrived during the transfer.
  std::shared_ptr<const checkpoint_certificate> newer_;
  std::optional<state_assembly> assembly_;
  donor_roster roster_;
  std::vector<replica_id> throttled_;
  /// Parts of the present phase that were requested and are not verified yet, with the donors that were asked.
  std::map<std::uint64_t, asking_list> asked_;
  /// The parts in `asked_` that have no open question.
  std::deque<std::uint64_t> again_;
  /// The first part that was never requested.
  std::uint64_t next_part_ = 0;
  /// Ticks since a part was last verified.
  unsigned ticks_idle_ = 0;
  /// The number and the bytes of verified chunks. `may_ask` computes the average size from them.
  std::uint64_t chunks_fetched_ = 0;
  std::uint64_t bytes_fetched_ = 0;

  /// The newest own state and its sequence number; the parts that were verified under an earlier certificate; and the
  /// chunks of both, which are needed while leaves arrive.
  std::shared_ptr<const state_snapshot> own_;
  sequence_number own_sequence_;
  std::shared_ptr<const state_snapshot> carried_;
  chunk_cache stock_;
  /// The state was handed over for installation, and the executor has not answered yet.
  std::shared_ptr<const state_snapshot> handed_over_;
  /// The state after this sequence cannot be restored and is not fetched again.
  sequence_number unreadable_;
  /// The newest state that was installed. It is certified, so a fetched state with the same sequence number is not
  /// needed.
  sequence_number installed_;
  /// Whether the transfer repairs a wrong own state. The checkpointer asks for a repair before the executor knows that
  /// its state is wrong, so wrong own states may still arrive. Therefore an own state ends no repair, and the answer of
  /// the executor to the installation does. A wish that came late, after the repair, starts a transfer that the
  /// executor refuses; if its donors no longer have the state, it ends when the own states have moved on by more than a
  /// window.
  bool repairs_ = false;
};

}  // namespace hypermesh::protocol
