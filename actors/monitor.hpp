#pragma once

#include <functional>
#include <map>

#include "actors/interfaces.hpp"

namespace hypermesh {

/// What one node knows of itself. Pure. Memory: one counter for each reason, each replica's reasons, and each
/// name that the node's own parts report.
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

/// Tells the world that the node must stop; called on the monitor's thread.
using failure_handler = std::function<void(const world_error&)>;

/// Is shown every observation; called on the monitor's thread.
using observation_handler = std::function<void(const observation&)>;

/// Counts what is observed and answers NODE-QUERY.
struct monitor_state {
  static inline const char* name = "monitor";

  node_identity identity;
  failure_handler on_failure;
  observation_handler on_observation;
  node_counters counters;
  std::shared_ptr<const neighbours> with;
};

monitor_actor::behavior_type monitor(monitor_actor::stateful_pointer<monitor_state> self, node_identity identity,
                                     failure_handler on_failure, observation_handler on_observation);

}  // namespace hypermesh
