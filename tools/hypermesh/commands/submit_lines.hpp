#pragma once

#include "tools/hypermesh/client/cluster_session.hpp"

namespace hypermesh::cli {

/// Submits every line of stdin and prints exactly one result line for each. The results are printed in the order of the
/// lines, each as soon as it is known. So a program that writes a line and waits gets its answer. Messages on stderr
/// are for people and are not repeated.
[[nodiscard]] exit_code submit_lines(cluster_session& session, std::size_t bundle, bool as_json);

}  // namespace hypermesh::cli
