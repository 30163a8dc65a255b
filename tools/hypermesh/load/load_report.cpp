#include "tools/hypermesh/load/load_report.hpp"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hypermesh::cli {

void add_rows(text_table& table, const load_verdict& verdict) {
  table.add({"operations", fmt::format("{} acknowledged in {}, {} failed", grouped(verdict.acknowledged),
                                       short_duration(verdict.elapsed_seconds), grouped(verdict.failed))});
  table.add({"lost, doubled", fmt::format("{}, {}", grouped(verdict.lost), grouped(verdict.doubled))});
  std::vector<std::string> roots;
  for (const auto& each : verdict.reports)
    roots.push_back(each ? to_hex(each->state_root.view(), 6) : "silent");
  table.add({"states", fmt::format("{}", fmt::join(roots, " "))});
}

std::string sentence_of(const load_verdict& verdict) {
  if (verdict.lost > 0) return fmt::format("{} acknowledged operations were lost", grouped(verdict.lost));
  if (verdict.doubled > 0) return fmt::format("{} operations were executed twice", grouped(verdict.doubled));
  if (!verdict.roots_are_equal) return "the replicas ended in different states";
  if (verdict.failed > 0) return fmt::format("{} operations got no answer in time", grouped(verdict.failed));
  return "no acknowledged operation was lost or executed twice; all replicas ended in the same state";
}

void add_keys(nlohmann::ordered_json& json, const load_verdict& verdict) {
  json["acknowledged"] = verdict.acknowledged;
  json["failed"] = verdict.failed;
  json["lost"] = verdict.lost;
  json["doubled"] = verdict.doubled;
  json["elapsed_s"] = verdict.elapsed_seconds;
  auto& roots = json["state_roots"] = nlohmann::ordered_json::array();
  for (const auto& each : verdict.reports)
    roots.push_back(each ? nlohmann::ordered_json(to_hex(each->state_root.view())) : nlohmann::ordered_json(nullptr));
}

}  // namespace hypermesh::cli
