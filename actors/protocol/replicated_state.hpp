#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/client_table.hpp"
#include "actors/protocol/effects.hpp"

namespace hypermesh {

/// Everything that execution changes: the machine and the client table. Pure; a function of the
/// committed sequence alone. Owns the machine. A state before any batch has sequence 0.
class replicated_state {
 public:
  explicit replicated_state(std::unique_ptr<state_machine> machine);

  struct answered_request {
    executed_request request;
    /// What to answer; a refusal for a request that is past.
    client_table::shared_outcome outcome;
  };

  /// Executes the batch of `last_executed() + 1`.
  std::vector<answered_request> execute(sequence_number sequence, const batch& content);

  /// The cached answer to a request that is done, a refusal when it is past, nothing when it is fresh.
  [[nodiscard]] client_table::shared_outcome answer_to(request_id id) const;

  [[nodiscard]] operation_result query(byte_span operation) const;
  [[nodiscard]] sequence_number last_executed() const { return last_executed_; }
  [[nodiscard]] std::vector<request_id> done_ids() const { return clients_.done_ids(); }

  /// Machine and client table as chunks; the first chunk says how many belong to which.
  [[nodiscard]] state_snapshot snapshot();
  /// Root over machine and client table.
  [[nodiscard]] digest root();
  /// Root of the machine alone: what people compare.
  [[nodiscard]] digest machine_root() { return machine_->root(); }

  /// Replaces the state by a verified snapshot taken after `sequence`, which is ahead of this one.
  [[nodiscard]] std::optional<std::string> install(sequence_number sequence, const state_snapshot& snapshot);

 private:
  client_table::shared_outcome run(sequence_number sequence, const request& each);

  std::unique_ptr<state_machine> machine_;
  client_table clients_;
  sequence_number last_executed_;
};

}  // namespace hypermesh
