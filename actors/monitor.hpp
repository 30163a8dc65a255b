#pragma once

#include <functional>
#include <map>

#include "actors/interfaces.hpp"

namespace hypermesh::actors {

/// The counters and the progress in the report of a node. Pure. Memory: one counter for each rejection, for each
/// rejection by replica, and for each name that other parts of the node report.
class node_counters {
 public:
  void note(const observation& what);
  void set(std::string name, std::uint64_t value) { gauges_[std::move(name)] = value; }

  [[nodiscard]] node_report report(const node_identity& identity) const;

 private:
  struct noting;

  node_report progress_;
  std::map<std::string, std::uint64_t> counters_;
  std::map<std::string, std::uint64_t> gauges_;
};

/// Called on the monitor's thread when the node must stop.
using failure_handler = std::function<void(const world_error&)>;

/// Called on the monitor's thread with every observation.
using observation_handler = std::function<void(const observation&)>;

/// Counts observations and answers NODE-QUERY.
struct monitor_state {
  static inline const char* name = "monitor";

  node_identity identity;
  failure_handler on_failure;
  observation_handler on_observation;
  node_counters counters;
  std::shared_ptr<const node_actors> with;
};

monitor_actor::behavior_type monitor(monitor_actor::stateful_pointer<monitor_state> self, node_identity identity,
                                     failure_handler on_failure, observation_handler on_observation);

}  // namespace hypermesh::actors
