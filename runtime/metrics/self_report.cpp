#include "runtime/metrics/self_report.hpp"

#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/clock.hpp"

namespace hypermesh::metrics {

namespace {

std::uint64_t events_in(const metric_cell& cell) {
  return std::accumulate(cell.counts.begin(), cell.counts.end(), std::uint64_t{0});
}

std::uint64_t microseconds_in(const metric_cell& cell) {
  return static_cast<std::uint64_t>(std::llround(cell.sum * 1e6));
}

}  // namespace

std::vector<named_counter> self_report_counters(const metric_values& values, const host_facts& process, moment now) {
  std::vector<named_counter> counters;
  const auto add = [&counters](std::string name, std::uint64_t value) { counters.push_back({std::move(name), value}); };
  add("self_report_at_us", static_cast<std::uint64_t>(now.time_since_epoch().count()));
  if (process.processor_time) {
    add("process_cpu_us_total", static_cast<std::uint64_t>(process.processor_time->count()));
  }
  if (process.resident_bytes) add("process_resident_bytes", *process.resident_bytes);
  for (std::size_t index = 0; index <= static_cast<std::size_t>(phase_last); ++index) {
    const auto& cell = values.at(metric::phase_seconds, index);
    const auto name = value_of(label_set::phase, index);
    add(fmt::format("phase_batches_total{{phase=\"{}\"}}", name), events_in(cell));
    add(fmt::format("phase_us_total{{phase=\"{}\"}}", name), microseconds_in(cell));
  }
  const auto& writes = values.at(metric::storage_write_seconds);
  add("storage_writes_total", events_in(writes));
  add("storage_write_us_total", microseconds_in(writes));
  return counters;
}

self_report_actor::behavior_type self_report(self_report_actor::stateful_pointer<self_report_state> self,
                                             std::shared_ptr<const metric_hub> hub) {
  self->state.hub = std::move(hub);
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        self->send(self, tick{});
      },
      [self](const tick&) {
        self->delayed_send(self, self_report_state::period, tick{});
        auto counters = self_report_counters(self->state.hub->values(), read_process_facts(), now_of(self));
        self->send(self->state.with->monitor,
                   counters_reported{std::make_shared<const std::vector<named_counter>>(std::move(counters))});
      },
  };
}

}  // namespace hypermesh::metrics
