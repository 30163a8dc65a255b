#pragma once

#include <string>
#include <vector>

#include "runtime/trace/node_trace.hpp"

/// Traces of several nodes as one Chrome trace, the JSON that Perfetto and chrome://tracing open. Pure.
namespace hypermesh::runtime {

/// Each node is a process, "replica-1". Each batch is a slice from its first to its last known moment, with a slice for
/// each phase inside: `wait` (request received to PRE-PREPARE; only the primary knows it), `pre-prepare` (until
/// prepared), `prepare` (until committed), `commit` (until executed), `execute` (until the replies were sent). Each
/// request is a slice of the same length under its own name, "client-0 5/17" (session/timestamp), so that a search for
/// this name finds its way at every replica.
///
/// All times are those of the wall clocks of the nodes, in microseconds since the first of them. A wall clock may be
/// wrong, so a slice may be earlier at one node than the slice that caused it at another one. `otherData` has the
/// offset of each clock: how much the wall clock minus the steady clock differs from that of the first node. On one
/// machine the nodes share both clocks, and the offsets are the few microseconds between two readings.
[[nodiscard]] std::string chrome_trace_text(const std::vector<node_trace>& nodes);

}  // namespace hypermesh::runtime
