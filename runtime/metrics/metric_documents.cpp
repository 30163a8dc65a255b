#include "runtime/metrics/metric_documents.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/base/wrapped_text.hpp"

namespace hypermesh::metrics {

namespace {

using json = nlohmann::ordered_json;
using base::wrapped_text;

std::string_view word_of(metric_kind kind) {
  switch (kind) {
    case metric_kind::counter:
      return "counter";
    case metric_kind::gauge:
      return "gauge";
    case metric_kind::histogram:
      return "histogram";
  }
  return "";
}

std::string labels_text(const metric_row& row) {
  std::string text;
  for (const auto labels : row.labels) {
    if (labels != label_set::none) text += fmt::format("{}`{}`", text.empty() ? "" : ", ", name_of(labels));
  }
  return text;
}

constexpr std::string_view reference_head = R"(# Metrics

Every metric that a node reports at `/metrics`, and every alert. This file is generated from
`metrics/metric_table.cpp` and `metrics/alert_table.cpp`, which also drive the values, the dashboard
and the alert rules:

```
hypermesh metrics print-reference > runtime/METRICS.md
hypermesh metrics print-dashboard > tools/observability/dashboard.json
hypermesh metrics print-alerts > tools/observability/alerts.yml
```

Units are base units. A counter starts at 0 with the process. Every label has a bounded set of
values, so nobody can make a node report more series.
)";

std::string group_reference(metric_group group) {
  auto text = fmt::format("\n## {}\n\n| metric | type | unit | labels |\n|---|---|---|---|\n", title_of(group));
  std::string sentences;
  for (const auto& row : metric_table()) {
    if (row.group != group) continue;
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.name, word_of(row.kind), row.unit, labels_text(row));
    sentences += wrapped_text(fmt::format("`{}`: {}", row.name, row.help), "- ", "  ");
  }
  return text + "\n" + sentences;
}

/// The sets of labels in the order of their first use. Two sets may have one name, so the metric is named too.
std::string labels_reference() {
  std::string text = "\n## Labels\n\n";
  for (const auto& row : metric_table()) {
    for (const auto labels : row.labels) {
      if (labels == label_set::none) continue;
      text += wrapped_text(fmt::format("`{}` of `{}`: {}", name_of(labels), row.name, values_text(labels)), "- ", "  ");
    }
  }
  return text;
}

std::string hold_text(std::chrono::seconds hold) {
  return hold.count() % 60 == 0 && hold.count() > 0 ? fmt::format("{}m", hold.count() / 60)
                                                    : fmt::format("{}s", hold.count());
}

std::string alerts_reference() {
  std::string text = "\n## Alerts\n\n| alert | severity | holds for |\n|---|---|---|\n";
  std::string sentences;
  for (const auto& row : alert_table()) {
    text += fmt::format("| `{}` | {} | {} |\n", row.name, row.severity, hold_text(row.hold));
    sentences += wrapped_text(fmt::format("`{}`: {}", row.name, row.remedy), "- ", "  ");
  }
  return text + "\n" + sentences;
}

// --- The dashboard -----------------------------------------------------------------

/// "instance" and the labels of the metric, for a sum.
std::string grouping_of(const metric_row& row) {
  std::string text = "instance";
  for (const auto labels : row.labels) {
    if (labels != label_set::none) text += fmt::format(", {}", name_of(labels));
  }
  return text;
}

std::string legend_of(const metric_row& row) {
  std::string text = "{{instance}}";
  for (const auto labels : row.labels) {
    if (labels != label_set::none) text += fmt::format(" {{{{{}}}}}", name_of(labels));
  }
  return text;
}

json target_of(std::string expression, std::string legend, char name) {
  return {{"refId", std::string{name}}, {"expr", std::move(expression)}, {"legendFormat", std::move(legend)}};
}

json targets_of(const metric_row& row) {
  const auto selector = R"({job="hypermesh", instance=~"$instance"})";
  if (row.kind == metric_kind::gauge) return {target_of(fmt::format("{}{}", row.name, selector), legend_of(row), 'A')};
  if (row.kind == metric_kind::counter) {
    return {target_of(fmt::format("sum by ({}) (rate({}{}[$__rate_interval]))", grouping_of(row), row.name, selector),
                      legend_of(row), 'A')};
  }
  json targets = json::array();
  for (const auto& [quantile, name] : {std::pair{"0.5", 'A'}, std::pair{"0.99", 'B'}}) {
    targets.push_back(
        target_of(fmt::format("histogram_quantile({}, sum by ({}, le) (rate({}_bucket{}[$__rate_interval])))", quantile,
                              grouping_of(row), row.name, selector),
                  fmt::format("{} p{}", legend_of(row), quantile), name));
  }
  return targets;
}

