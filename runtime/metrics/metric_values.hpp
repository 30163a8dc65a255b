#pragma once

#include <vector>

#include "runtime/metrics/metric_table.hpp"

namespace hypermesh::metrics {

/// One labelled value of a metric, or one labelled histogram.
struct metric_cell {
  double value = 0;
  /// Whether the value is known. An unknown gauge is not reported, because 0 would be a claim.
  bool is_known = false;
  /// Of a histogram: the number of values in each bucket, the last one for +Inf, and the sum of all values.
  std::vector<std::uint64_t> counts = {};
  double sum = 0;
};

/// The values of all metrics of a node. Pure, and not thread-safe.
///
/// Memory: fixed by the table and the number of replicas; no input adds a label. With four replicas there are at most
/// 300 cells, with a hundred at most 1,000, of 48 bytes each and 8 bytes for each bucket. A test holds these bounds.
class metric_values {
 public:
  explicit metric_values(std::uint32_t replicas);

  /// Raises a counter.
  void add(metric id, double amount = 1, std::size_t first = 0, std::size_t second = 0);
  /// Sets a gauge, or a counter that another part of the node counts.
  void set(metric id, double value, std::size_t first = 0, std::size_t second = 0);
  /// Adds a value to a histogram. A negative value counts as 0.
  void observe(metric id, double value, std::size_t first = 0);

  /// The cell of these labels. An index beyond its set is a bug of the caller.
  [[nodiscard]] const metric_cell& at(metric id, std::size_t first = 0, std::size_t second = 0) const;
  /// Whether the cell is reported: a counter or histogram always, so that its first increase is visible, and a gauge
  /// once it is known.
  [[nodiscard]] bool is_reported(metric id, std::size_t first, std::size_t second) const;

  [[nodiscard]] std::uint32_t replicas() const { return replicas_; }

 private:
  [[nodiscard]] std::size_t index_of(metric id, std::size_t first, std::size_t second) const;
  [[nodiscard]] metric_cell& cell(metric id, std::size_t first, std::size_t second) {
    return cells_[index_of(id, first, second)];
  }

  std::uint32_t replicas_;
  /// The index of the first cell of each metric.
  std::vector<std::size_t> starts_;
  std::vector<metric_cell> cells_;
};

}  // namespace hypermesh::metrics
