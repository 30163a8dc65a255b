#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/execution/checkpoint_parts.hpp"
#include "actors/protocol/execution/client_table.hpp"
#include "actors/protocol/execution/divergence_tracker.hpp"
#include "actors/protocol/receipts/receipt_log.hpp"
#include "actors/protocol/reputation/readmission_ledger.hpp"
#include "actors/protocol/reputation/reputation_ledger.hpp"

namespace hypermesh::protocol {

/// The result of the installation of a verified state.
enum class installation {
  installed,
  /// This replica has already executed the batches up to the sequence number of the state.
  overtaken,
  /// The present state diverged at a later sequence number, so this older state does not repair it.
  too_old,
  /// The snapshot cannot be restored, or the restored state has another root; `why` gives the reason. After a restore
  /// with another root, the present state counts as diverged.
  unreadable,
};

struct installation_outcome {
  installation what = installation::installed;
  std::string why;
};

/// Everything that execution changes: the machine, the client table, the ledgers and the ordered time. Pure; a function
/// of the committed sequence alone. Owns the machine. The state before any batch has sequence 0. Memory: that of its
/// parts.
///
/// This class also decides whether the state has diverged, because only this class replaces the state. A diverged state
/// answers no client and executes no batch until a certified state replaces it. The certified state may have an earlier
/// sequence number (attack 27).
class replicated_state {
 public:
  replicated_state(std::unique_ptr<state_machine> machine, const cluster_parameters& cluster);

  struct answered_request {
    executed_request request;
    /// The answer. It is a refusal if the request is past, and nothing if the request is too early.
    client_table::answered answer;
  };

  /// Whether the batch of `sequence` is the next to be executed. A batch may come too late, because an installed state
  /// contains it. It may also come too early, because it follows batches that were executed in a state that was
  /// replaced, and the present state lacks them.
  [[nodiscard]] bool awaits(sequence_number sequence) const;
  /// Executes the batch of `last_executed() + 1`: its system requests, which have no answer, and then its requests.
  /// Returns the requests with their answers.
  std::vector<answered_request> execute(sequence_number sequence, const batch& content);
  /// The same, and keeps the batch for a while, so that this replica can sign receipts for it.
  std::vector<answered_request> execute(sequence_number sequence, const std::shared_ptr<const batch>& content);

  /// The cached answer to a request that is done, a refusal when it is past or its session has ended, nothing when it
  /// may still be executed. A diverged state gives nothing.
  [[nodiscard]] client_table::answered answer_to(const request_reference& asked) const;
  /// The share of this replica in a receipt, signed with `keys`. It has no share if the operation was not executed
  /// here, because a transferred state contains it, if it was executed long ago, or if the state has diverged.
  [[nodiscard]] receipt_reply receipt_for(const receipt_query& asked, const authenticator& keys);
  /// The refusal of a request that was not admitted. Nothing if the state has diverged.
  [[nodiscard]] client_table::shared_outcome refuse(reply_status why) const;
  /// The answer of the machine to a read-only operation. A diverged state gives nothing.
  [[nodiscard]] std::optional<operation_result> query(byte_span operation) const;
  [[nodiscard]] sequence_number last_executed() const { return last_executed_; }
  /// The latest time that was proposed with an executed batch. It stands still while nothing is executed.
  [[nodiscard]] wall_time ordered_time() const { return ordered_time_; }
  /// The agreed standing of all replicas and convicted clients.
  [[nodiscard]] const reputation_ledger& ledger() const { return ledger_; }
  [[nodiscard]] std::vector<standing_changed> take_ledger_events() { return ledger_.take_events(); }
  [[nodiscard]] sessions_by_client sessions() const { return clients_.sessions(); }
  /// The digest of the request that opened the session; nothing for session 0 (see `client_table`).
  [[nodiscard]] std::optional<digest> opening_of(client_id client, session_id session) const {
    return clients_.opening_of(client, session);
  }
  /// The moves that the group agreed on, for readmissions and hand-overs.
  [[nodiscard]] const agreed_moves& moves() const { return readmissions_.moves(); }
  [[nodiscard]] std::vector<move_agreed> take_move_events() { return readmissions_.take_events(); }

  /// The present state, whose chunks may be hashed later and by another actor. What it shares with this state does not
  /// change. Costs the hash of the replies that changed, and what the machine needs to freeze.
  [[nodiscard]] checkpoint_parts freeze();
  /// Ledgers, machine and client table as chunks. The first chunk contains the ledgers, the ordered time and the number
  /// of chunks of the machine, which follow it. The rest is the client table.
  [[nodiscard]] state_snapshot snapshot() { return freeze().assemble(); }
  /// Root over ledgers, ordered time, machine and client table.
  [[nodiscard]] digest root();
  /// Root of the machine alone, which operators compare.
  [[nodiscard]] digest machine_root() { return machine_->root(); }

  /// Replaces the state by a verified snapshot that was taken after `sequence` and has the root `certified`. The
  /// snapshot must be ahead of this state, or this state must have diverged at `sequence` or earlier. Otherwise the
  /// outcome says why the snapshot was not installed.
  [[nodiscard]] installation_outcome install(sequence_number sequence, const digest& certified,
                                             const state_snapshot& snapshot);

  /// Restores the state that this node kept on its own disk. An error leaves the present state unchanged.
  [[nodiscard]] or_reason<void> restore(sequence_number sequence, const state_snapshot& snapshot);

  /// A quorum certified another state after `sequence`. Returns false if a certified state has replaced that state
  /// meanwhile.
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
  wall_time ordered_time_{};
  divergence_tracker divergence_;
  receipt_log receipts_;
  /// A diverged state was replaced, and no batch was executed since then. Batches that were committed before the
  /// replacement may still arrive. The replica will hand over all batches after the installed state again.
  bool replaced_ = false;
};

}  // namespace hypermesh::protocol
