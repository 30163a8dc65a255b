#include "tools/hypermesh/runs/gap_report.hpp"

#include <fmt/format.h>

#include "tools/hypermesh/load/load_report.hpp"

namespace hypermesh::cli {

namespace {

using json_value = nlohmann::ordered_json;

json_value milliseconds(const std::optional<double>& seconds) {
  return seconds ? json_value(1'000 * *seconds) : json_value(nullptr);
}

json_value json_of_gaps(const gap_result& result, double service_gap::*which) {
  return {{"median", milliseconds(result.percentile(0.5, which))},
          {"p90", milliseconds(result.percentile(0.9, which))},
          {"max", milliseconds(result.percentile(1, which))}};
}

std::string summary_of(const gap_result& result, double service_gap::*which) {
  return fmt::format("median {}, p90 {}, longest {}", short_duration(*result.percentile(0.5, which)),
                     short_duration(*result.percentile(0.9, which)), short_duration(*result.percentile(1, which)));
}

}  // namespace

std::string text_of(const gap_result& result, const text_style& style) {
  using side = text_table::side;
  text_table gaps{{{"at", side::right},
                   {"view", side::right},
                   {"primary", side::right},
                   {"gap", side::right},
                   {"before", side::right},
                   {"return", side::right}}};
  for (const auto& each : result.gaps) {
    gaps.add({fmt::format("{:.1f} s", each.at_seconds), std::to_string(each.view.value),
              std::to_string(each.primary.value), short_duration(each.gap_seconds), short_duration(each.quiet_seconds),
              each.return_seconds ? short_duration(*each.return_seconds) : std::string{}});
  }
  text_table summary{{{""}, {""}}};
  if (!result.gaps.empty()) {
    summary.add({"gap in service", style.bold(summary_of(result, &service_gap::gap_seconds))});
    summary.add({"without an event", summary_of(result, &service_gap::quiet_seconds)});
  }
  add_rows(summary, result.end);
  return gaps.text(style) + "\n" + summary.text(style) + "\n" +
         verdict_line(sentence_of(result.end), result.is_right(), style);
}

json_value json_of(const gap_result& result) {
  json_value json;
  json["replicas"] = result.settings.load.replicas;
  json["in_flight"] = result.settings.load.in_flight;
  json["bundle"] = result.settings.load.bundle;
  json["cause"] = name_of(result.settings.cause);
  auto& gaps = json["gaps"] = json_value::array();
  for (const auto& each : result.gaps) {
    gaps.push_back({{"at_s", each.at_seconds},
                    {"view", each.view.value},
                    {"primary", each.primary.value},
                    {"gap_ms", 1'000 * each.gap_seconds},
                    {"quiet_ms", 1'000 * each.quiet_seconds},
                    {"return_ms", milliseconds(each.return_seconds)}});
  }
  json["gap_ms"] = json_of_gaps(result, &service_gap::gap_seconds);
  json["quiet_ms"] = json_of_gaps(result, &service_gap::quiet_seconds);
  add_keys(json, result.end);
  json["ok"] = result.is_right();
  return json;
}

}  // namespace hypermesh::cli
