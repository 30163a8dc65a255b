#pragma once

#include <chrono>

#include <hypermesh/consensus_client.hpp>

#include "runtime/scheduling/scheduler_port.hpp"

namespace hypermesh::scheduling {

/// Leads to a cluster through a `consensus_client`, which outlives the port. Several ports may use one client.
///
/// **Time.** `submit` blocks at most for `client_settings::deadline`. `query` blocks at most for `query_patience`,
/// because replicas at different positions may never give the same answer. After a query without an answer, the port
/// reports the next `ordered_row` queries as `timed_out` at once, so that they are ordered without that wait: under
/// load the replicas rarely agree, and most reads would wait in vain. A read of `scheduler_client` therefore takes at
/// most `query_patience` + `client_settings::deadline`: 30.25 s with the defaults.
///
/// Memory: the client keeps a query that the port has given up until the deadline of the client, at most
/// deadline / `query_patience` of them: 120 with the defaults.
class consensus_port final : public scheduler_port {
 public:
  static constexpr std::chrono::milliseconds query_patience_default{250};
  static constexpr std::size_t ordered_row = 16;

  explicit consensus_port(consensus_client& client, std::chrono::milliseconds query_patience = query_patience_default)
      : client_(&client), query_patience_(query_patience) {}

  submit_outcome submit(byte_vector operation) override;
  submit_outcome query(byte_vector operation) override;

 private:
  consensus_client* client_;
  std::chrono::milliseconds query_patience_;
  /// The number of queries that are still to be ordered at once.
  std::size_t to_order_ = 0;
};

}  // namespace hypermesh::scheduling
