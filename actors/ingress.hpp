#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/early_filter.hpp"
#include "actors/protocol/statement_watch.hpp"
#include "actors/protocol/validator.hpp"

namespace hypermesh {

/// The only way into a node: decodes frames and checks membership, signatures and digests, so that
/// nothing unverified reaches a core (R9, R11). Owns an `early_filter`, and the `statement_watch`, which compares what
/// replicas sign before anything is dropped (R12); no protocol state. Memory: what the links' inbound windows let in.
struct ingress_state {
  static inline const char* name = "ingress";

  node_identity identity;
  std::shared_ptr<const validator> checks;
  std::unique_ptr<early_filter> filter;
  costly_quota quota;
  frame_quota frames;
  client_pauses pauses;
  std::unique_ptr<statement_watch> watch;
  /// By the watch, in the frame that is examined.
  statement_watch::findings found;
  std::shared_ptr<const neighbours> with;

  /// The message of a frame, or why it is not taken.
  [[nodiscard]] std::variant<message, rejection> examine(const incoming_frame& frame, microseconds_t now);

 private:
  [[nodiscard]] std::optional<rejection> examine_content(principal sender, const message& value, microseconds_t now);
  void note(statement_watch::findings findings);
};

ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity);

}  // namespace hypermesh
