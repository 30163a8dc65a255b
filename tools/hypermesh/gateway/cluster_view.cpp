#include "tools/hypermesh/gateway/cluster_view.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"

namespace hypermesh::cli {

cluster_view view_of(const cluster_reports& reports, const cluster_parameters& cluster, moment seen_at) {
  const auto group = cluster.group();
  cluster_view seen;
  seen.members = static_cast<std::uint32_t>(reports.size());
  seen.answering = static_cast<std::uint32_t>(reachable_count(reports));
  seen.health = visible_text(sentence_of(health_of(reports, cluster)));
  seen.seen_at = seen_at;
  if (seen.answering < group.weak_quorum()) return seen;
  seen.view = current_view(reports, cluster);
  seen.primary = group.primary_of(*seen.view);
  std::vector<sequence_number> executed;
  for (const auto& each : reports) {
    if (each) executed.push_back(each->last_executed);
  }
  // At most f of them are faulty, so a correct replica has executed as much as the (f+1)-th highest.
  std::ranges::sort(executed, std::greater{});
  seen.executed = executed.at(group.faulty_max());
  return seen;
}

std::string cluster_lines(const cluster_view* view, moment now) {
  if (view == nullptr) return "hypermesh_health:not known yet\r\n";
  const auto shown = [](const auto& number) { return number ? std::to_string(number->value) : std::string{"unknown"}; };
  return fmt::format(
      "hypermesh_members:{}\r\nhypermesh_members_answering:{}\r\nhypermesh_view:{}\r\nhypermesh_primary:{}\r\n"
      "hypermesh_executed:{}\r\nhypermesh_health:{}\r\nhypermesh_seen_seconds_ago:{}\r\n",
      view->members, view->answering, shown(view->view), shown(view->primary), shown(view->executed), view->health,
      std::chrono::duration_cast<std::chrono::seconds>(now - view->seen_at).count());
}

}  // namespace hypermesh::cli
