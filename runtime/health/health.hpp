#pragma once

#include <memory>
#include <set>

#include <caf/typed_actor.hpp>

#include "actors/interfaces.hpp"
#include "runtime/health/health_watch.hpp"

namespace hypermesh::health {

/// The time to ask again.
using health_actor = caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<tick>>;

/// Asks the monitor and the reputation tracker again and again, so that the watch knows when they last answered, and
/// gives the health to the monitor as counters, which clients read. At most one question is under way, so a node that
/// hangs gets no mailbox full of questions. Memory: 8 bytes for each replica.
struct health_state {
  static inline const char* name = "health";
  /// How often the actors are asked.
  static constexpr std::chrono::milliseconds period{500};
  /// How long an answer is awaited before the next question. An answer that comes later is lost, so this time is longer
  /// than a node under load needs.
  static constexpr std::chrono::seconds patience{6};

  std::shared_ptr<shared_health_watch> watch;
  bool keeps_disk = true;
  std::shared_ptr<const node_actors> with;
  bool is_asking = false;
  /// The replicas about which a counter was reported once.
  std::set<replica_id> shown;
};

health_actor::behavior_type health(health_actor::stateful_pointer<health_state> self,
                                   std::shared_ptr<shared_health_watch> watch, bool keeps_disk);

}  // namespace hypermesh::health
