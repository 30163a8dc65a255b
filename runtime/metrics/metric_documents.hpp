#pragma once

#include <string>

#include "runtime/metrics/alert_table.hpp"
#include "runtime/metrics/metric_table.hpp"

/// The documents that are generated from the tables of metrics and alerts. Pure. `hypermesh metrics` prints them, and a
/// test compares them with the files of the repository.
namespace hypermesh::metrics {

/// `runtime/METRICS.md`: every metric and every alert.
[[nodiscard]] std::string metrics_reference_text();

/// `tools/observability/dashboard.json`: a dashboard for Grafana with a row for each group and a panel for each metric.
[[nodiscard]] std::string dashboard_text();

enum class alert_hold {
  /// The times of the table.
  usual,
  /// No alert waits, and an earlier value is two seconds old. For tests and trials.
  none,
};

/// `tools/observability/alerts.yml`: the rules for Prometheus.
[[nodiscard]] std::string alert_rules_text(alert_hold hold = alert_hold::usual);

}  // namespace hypermesh::metrics
