#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/client_table.hpp"
#include "actors/protocol/divergence.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/readmission_ledger.hpp"
#include "actors/protocol/reputation_ledger.hpp"

namespace hypermesh {

/// What became of a verified state that was to be installed.
enum class installation {
  installed,
  /// Execution has reached it.
  overtaken,
  /// This state is not the certified one of a later sequence: an older one does not help.
  too_old,
  /// It cannot be restored; `why` says what is wrong.
  unreadable,
};

struct installation_outcome {
  installation what = installation::installed;
  std::string why;
};

/// Everything that execution changes: the machine and the client table. Pure; a function of the
/// committed sequence alone. Owns the machine. A state before any batch has sequence 0.
///
/// A state that turns out not to be the certified one is shown to nobody and executes nothing more, until a certified
/// one replaces it, which may be of an earlier sequence (attack 27).
class replicated_state {
 public:
  replicated_state(std::unique_ptr<state_machine> machine, const cluster_parameters& cluster);

  struct answered_request {
    executed_request request;
    /// What to answer; a refusal for a request that is past, nothing for one that is too early.
    client_table::answered answer;
  };

  /// Whether the batch of `sequence` is the next to be executed. What is not comes too late, or too early: an installed
  /// state contains it, or it builds on what this state has lost.
  [[nodiscard]] bool awaits(sequence_number sequence) const;
  /// Executes the batch of `last_executed() + 1`.
  std::vector<answered_request> execute(sequence_number sequence, const batch& content);

  /// The cached answer to a request that is done, a refusal when it is past or its session has ended, nothing when it
  /// may still be executed. Nothing of a diverged state.
  [[nodiscard]] client_table::answered answer_to(const request_reference& asked) const;
  /// The answer to a request that is not taken; nothing of a diverged state.
  [[nodiscard]] client_table::shared_outcome refuse(reply_status why) const;
  /// Nothing of a diverged state.
  [[nodiscard]] std::optional<operation_result> query(byte_span operation) const;
  [[nodiscard]] sequence_number last_executed() const { return last_executed_; }
  /// The agreed standing of every replica.
  [[nodiscard]] const reputation_ledger& ledger() const { return ledger_; }
  [[nodiscard]] std::vector<standing_changed> take_ledger_events() { return ledger_.take_events(); }
  [[nodiscard]] sessions_by_client sessions() const { return clients_.sessions(); }
  /// See `client_table`.
  [[nodiscard]] std::optional<digest> opening_of(client_id client, session_id session) const {
    return clients_.opening_of(client, session);
  }
  /// What the group agreed to do for replicas that lost their disks, and when it hands over.
  [[nodiscard]] const agreed_moves& moves() const { return readmissions_.moves(); }
  [[nodiscard]] std::vector<move_agreed> take_move_events() { return readmissions_.take_events(); }

  /// Ledgers, machine and client table as chunks; the first chunk holds the ledgers and says how many belong to which.
  [[nodiscard]] state_snapshot snapshot();
  /// Root over ledger, machine and client table.
  [[nodiscard]] digest root();
  /// Root of the machine alone: what people compare.
  [[nodiscard]] digest machine_root() { return machine_->root(); }

  /// Replaces the state by a verified snapshot taken after `sequence` with this root, when it is ahead of this one, or
  /// when this one has diverged no later than there.
  [[nodiscard]] installation_outcome install(sequence_number sequence, const digest& certified,
                                             const state_snapshot& snapshot);

  /// Takes over the state that this node kept itself on disk. An error text leaves the present state unchanged.
  [[nodiscard]] std::optional<std::string> restore(sequence_number sequence, const state_snapshot& snapshot);

  /// A quorum certified another state after `sequence`. The news may be older than the certified state in place.
  void on_diverged(sequence_number sequence) { (void)divergence_.on_diverged(sequence); }
  [[nodiscard]] bool has_diverged() const { return divergence_.exists(); }

 private:
  answered_request execute_fresh(sequence_number sequence, const request& each);
  client_table::shared_outcome run(sequence_number sequence, const request& each, const request_reference& reference);
  bool judge(sequence_number sequence, const request& each);

  std::unique_ptr<state_machine> machine_;
  client_table clients_;
  cluster_parameters cluster_;
  reputation_ledger ledger_;
  readmission_ledger readmissions_;
  sequence_number last_executed_;
  divergence divergence_;
  /// A diverged state was replaced, and nothing was executed since: what had been ordered meanwhile may still arrive,
  /// and is ordered again from here on.
  bool replaced_ = false;
};

}  // namespace hypermesh
