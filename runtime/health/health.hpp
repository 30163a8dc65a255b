#pragma once

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/typed_actor.hpp>

#include "actors/interfaces.hpp"
#include "runtime/health/health_report.hpp"
#include "runtime/health/health_watch.hpp"

namespace hypermesh::health {

/// Asks for the health of the node and of its group, as the node sees it (host to health).
struct health_wanted {};

/// Answers `health_wanted`, and reports the health to the monitor as counters.
using health_actor = caf::typed_actor<caf::reacts_to<wired>, caf::replies_to<health_wanted>::with<health_report>,
                                      // The time to report counters.
                                      caf::reacts_to<tick>>;

/// An answer waits until the monitor and the executor have answered, so it proves that they work. Memory: that of
/// `health_watch`, 8 bytes for each replica, and one promise for each `health_wanted` under way.
struct health_state {
  static inline const char* name = "health";
  /// How often the counters are reported.
  static constexpr std::chrono::milliseconds period{500};
  /// The node is not live if an actor does not answer within this time. It is longer than the time that the monitor
  /// waits for the executor.
  static constexpr std::chrono::seconds patience{6};

  std::shared_ptr<const shared_health_watch> watch;
  bool keeps_disk = true;
  std::shared_ptr<const node_actors> with;
  /// The end of the quarantine by replica number; nothing if the replica is not in quarantine.
  std::vector<std::optional<sequence_number>> quarantined;
  /// The replicas about which a counter was reported once.
  std::set<replica_id> shown;
};

health_actor::behavior_type health(health_actor::stateful_pointer<health_state> self,
                                   std::shared_ptr<const shared_health_watch> watch, bool keeps_disk);

}  // namespace hypermesh::health

#define HYPERMESH_HEALTH_MESSAGES(add, block) add(block, health::health_wanted) add(block, health::health_report)

// The ids of host_actors begin at 500 above the first id and may grow up to 599.
HYPERMESH_REGISTER_MESSAGES(hypermesh_health, first_custom_type_id + 600, HYPERMESH_HEALTH_MESSAGES)
static_assert(caf::id_block::hypermesh::end <= caf::id_block::hypermesh_health::begin);
