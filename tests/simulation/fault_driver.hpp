#pragma once

#include <functional>
#include <vector>

#include "tests/simulation/planned_fault.hpp"

namespace hypermesh::testing {

/// Makes the planned faults of a run begin and end in its world. Owned by the run.
class fault_driver {
 public:
  using note_sink = std::function<void(std::string)>;

  /// Faults that begin at zero begin now, the others when their time comes. `world` is new; the driver lives as long as
  /// the world makes steps. `note` learns of every change.
  fault_driver(simulated_world& world, const std::vector<planned_fault>& faults, note_sink note);
  fault_driver(const fault_driver&) = delete;
  fault_driver& operator=(const fault_driver&) = delete;

  /// The fault that begins now.
  [[nodiscard]] const std::vector<planned_fault>& active() const { return active_; }

 private:
  void begin(const planned_fault& fault);
  void end(const planned_fault& fault);
  /// Whether the same goes wrong already, by another fault of the plan.
  [[nodiscard]] bool lasts(const fault_kind& kind) const;

  simulated_world& world_;
  note_sink note_;
  std::vector<planned_fault> active_;
};

}  // namespace hypermesh::testing
