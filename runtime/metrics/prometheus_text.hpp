#pragma once

#include <string>

#include "runtime/metrics/metric_values.hpp"

namespace hypermesh::metrics {

/// The text that `/metrics` answers, in the text format of Prometheus (version 0.0.4), written by prometheus-cpp.
/// Counters and histograms have all their labels from the start; a gauge appears when its value is known.
[[nodiscard]] std::string prometheus_text(const metric_values& values);

/// The value of the header Content-Type for this text.
inline constexpr std::string_view prometheus_content_type = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace hypermesh::metrics
