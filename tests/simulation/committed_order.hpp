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

/// The single order of batches that all replicas must share, and the results that this order must give. It is a second,
/// very simple implementation of exactly-once execution on its own machine. Memory grows with the run.
class committed_order {
 public:
  explicit committed_order(std::unique_ptr<state_machine> machine);

  struct entry {
    digest value;
    /// The requests of the batch with the expected effect of each.
    std::vector<executed_request> requests;
    /// The names of its cases, one for each system request.
    std::vector<case_name> cases;
    /// The latest of the times of this batch and of all batches before it.
    wall_time ordered_time{};
  };

  /// Appends the batch for the sequence after `last()` and executes it.
  void append(const digest& value, const batch& body);

  [[nodiscard]] sequence_number last() const { return sequence_number{entries_.size()}; }
  /// Returns null for a sequence beyond `last()`.
  [[nodiscard]] const entry* at(sequence_number sequence) const;
  /// Returns null until the request is ordered.
  [[nodiscard]] const request_outcome* outcome_of(request_id id) const;
  /// The sequence number at which the request was executed, which must be ordered.
  [[nodiscard]] sequence_number place_of(request_id id) const { return places_.at(id); }
  [[nodiscard]] std::size_t executed() const { return outcomes_.size(); }
  /// From now on, the model asks the machine this query after every operation and remembers the answers.
  void remember_answers(byte_vector operation);
  /// Whether `answer` was the answer after some prefix of the order. `operation` must have been passed to
  /// `remember_answers`.
  [[nodiscard]] bool had_answer(byte_span operation, const operation_result& answer) const {
    return answer_since(operation, answer, sequence_number{0}).has_value();
  }
  /// The first sequence number, not below `since`, after or in whose batch `answer` was the answer. Nothing if all
  /// states from the end of the batch `since` on give other answers.
  [[nodiscard]] std::optional<sequence_number> answer_since(byte_span operation, const operation_result& answer,
                                                            sequence_number since) const;
  /// The root of the machine after all appended batches.
  [[nodiscard]] digest machine_root() { return machine_->root(); }

 private:
  executed_request execute(const request& each);
  request_outcome run(const request& each);

  /// An answer, and the batch in which it became the answer.
  struct known_answer {
    sequence_number from;
    operation_result answer;
  };
  void ask(const byte_vector& operation, std::vector<known_answer>& answers) const;
  void ask_all();

  /// The newest executed timestamps of a session. Timestamps up to `past` are refused.
  struct session_model {
    session_id name;
    session_mode mode = session_mode::independent;
    std::set<timestamp> executed;
    timestamp past;
  };
  /// The open sessions of a client, the last used session at the end, and the ended sessions in the order of their
  /// ends.
  struct client_model {
    session_model always_open;
    std::vector<session_model> open;
    std::vector<session_id> ended;

    [[nodiscard]] session_model* find(session_id session);
    [[nodiscard]] bool has_ended(session_id session) const;
    void open_session(session_id session, session_mode mode);
  };

  std::unique_ptr<state_machine> machine_;
  wall_time ordered_time_{};
  std::vector<entry> entries_;
  std::map<client_id, client_model> clients_;
  std::map<request_id, request_outcome> outcomes_;
  std::map<request_id, sequence_number> places_;
  /// The answers to each query, each time that they change.
  std::map<byte_vector, std::vector<known_answer>> answers_;
};

}  // namespace hypermesh::testing
