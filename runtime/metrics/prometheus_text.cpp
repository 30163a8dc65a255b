#include "runtime/metrics/prometheus_text.hpp"

#include <limits>
#include <vector>

#include <prometheus/collectable.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace hypermesh::metrics {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

MetricType type_of(metric_kind kind) {
  switch (kind) {
    case metric_kind::counter:
      return MetricType::Counter;
    case metric_kind::gauge:
      return MetricType::Gauge;
    case metric_kind::histogram:
      return MetricType::Histogram;
  }
  return MetricType::Untyped;
}

ClientMetric::Histogram histogram_of(const metric_row& row, const metric_cell& cell) {
  ClientMetric::Histogram out;
  out.sample_sum = cell.sum;
  for (std::size_t bucket = 0; bucket < cell.counts.size(); ++bucket) {
    out.sample_count += cell.counts[bucket];
    const bool is_last = bucket == row.buckets.size();
    const auto bound = is_last ? std::numeric_limits<double>::infinity() : row.buckets[bucket];
    out.bucket.push_back({out.sample_count, bound});
  }
  return out;
}

ClientMetric metric_of(const metric_row& row, const metric_cell& cell, std::size_t first, std::size_t second) {
  ClientMetric out;
  const std::array<std::size_t, 2> indices = {first, second};
  for (std::size_t at = 0; at < indices.size(); ++at) {
    if (row.labels[at] == label_set::none) continue;
    out.label.push_back({std::string{name_of(row.labels[at])}, value_of(row.labels[at], indices[at])});
  }
  if (row.kind == metric_kind::counter) out.counter.value = cell.value;
  if (row.kind == metric_kind::gauge) out.gauge.value = cell.value;
  if (row.kind == metric_kind::histogram) out.histogram = histogram_of(row, cell);
  return out;
}

/// The values as prometheus-cpp collects them. Its own counters cannot be set to a value that another part of the node
/// counts, so the table takes the place of its registry.
class table_collectable final : public prometheus::Collectable {
 public:
  explicit table_collectable(const metric_values& values) : values_(&values) {}

  [[nodiscard]] std::vector<MetricFamily> Collect() const override {
    std::vector<MetricFamily> families;
    for (const auto& row : metric_table()) {
      MetricFamily family{std::string{row.name}, std::string{row.help}, type_of(row.kind), {}};
      for (std::size_t first = 0; first < count_of(row.labels[0], values_->replicas()); ++first) {
        for (std::size_t second = 0; second < count_of(row.labels[1], values_->replicas()); ++second) {
          if (!values_->is_reported(row.id, first, second)) continue;
          family.metric.push_back(metric_of(row, values_->at(row.id, first, second), first, second));
        }
      }
      if (!family.metric.empty()) families.push_back(std::move(family));
    }
    return families;
  }

 private:
  const metric_values* values_;
};

}  // namespace

std::string prometheus_text(const metric_values& values) {
  return prometheus::TextSerializer{}.Serialize(table_collectable{values}.Collect());
}

}  // namespace hypermesh::metrics
