#pragma once

#include <vector>

#include <hypermesh/reports.hpp>

#include "actors/protocol/guard/peer_trust.hpp"
#include "messages/values.hpp"

/// Turns the reports of the actors into those of the public headers.
namespace hypermesh::runtime {

[[nodiscard]] node_state state_of(const node_report& report);
[[nodiscard]] std::vector<metric> metrics_of(const node_report& report);
[[nodiscard]] replica_reputation shown_of(const reputation& known);

}  // namespace hypermesh::runtime
