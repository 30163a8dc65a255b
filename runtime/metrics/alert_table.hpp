#pragma once

#include <chrono>
#include <span>
#include <string_view>

#include "messages/layers.hpp"

namespace hypermesh::metrics {

/// One alert for an operator. The expressions assume that the scrape job is named "hypermesh" and that a Prometheus
/// scrapes the replicas of one cluster under this name. All views have static storage.
struct alert_row {
  std::string_view name;
  /// PromQL. Where a faulty replica could report a lie, the expression needs more than f replicas or the median.
  /// An `offset` is `earlier`.
  std::string_view expression;
  /// The time that the expression must hold before the alert fires.
  std::chrono::seconds hold{};
  /// "critical": clients or the fault tolerance are affected now. "warning": they will be.
  std::string_view severity;
  /// One line with the labels of the alert.
  std::string_view summary;
  /// What the operator should do.
  std::string_view remedy;
};

/// How expressions refer to an earlier value. It is longer than the interval at which a Prometheus reads.
inline constexpr std::string_view earlier = "offset 1m";

[[nodiscard]] std::span<const alert_row> alert_table();

}  // namespace hypermesh::metrics
