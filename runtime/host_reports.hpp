#pragma once

#include <memory>
#include <vector>

#include <hypermesh/reports.hpp>

#include "actors/protocol/guard/peer_trust.hpp"
#include "messages/values.hpp"
#include "runtime/feed/node_feed.hpp"
#include "runtime/health/health_report.hpp"
#include "runtime/hosted_replica.hpp"

/// Turns what actors report into what hosts read.
namespace hypermesh::runtime {

/// The observers of a replica whose host reads `feed`.
[[nodiscard]] node_observers observers_for(std::shared_ptr<feed::node_feed> feed);

[[nodiscard]] node_state state_of(const node_report& report);
[[nodiscard]] std::vector<hypermesh::metric> metrics_of(const node_report& report);
/// `running` is the error that stopped the replica, if there was one.
[[nodiscard]] node_health shown_of(const health_report& report, or_error<void> running);
[[nodiscard]] replica_reputation shown_of(const reputation& known);

}  // namespace hypermesh::runtime
