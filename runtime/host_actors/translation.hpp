#pragma once

#include <vector>

#include <hypermesh/reports.hpp>

#include "runtime/feed/node_feed.hpp"
#include "runtime/host_actors/host_messages.hpp"

/// Turns the values of a node into the messages for hosts. Pure.
namespace hypermesh::host {

[[nodiscard]] outcome shown_of(const submit_outcome& result);
[[nodiscard]] condition shown_of(const node_health& health);
[[nodiscard]] operations shown_of(const feed::operation_page& page);
[[nodiscard]] events shown_of(const feed::event_page& page);
/// Leaves out evidence that convicts nobody in this cluster.
[[nodiscard]] proofs shown_of(const std::vector<std::shared_ptr<const evidence>>& found,
                              const cluster_parameters& cluster);
[[nodiscard]] node_position position_in(const node_report& report);
[[nodiscard]] counters counters_in(const node_report& report);
[[nodiscard]] standings standings_in(const reputation_report& report);

}  // namespace hypermesh::host
