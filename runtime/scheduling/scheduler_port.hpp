#pragma once

#include <hypermesh/state_machine.hpp>

namespace hypermesh::scheduling {

/// The way of encoded operations to a replicated scheduler, and of their outcomes back. Both functions block.
/// `consensus_port` leads to a cluster; tests lead to machines in their own process.
class scheduler_port {
 public:
  virtual ~scheduler_port() = default;

  /// Orders an operation and executes it. A read that is ordered sees every write that returned before.
  virtual submit_outcome submit(byte_vector operation) = 0;
  /// Answers a read from a committed state, which may be old. `client_error::timed_out` means that no f + 1 replicas
  /// gave the same answer in the time of the port, so ordering the read may help. No other error is worth that.
  virtual submit_outcome query(byte_vector operation) = 0;
};

}  // namespace hypermesh::scheduling
