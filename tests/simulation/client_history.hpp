#pragma once

#include <map>
#include <optional>
#include <vector>

#include "actors/protocol/client/client_core.hpp"
#include "messages/values.hpp"
#include "tests/simulation/linearizability.hpp"

namespace hypermesh::testing {

/// The operations and linearizable reads of the clients of a run, with the times and results that they saw, for the
/// check of I5 and I20. Committed queries are not recorded. f+1 replicas answer them from an executed state that may be
/// old, so they are not linearizable by design. Memory: every operation of the run.
class client_history {
 public:
  /// `is_ordered` says whether all operations of a client keep their order. If not, only the operations of one request
  /// keep their order.
  explicit client_history(bool is_ordered = false) : is_ordered_(is_ordered) {}

  /// Records that `client` is given an operation. Returns its number among the operations of this client, from zero.
  std::size_t invoked(client_id client, byte_vector operation, moment now);
  /// Records that a client sends a REQUEST, for the first time or again. A new REQUEST carries the client's oldest
  /// unsent operations. If it also carries reads, `carried` gives the number of each operation, and nothing for a read.
  void on_request_sent(client_id client, const request& value,
                       const std::vector<std::optional<std::size_t>>& carried = {});
  /// Records the result of the `number`-th operation of `client`. An operation without a result stays open.
  void returned(client_id client, std::size_t number, const operation_result& result, moment now);
  /// Records that `client` begins a linearizable read, and returns its number for `read_returned`. A read has no place
  /// in the order of its client's operations.
  std::size_t read_invoked(client_id client, byte_vector operation, moment now);
  void read_returned(std::size_t number, const operation_result& result, moment now);

  [[nodiscard]] const std::vector<client_operation>& operations() const { return operations_; }
  /// The `number`-th operation of `client`.
  [[nodiscard]] const byte_vector& operation(client_id client, std::size_t number) const {
    return operations_.at(clients_.at(client).places.at(number)).operation;
  }
  [[nodiscard]] linearizability_verdict check() const { return check_linearizability(operations_); }

 private:
  struct client_track {
    /// Places in `operations_`, in the order in which the client received the operations.
    std::vector<std::size_t> places;
    std::size_t sent = 0;
    /// The timestamp of the newest request. A client's timestamps grow.
    timestamp last;
  };

  std::size_t add(client_id client, byte_vector operation, moment now);
  void end(client_operation& entry, const operation_result& result, moment now);

  bool is_ordered_;
  std::vector<client_operation> operations_;
  std::map<client_id, client_track> clients_;
};

}  // namespace hypermesh::testing
