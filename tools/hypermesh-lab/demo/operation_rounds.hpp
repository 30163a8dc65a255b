#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "tools/hypermesh/load/workload.hpp"

namespace hypermesh::lab {

/// The operations of a GPU cluster's history without an end. After the last event, all tasks that still run are ended,
/// and the tasks arrive again under other names ("-2", "-3", …), at the machines that are there already. Pure. Memory:
/// the history, and the events of one round.
class operation_rounds {
 public:
  explicit operation_rounds(cli::workload history);

  [[nodiscard]] const byte_vector& next();
  /// The round of the operation that `next` returned last, from 1.
  [[nodiscard]] std::size_t round() const { return round_; }

 private:
  void begin_round();
  /// Notes which tasks still run after the last event of this round.
  void note_running();

  cli::workload history_;
  std::vector<cli::trace_event> events_;
  /// Places of tasks in the history.
  std::set<std::uint32_t> running_;
  std::size_t position_ = 0;
  std::size_t round_ = 1;
};

}  // namespace hypermesh::lab
