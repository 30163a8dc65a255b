#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/execution/client_table.hpp"
#include "actors/protocol/execution/divergence_tracker.hpp"
#include "actors/protocol/reputation/readmission_ledger.hpp"
#include "actors/protocol/reputation/reputation_ledger.hpp"

namespace hypermesh {

/// The result of the installation of a verified state.
enum class installation {
  installed,
  /// The own execution has reached its sequence already.
  overtaken,
  /// The own state diverged at a later sequence, so an older state does not repair it.
  too_old,
  /// It cannot be restored, or the restored state has another root. `why` says what is wrong. With another root the own
  /// state counts as diverged from then on.
  unreadable,
};

struct installation_outcome {
  installation what = installation::installed;
  std::string why;
};

/// Everything that execution changes: the machine, the client table and the ledgers. Pure; a function of
/// the committed sequence alone. Owns the machine. The state before any batch has sequence 0. Memory: that of its
/// parts.
///
/// The owner of the divergence: it holds the state, and it alone replaces it, so it knows at every moment whether the
/// state in place is wrong. A diverged state answers nobody and executes nothing more, until a certified state replaces
/// it. That state may be of an earlier sequence (attack 27).
class replicated_state {
 public:
  replicated_state(std::unique_ptr<state_machine> machine, const cluster_parameters& cluster);

  struct answered_request {
    executed_request request;
    /// The answer; a refusal for a request that is past, nothing for a request that is too early.
    client_table::answered answer;
  };

  /// Whether the batch of `sequence` is the next to be executed. If not, it comes too late, because an installed state
  /// contains it; or too early, because it follows batches that a replaced state had and this state lacks.
  [[nodiscard]] bool awaits(sequence_number sequence) const;
  /// Executes the batch of `last_executed() + 1`: its system requests, which have no answer, and then its requests.
  /// Returns the latter with their answers.
  std::vector<answered_request> execute(sequence_number sequence, const batch& content);

  /// The cached answer to a request that is done, a refusal when it is past or its session has ended, nothing when it
  /// may still be executed. A diverged state gives nothing.
  [[nodiscard]] client_table::answered answer_to(const request_reference& asked) const;
  /// The answer to a request that is not admitted. A diverged state gives nothing.
  [[nodiscard]] client_table::shared_outcome refuse(reply_status why) const;
  /// The answer of the machine to a read-only operation. A diverged state gives nothing.
  [[nodiscard]] std::optional<operation_result> query(byte_span operation) const;
  [[nodiscard]] sequence_number last_executed() const { return last_executed_; }
  /// The agreed standing of all replicas and convicted clients.
  [[nodiscard]] const reputation_ledger& ledger() const { return ledger_; }
  [[nodiscard]] std::vector<standing_changed> take_ledger_events() { return ledger_.take_events(); }
  [[nodiscard]] sessions_by_client sessions() const { return clients_.sessions(); }
  /// See `client_table`.
  [[nodiscard]] std::optional<digest> opening_of(client_id client, session_id session) const {
    return clients_.opening_of(client, session);
  }
  /// The moves that the group agreed on, for readmissions and hand-overs.
  [[nodiscard]] const agreed_moves& moves() const { return readmissions_.moves(); }
  [[nodiscard]] std::vector<move_agreed> take_move_events() { return readmissions_.take_events(); }

  /// Ledgers, machine and client table as chunks. The first chunk contains the ledgers and the number of chunks of the
  /// machine, which follow it. The rest is the client table.
  [[nodiscard]] state_snapshot snapshot();
  /// Root over ledgers, machine and client table.
  [[nodiscard]] digest root();
  /// Root of the machine alone, which operators compare.
  [[nodiscard]] digest machine_root() { return machine_->root(); }

  /// Replaces the state by a verified snapshot that was taken after `sequence` and has the root `certified`, if it is
  /// ahead of this state, or if this state has diverged at `sequence` or earlier.
  [[nodiscard]] installation_outcome install(sequence_number sequence, const digest& certified,
                                             const state_snapshot& snapshot);

  /// Restores the state that this node kept on its own disk. An error leaves the present state unchanged.
  [[nodiscard]] or_reason<void> restore(sequence_number sequence, const state_snapshot& snapshot);

  /// A quorum certified another state after `sequence`. False if that is no news about the state in place, because a
  /// certified state replaced the wrong one meanwhile.
  [[nodiscard]] bool on_disproven(sequence_number sequence) { return divergence_.on_disproven(sequence); }
  [[nodiscard]] bool has_diverged() const { return divergence_.exists(); }

 private:
  answered_request execute_fresh(sequence_number sequence, const request& each);
  client_table::shared_outcome run(sequence_number sequence, const request& each, const request_reference& reference);
  void judge(sequence_number sequence, const system_request& each);

  std::unique_ptr<state_machine> machine_;
  client_table clients_;
  cluster_parameters cluster_;
  reputation_ledger ledger_;
  readmission_ledger readmissions_;
  sequence_number last_executed_;
  divergence_tracker divergence_;
  /// A diverged state was replaced, and nothing was executed since then. Batches that were committed meanwhile may
  /// still arrive. The replica hands them over again, from the one after the installed state on.
  bool replaced_ = false;
};

}  // namespace hypermesh
