#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/protocol/guard/evidence_pool.hpp"
#include "actors/protocol/verification/validator.hpp"

namespace hypermesh::actors {

/// The mailbox around `evidence_pool`, which this actor owns. The pool submits evidence for ordering and counts
/// complaints.
struct fault_detector_state {
  static inline const char* name = "fault-detector";

  /// Must outlive `pool` and `checks`, which use its keys.
  node_identity identity;
  std::unique_ptr<evidence_pool> pool;
  /// Checks the frames that the host asks about with `validation_wanted`.
  std::unique_ptr<validator> checks;
  std::shared_ptr<const node_actors> with;
};

fault_detector_actor::behavior_type fault_detector(fault_detector_actor::stateful_pointer<fault_detector_state> self,
                                                   node_identity identity);

}  // namespace hypermesh::actors