std::string_view grafana_unit_of(const metric_row& row) {
  const bool is_rate = row.kind == metric_kind::counter;
  if (row.unit == "seconds") return is_rate ? "percentunit" : "s";
  if (row.unit == "bytes") return is_rate ? "Bps" : "bytes";
  return is_rate ? "cps" : "short";
}

constexpr int panel_width = 8;
constexpr int panel_height = 7;
constexpr int columns = 24 / panel_width;

json panel_of(const metric_row& row, int id, int column, int top) {
  return {{"id", id},
          {"type", "timeseries"},
          {"title", row.name},
          {"description", row.help},
          {"datasource", {{"type", "prometheus"}, {"uid", "${datasource}"}}},
          {"gridPos", {{"x", column * panel_width}, {"y", top}, {"w", panel_width}, {"h", panel_height}}},
          {"fieldConfig", {{"defaults", {{"unit", grafana_unit_of(row)}}}, {"overrides", json::array()}}},
          {"targets", targets_of(row)}};
}

json panels_of_groups() {
  json panels = json::array();
  int id = 0;
  int top = 0;
  for (unsigned number = 0; number <= static_cast<unsigned>(metric_group_last); ++number) {
    const auto group = static_cast<metric_group>(number);
    panels.push_back({{"id", ++id},
                      {"type", "row"},
                      {"title", title_of(group)},
                      {"collapsed", false},
                      {"gridPos", {{"x", 0}, {"y", top++}, {"w", 24}, {"h", 1}}},
                      {"panels", json::array()}});
    int column = 0;
    for (const auto& row : metric_table()) {
      if (row.group != group) continue;
      panels.push_back(panel_of(row, ++id, column, top));
      if (++column < columns) continue;
      column = 0;
      top += panel_height;
    }
    if (column > 0) top += panel_height;
  }
  return panels;
}

/// A text as a YAML scalar in single quotes, in which only the quote itself has a meaning.
std::string yaml_text(std::string_view text) {
  std::string out = "'";
  for (const char letter : text) {
    if (letter == '\'') out += '\'';
    out += letter;
  }
  return out + "'";
}

}  // namespace

std::string metrics_reference_text() {
  std::string text{reference_head};
  for (unsigned number = 0; number <= static_cast<unsigned>(metric_group_last); ++number)
    text += group_reference(static_cast<metric_group>(number));
  return text + labels_reference() + alerts_reference();
}

std::string dashboard_text() {
  const json variables = {{{"name", "datasource"}, {"type", "datasource"}, {"query", "prometheus"}},
                          {{"name", "instance"},
                           {"type", "query"},
                           {"datasource", {{"type", "prometheus"}, {"uid", "${datasource}"}}},
                           {"query", R"(label_values(hypermesh_view{job="hypermesh"}, instance))"},
                           {"includeAll", true},
                           {"multi", true},
                           {"current", {{"text", "All"}, {"value", "$__all"}}}}};
  const json dashboard = {{"title", "HyperMesh consensus"},
                          {"uid", "hypermesh-consensus"},
                          {"schemaVersion", 38},
                          {"refresh", "10s"},
                          {"time", {{"from", "now-1h"}, {"to", "now"}}},
                          {"templating", {{"list", variables}}},
                          {"panels", panels_of_groups()}};
  return dashboard.dump(1) + "\n";
}

namespace {

/// The expression, with the time of earlier values that the hold asks for.
std::string expression_text(const alert_row& row, alert_hold hold) {
  std::string text{row.expression};
  const auto at = text.find(earlier);
  if (hold == alert_hold::none && at != std::string::npos) text.replace(at, earlier.size(), "offset 2s");
  return text;
}

}  // namespace

std::string alert_rules_text(alert_hold hold) {
  std::string text =
      "# Alert rules for Prometheus, generated from runtime/metrics/alert_table.cpp:\n"
      "#   hypermesh metrics print-alerts > tools/observability/alerts.yml\n"
      "groups:\n"
      "  - name: hypermesh\n"
      "    rules:\n";
  for (const auto& row : alert_table()) {
    const auto waits = hold == alert_hold::usual ? row.hold : std::chrono::seconds{0};
    text += fmt::format("      - alert: {}\n        expr: {}\n        for: {}\n", row.name,
                        yaml_text(expression_text(row, hold)), hold_text(waits));
    text += fmt::format("        labels:\n          severity: {}\n        annotations:\n          summary: {}\n",
                        row.severity, yaml_text(row.summary));
    text += fmt::format("          description: {}\n", yaml_text(row.remedy));
  }
  return text;
}

}  // namespace hypermesh::metrics
