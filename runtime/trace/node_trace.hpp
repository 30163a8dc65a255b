#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/trace/trace_ring.hpp"

/// The trace of one node as text: the body of `/api/v1/trace`, and the form in which a trace is kept in a file. Pure.
namespace hypermesh::runtime {

struct node_trace {
  replica_id replica;
  /// The identity of the cluster in hexadecimal digits.
  std::string cluster;
  /// The wall clock of the node minus its steady clock, in microseconds: what has to be added to a moment.
  std::int64_t wall_minus_steady_us = 0;
  std::vector<traced_batch> batches;
};

/// JSON: {"replica":1,"cluster":"…","wall_minus_steady_us":…,"batches":[{"sequence":7,"view":0,"requested":…,
/// "proposed":…,"prepared":…,"committed":…,"executed":…,"replied":…,"requests":[[client, session, timestamp], …],
/// "requests_total":1}, …]}. Moments are microseconds of the steady clock; a moment that is unknown is missing.
///
/// If the text would be longer than `node_trace_bytes_max`, the oldest batches are left out.
[[nodiscard]] std::string node_trace_text(const node_trace& trace);
inline constexpr std::size_t node_trace_bytes_max = std::size_t{4} * 1'024 * 1'024;

/// Reads such a text. It may come from a faulty node, so everything is checked and bounded. The error says what is
/// wrong; `origin` names the node or file in it.
[[nodiscard]] or_error<node_trace> read_node_trace(std::string_view text, const std::string& origin);

}  // namespace hypermesh::runtime
