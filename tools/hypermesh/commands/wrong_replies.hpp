#pragma once

#include <chrono>

#include "tools/hypermesh/client/cluster_session.hpp"

namespace hypermesh::cli {

/// The time that `warn_of_wrong_replies` may take.
inline constexpr std::chrono::seconds reply_report_patience{1};

/// Names on stderr each replica that returned results different from those of f + 1 other replicas. Such results changed
/// nothing, but an operator should check the replica.
void warn_of_wrong_replies(cluster_session& session);

}  // namespace hypermesh::cli
