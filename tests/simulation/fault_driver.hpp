#pragma once

#include <functional>
#include <vector>

#include "tests/simulation/planned_fault.hpp"

namespace hypermesh::testing {

/// Begins and ends the planned faults of a run in its world. The run owns the driver.
class fault_driver {
 public:
  using note_sink = std::function<void(std::string)>;

  /// Faults that begin at zero begin now, the others at their planned times. `world` must be new. The driver must live
  /// as long as the world makes steps. `note` is called at every change.
  fault_driver(simulated_world& world, const std::vector<planned_fault>& faults, note_sink note);
  fault_driver(const fault_driver&) = delete;
  fault_driver& operator=(const fault_driver&) = delete;

  /// The faults that are active now.
  [[nodiscard]] const std::vector<planned_fault>& active() const { return active_; }

 private:
  void begin(const planned_fault& fault);
  void end(const planned_fault& fault);
  /// Whether an equal fault of the plan is active already.
  [[nodiscard]] bool lasts(const fault_kind& kind) const;

  simulated_world& world_;
  note_sink note_;
  std::vector<planned_fault> active_;
};

}  // namespace hypermesh::testing
