#pragma once

#include "actors/ports.hpp"
#include "actors/protocol/client/client_outcome.hpp"
#include "messages/types.hpp"

namespace hypermesh::scheduling {

/// The way of encoded operations to a replicated scheduler, and of their outcomes back. Both functions block.
/// `consensus_port` leads to a cluster; tests lead to machines in their own process.
class scheduler_port {
 public:
  virtual ~scheduler_port() = default;

  /// Orders an operation and executes it. A read that is ordered sees every write that returned before.
  virtual submit_outcome submit(byte_vector operation) = 0;
  /// Answers a read from a committed state, which may be old.
  virtual submit_outcome query(byte_vector operation) = 0;
};

}  // namespace hypermesh::scheduling
