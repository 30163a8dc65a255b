#pragma once

#include <chrono>

#include "actors/interfaces.hpp"
#include "actors/protocol/fault_docket.hpp"

namespace hypermesh {

/// The mailbox of `fault_docket`, which it owns: has proofs ordered and complaints counted.
struct fault_detector_state {
  static inline const char* name = "fault-detector";

  /// `docket` signs with its keys.
  node_identity identity;
  std::unique_ptr<fault_docket> docket;
  std::shared_ptr<const neighbours> with;
};

fault_detector_actor::behavior_type fault_detector(fault_detector_actor::stateful_pointer<fault_detector_state> self,
                                                   node_identity identity);

}  // namespace hypermesh
