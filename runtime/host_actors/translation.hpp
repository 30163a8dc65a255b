#pragma once

#include <vector>

#include <hypermesh/reports.hpp>

#include "runtime/feed/node_feed.hpp"
#include "runtime/host_actors/host_messages.hpp"

/// Turns the values of a node into the messages for hosts. Pure.
namespace hypermesh::host {

[[nodiscard]] outcome shown_of(const submit_outcome& result);
[[nodiscard]] node_health shown_of(const hypermesh::node_health& health);
[[nodiscard]] operations shown_of(const feed::operation_page& page);
[[nodiscard]] events shown_of(const feed::event_page& page);
[[nodiscard]] proofs shown_of(const std::vector<feed::found_evidence>& found);
[[nodiscard]] node_state state_in(const node_report& report);
[[nodiscard]] metrics metrics_in(const node_report& report);
[[nodiscard]] reputations reputations_in(const reputation_report& report);

}  // namespace hypermesh::host
