#pragma once

#include <memory>
#include <vector>

#include <hypermesh/reports.hpp>

#include "actors/protocol/guard/peer_trust.hpp"
#include "messages/values.hpp"
#include "runtime/feed/node_feed.hpp"
#include "runtime/hosted_replica.hpp"

/// Turns what actors report into what hosts read.
namespace hypermesh::runtime {

/// The observers of a replica whose host reads `feed`.
[[nodiscard]] node_observers observers_for(std::shared_ptr<feed::node_feed> feed);

[[nodiscard]] node_state state_of(const node_report& report);
[[nodiscard]] std::vector<hypermesh::metric> metrics_of(const node_report& report);
[[nodiscard]] replica_reputation shown_of(const reputation& known);

}  // namespace hypermesh::runtime
