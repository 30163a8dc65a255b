#include "tools/hypermesh/chaos_report.hpp"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tools/hypermesh/replay_report.hpp"
#include "tools/hypermesh/text_table.hpp"

namespace hypermesh::cli {

namespace {

std::string verdict_of(const chaos_result& result) {
  if (result.lost > 0) return fmt::format("{} acknowledged operations were lost", grouped(result.lost));
  if (result.doubled > 0) return fmt::format("{} operations were executed twice", grouped(result.doubled));
  if (!result.roots_are_equal) return "the replicas did not end in one state";
  if (result.failed > 0) return fmt::format("{} operations got no answer in time", grouped(result.failed));
  return "nothing that was acknowledged was lost or doubled; all replicas ended in one state";
}

std::string roots_of(const chaos_result& result) {
  std::vector<std::string> roots;
  for (const auto& each : result.reports)
    roots.push_back(each ? to_hex(each->state_root.view(), 6) : "silent");
  return fmt::format("{}", fmt::join(roots, " "));
}

}  // namespace

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
  summary.add({"operations", fmt::format("{} acknowledged in {}, {} failed", grouped(result.acknowledged),
                                         short_duration(result.elapsed_seconds), grouped(result.failed))});
  summary.add({"lost, doubled", fmt::format("{}, {}", grouped(result.lost), grouped(result.doubled))});
  summary.add({"states", roots_of(result)});
  const auto verdict = verdict_of(result);
  return kills.text(style) + "\n" + summary.text(style) + "\n" +
         (result.is_right() ? style.good(verdict) : style.bad(verdict)) + "\n";
}

nlohmann::ordered_json json_of(const chaos_result& result) {
  nlohmann::ordered_json json;
  json["replicas"] = result.settings.replicas;
  auto& kills = json["kills"] = nlohmann::ordered_json::array();
  for (const auto& each : result.kills) {
    kills.push_back({{"at_s", each.at_seconds},
                     {"view", each.view.value},
                     {"replicas", each.victims},
                     {"gap_ms", 1'000 * each.gap_seconds}});
  }
  const auto median = result.median_gap_seconds();
  json["median_gap_ms"] = median ? nlohmann::ordered_json(1'000 * *median) : nlohmann::ordered_json(nullptr);
  json["acknowledged"] = result.acknowledged;
  json["failed"] = result.failed;
  json["lost"] = result.lost;
  json["doubled"] = result.doubled;
  json["elapsed_s"] = result.elapsed_seconds;
  auto& roots = json["state_roots"] = nlohmann::ordered_json::array();
  for (const auto& each : result.reports)
    roots.push_back(each ? nlohmann::ordered_json(to_hex(each->state_root.view())) : nlohmann::ordered_json(nullptr));
  json["ok"] = result.is_right();
  return json;
}

exit_code run_chaos_and_print(const chaos_settings& settings, bool as_json) {
  interruption stop;
  std::variant<chaos_result, replay_failure> outcome;
  {
    console_narrator narrator{false};
    outcome = run_chaos(settings, stop, narrator);
  }
  if (const auto* failed = std::get_if<replay_failure>(&outcome)) return report_error(failed->error, failed->code);
  const auto& result = std::get<chaos_result>(outcome);
  say("");
  print(as_json ? json_of(result).dump(2) + "\n" : text_of(result, text_style::of(STDOUT_FILENO)));
  return result.is_right() ? exit_code::ok : exit_code::failed;
}

}  // namespace hypermesh::cli
