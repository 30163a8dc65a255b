#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_actor.hpp>

#include "actors/interfaces.hpp"
#include "runtime/metrics/metric_hub.hpp"

namespace hypermesh::metrics {

/// The facts of a node that its report to clients carries besides the counters of the protocol: processor time and
/// memory of the process, the time that batches spent in each phase, and the time of writes to the disk. Clients take
/// the difference of two reports, so every time is a total in microseconds beside the number of its events. `now` is
/// the time of the facts on the node's own clock.
///
/// The number of counters is fixed, at most 15, and their names are short enough for a report (`messages/limits.hpp`).
/// A fact that the system does not tell is left out. Pure.
[[nodiscard]] std::vector<named_counter> self_report_counters(const metric_values& values, const host_facts& process,
                                                              moment now);

/// Reports the facts to the monitor of the node.
using self_report_actor = caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<tick>>;

/// Memory: a copy of the values (some 50 KiB) while a report is made.
struct self_report_state {
  static inline const char* name = "self-report";
  /// A client that asks twice within this time sees the same numbers.
  static constexpr std::chrono::milliseconds period{500};

  std::shared_ptr<const metric_hub> hub;
  std::shared_ptr<const node_actors> with;
};

self_report_actor::behavior_type self_report(self_report_actor::stateful_pointer<self_report_state> self,
                                             std::shared_ptr<const metric_hub> hub);

}  // namespace hypermesh::metrics
