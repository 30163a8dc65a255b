#pragma once

#include <chrono>
#include <memory>

#include "actors/interfaces.hpp"
#include "actors/protocol/recovery.hpp"
#include "actors/protocol/view_change_set.hpp"

namespace hypermesh {

/// The view-change coordinator: the mailbox of `view_change_set`, which it owns. Looks every `period` at how the
/// clients are served.
struct coordinator_state {
  static inline const char* name = "coordinator";

  /// `changes` signs with its keys.
  node_identity identity;
  std::chrono::microseconds period{};
  std::unique_ptr<view_change_set> changes;
  std::shared_ptr<const neighbours> with;
};

coordinator_actor::behavior_type coordinator(coordinator_actor::stateful_pointer<coordinator_state> self,
                                             node_identity identity, view_change_settings settings,
                                             std::chrono::microseconds period,
                                             std::shared_ptr<const recovered_replica> past);

}  // namespace hypermesh
