#include "runtime/metrics/metric_values.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::metrics {

metric_values::metric_values(std::uint32_t replicas) : replicas_(replicas) {
  for (const auto& row : metric_table()) {
    starts_.push_back(cells_.size());
    metric_cell fresh;
    if (row.kind == metric_kind::histogram) fresh.counts.resize(row.buckets.size() + 1);
    cells_.resize(cells_.size() + count_of(row.labels[0], replicas) * count_of(row.labels[1], replicas), fresh);
  }
}

std::size_t metric_values::index_of(metric id, std::size_t first, std::size_t second) const {
  const auto& row = row_of(id);
  const auto seconds = count_of(row.labels[1], replicas_);
  require(first < count_of(row.labels[0], replicas_) && second < seconds, "a label has a value of its set");
  return starts_[static_cast<std::size_t>(id)] + first * seconds + second;
}

void metric_values::add(metric id, double amount, std::size_t first, std::size_t second) {
  require(row_of(id).kind == metric_kind::counter && amount >= 0, "only counters are raised, and never lowered");
  auto& to = cell(id, first, second);
  to.value += amount;
  to.is_known = true;
}

void metric_values::set(metric id, double value, std::size_t first, std::size_t second) {
  require(row_of(id).kind != metric_kind::histogram, "a histogram has no single value");
  auto& to = cell(id, first, second);
  to.value = value;
  to.is_known = true;
}

void metric_values::observe(metric id, double value, std::size_t first) {
  const auto& row = row_of(id);
  require(row.kind == metric_kind::histogram, "only a histogram has buckets");
  auto& to = cell(id, first, 0);
  value = std::max(value, 0.0);
  const auto bucket = std::ranges::lower_bound(row.buckets, value) - row.buckets.begin();
  ++to.counts[static_cast<std::size_t>(bucket)];
  to.sum += value;
  to.is_known = true;
}

const metric_cell& metric_values::at(metric id, std::size_t first, std::size_t second) const {
  return cells_[index_of(id, first, second)];
}

bool metric_values::is_reported(metric id, std::size_t first, std::size_t second) const {
  const auto& row = row_of(id);
  if (!is_used(row.labels[0], first) || !is_used(row.labels[1], second)) return false;
  return row.kind != metric_kind::gauge || at(id, first, second).is_known;
}

}  // namespace hypermesh::metrics
