#include "tools/hypermesh/commands/wrong_replies.hpp"

#include <fmt/format.h>

#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

void warn_of_wrong_replies(cluster_session& session) {
  const auto seen = session.client().own_report(reply_report_patience);
  if (!seen) return;
  for (const auto& [replica, count] : seen->wrong_replies) {
    say(fmt::format("replica {} returned {} different from those of f + 1 other replicas", replica.value,
                    count == 1 ? "a result" : fmt::format("{} results", count)));
  }
}

}  // namespace hypermesh::cli
