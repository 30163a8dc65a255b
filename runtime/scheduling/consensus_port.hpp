#pragma once

#include <hypermesh/consensus_client.hpp>

#include "runtime/scheduling/scheduler_port.hpp"

namespace hypermesh::scheduling {

/// Leads to a cluster through a `consensus_client`, which outlives the port. The settings of the client bound how long
/// a function blocks (`client_settings`). Several ports may use one client.
class consensus_port final : public scheduler_port {
 public:
  explicit consensus_port(consensus_client& client) : client_(&client) {}

  submit_outcome submit(byte_vector operation) override;
  submit_outcome query(byte_vector operation) override;

 private:
  consensus_client* client_;
};

}  // namespace hypermesh::scheduling
