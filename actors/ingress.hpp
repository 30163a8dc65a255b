#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/validator.hpp"

namespace hypermesh {

/// The only way into a node: decodes frames and checks membership, signatures and digests, so that
/// nothing unverified reaches a core (R9, R11). Owns no protocol state. Memory: what the links' inbound
/// windows let in.
struct ingress_state {
  static inline const char* name = "ingress";

  node_identity identity;
  std::shared_ptr<const validator> checks;
  std::shared_ptr<const neighbours> with;
  progress_made progress;

  /// The message of a frame, or why it is not taken.
  [[nodiscard]] std::variant<message, rejection> examine(const incoming_frame& frame) const;
};

ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity);

}  // namespace hypermesh
