#pragma once

#include <map>
#include <vector>

#include "actors/protocol/client/client_core.hpp"
#include "messages/values.hpp"
#include "tests/simulation/linearizability.hpp"

namespace hypermesh::testing {

/// The operations that the clients of a run ordered, and the times and results that they saw, for the check of I5.
/// Unordered queries stay out: f+1 replicas answer them from an executed state, which may be old, so they are not
/// linearizable by design. Memory: every operation of the run.
class client_history {
 public:
  /// Whether the operations of a client keep their order; else only those of one request do.
  explicit client_history(bool is_ordered = false) : is_ordered_(is_ordered) {}

  /// `client` is given an operation; its number among those of that client, from zero.
  std::size_t invoked(client_id client, byte_vector operation, microseconds_t now);
  /// A client sends a REQUEST, for the first time or again: it carries the oldest operations that were in none.
  void on_request_sent(client_id client, const request& value);
  /// The `number`-th operation of `client` has a result; one that never has stays open.
  void returned(client_id client, std::size_t number, const operation_result& result, microseconds_t now);

  [[nodiscard]] const std::vector<client_operation>& operations() const { return operations_; }
  [[nodiscard]] linearizability_verdict check() const { return check_linearizability(operations_); }

 private:
  struct client_track {
    /// Places in `operations_`, in the order in which the client was given them.
    std::vector<std::size_t> places;
    std::size_t sent = 0;
    /// Of the newest request; a client's timestamps grow.
    timestamp last;
  };

  bool is_ordered_;
  std::vector<client_operation> operations_;
  std::map<client_id, client_track> clients_;
};

}  // namespace hypermesh::testing
