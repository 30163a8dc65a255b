#pragma once

#include <functional>
#include <optional>
#include <string>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"

namespace hypermesh::testing {

/// Checks the times of the order (I19). The times are part of `committed_order`, which computes the ordered time a
/// second time. Pure.
class proposed_times {
 public:
  /// The latest time that the wall clocks of the correct replicas have shown.
  using latest_reading = std::function<wall_time()>;

  explicit proposed_times(const cluster_parameters& cluster) : skew_max_(cluster.clock_skew_max) {}

  void set_latest_reading(latest_reading read) { latest_reading_ = std::move(read); }

  /// Describes the violation if the time of a committed batch is further ahead than the clock of every correct replica
  /// allows.
  [[nodiscard]] std::optional<std::string> wrong_proposal(const committed_batch& committed) const;
  /// Describes the violation if a batch was executed with another ordered time than the order gives.
  [[nodiscard]] static std::optional<std::string> wrong_execution(sequence_number sequence, wall_time expected,
                                                                  wall_time executed);

 private:
  duration skew_max_;
  latest_reading latest_reading_;
};

}  // namespace hypermesh::testing
