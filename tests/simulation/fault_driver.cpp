#include "tests/simulation/fault_driver.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::testing {

fault_driver::fault_driver(simulated_world& world, const std::vector<planned_fault>& faults, note_sink note)
    : world_(world), note_(std::move(note)) {
  require(world.now() == moment{}, "the faults of a run are planned when it begins");
  for (const auto& each : faults) {
    if (each.begin == moment{}) {
      begin(each);
    } else {
      world_.plan(each.begin, [this, each] { begin(each); });
    }
    world_.plan(each.end, [this, each] { end(each); });
  }
}

bool fault_driver::lasts(const fault_kind& kind) const {
  return std::ranges::any_of(active_, [&](const planned_fault& each) { return each.what == kind; });
}

void fault_driver::begin(const planned_fault& fault) {
  const bool lasted = lasts(fault.what);
  active_.push_back(fault);
  note_("begins: " + text_of(fault));
  if (!lasted) begin_in(world_, fault.what);
  world_.network().set_faults(network_under(active_));
}

void fault_driver::end(const planned_fault& fault) {
  const auto place = std::ranges::find(active_, fault);
  require(place != active_.end(), "a fault that ends has begun");
  active_.erase(place);
  note_("ends: " + text_of(fault));
  if (!lasts(fault.what)) end_in(world_, fault.what);
  world_.network().set_faults(network_under(active_));
}

}  // namespace hypermesh::testing
