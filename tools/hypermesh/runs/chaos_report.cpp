#include "tools/hypermesh/runs/chaos_report.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/hypermesh/load/load_report.hpp"

namespace hypermesh::cli {

std::string text_of(const chaos_result& result, const text_style& style) {
  text_table kills{{{"killed at", text_table::side::right},
                    {"view", text_table::side::right},
                    {"replicas"},
                    {"longest time without an answer", text_table::side::right}}};
  for (const auto& each : result.kills) {
    kills.add({fmt::format("{:.1f} s", each.at_seconds), std::to_string(each.view.value),
               fmt::format("{}", fmt::join(each.victims, " ")), short_duration(each.gap_seconds)});
  }
  text_table summary{{{""}, {""}}};
  if (const auto median = result.median_gap_seconds()) {
    summary.add({"gap in service", fmt::format("median {}", style.bold(short_duration(*median)))});
  }
  add_rows(summary, result.end);
  return kills.text(style) + "\n" + summary.text(style) + "\n" +
         verdict_line(sentence_of(result.end), result.is_right(), style);
}

nlohmann::ordered_json json_of(const chaos_result& result) {
  nlohmann::ordered_json json;
  json["replicas"] = result.settings.load.replicas;
  auto& kills = json["kills"] = nlohmann::ordered_json::array();
  for (const auto& each : result.kills) {
    kills.push_back({{"at_s", each.at_seconds},
                     {"view", each.view.value},
                     {"replicas", each.victims},
                     {"gap_ms", 1'000 * each.gap_seconds}});
  }
  const auto median = result.median_gap_seconds();
  json["median_gap_ms"] = median ? nlohmann::ordered_json(1'000 * *median) : nlohmann::ordered_json(nullptr);
  add_keys(json, result.end);
  json["ok"] = result.is_right();
  return json;
}

}  // namespace hypermesh::cli
