#pragma once

#include "tools/hypermesh/cluster_session.hpp"

namespace hypermesh::cli {

/// Submits every line of stdin and prints exactly one result line for each, in their order, as soon as it is known:
/// a program that writes a line and waits for its answer gets it. Messages are for people and are not repeated.
[[nodiscard]] exit_code submit_lines(cluster_session& session, bool as_json);

}  // namespace hypermesh::cli
