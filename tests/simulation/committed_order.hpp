#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/observations.hpp"

namespace hypermesh::testing {

/// The one order of batches that all replicas must share, and the results that it must yield: a second, simplest
/// implementation of exactly-once execution on a machine of its own. Grows with the run.
class committed_order {
 public:
  explicit committed_order(std::unique_ptr<state_machine> machine);

  struct entry {
    digest value;
    /// Each request of the batch, and what must become of it.
    std::vector<executed_request> requests;
    /// The names of its system requests.
    std::vector<case_name> cases;
  };

  /// Appends the batch of the sequence after `last()` and executes it.
  void append(const digest& value, const batch& body);

  [[nodiscard]] sequence_number last() const { return sequence_number{entries_.size()}; }
  /// Null beyond `last()`.
  [[nodiscard]] const entry* at(sequence_number sequence) const;
  /// Null while the request was not ordered.
  [[nodiscard]] const request_outcome* outcome_of(request_id id) const;
  [[nodiscard]] std::size_t executed() const { return outcomes_.size(); }
  /// From now on the order knows what the machine answers to this query after every batch.
  void remember_answers(byte_vector operation);
  /// Whether that was the answer after any prefix of the order. `operation` is one that is remembered.
  [[nodiscard]] bool had_answer(byte_span operation, const operation_result& answer) const;
  /// Root of the machine after everything that was appended.
  [[nodiscard]] digest machine_root() { return machine_->root(); }

 private:
  executed_request execute(const request& each);
  request_outcome run(const request& each);
  void ask(const byte_vector& operation, std::vector<operation_result>& answers) const;

  /// The newest timestamps of a session that were executed, and the highest one below them that is past.
  struct session_model {
    session_id name;
    session_mode mode = session_mode::independent;
    std::set<timestamp> executed;
    timestamp past;
  };
  /// The open sessions of a client, the one that was used last behind, and those that ended, in that order.
  struct client_model {
    session_model always_open;
    std::vector<session_model> open;
    std::vector<session_id> ended;

    [[nodiscard]] session_model* find(session_id session);
    [[nodiscard]] bool has_ended(session_id session) const;
    void open_session(session_id session, session_mode mode);
  };

  std::unique_ptr<state_machine> machine_;
  std::vector<entry> entries_;
  std::map<client_id, client_model> clients_;
  std::map<request_id, request_outcome> outcomes_;
  /// The different answers to each query, in their order.
  std::map<byte_vector, std::vector<operation_result>> answers_;
};

}  // namespace hypermesh::testing
