#pragma once

#include "actors/interfaces.hpp"
#include "actors/protocol/early_filter.hpp"
#include "actors/protocol/fair_queue.hpp"
#include "actors/protocol/sender_quotas.hpp"
#include "actors/protocol/statement_watch.hpp"
#include "actors/protocol/validator.hpp"

namespace hypermesh {

/// The only way into a node: decodes frames and checks membership, signatures and digests, so that
/// nothing unverified reaches a core (R9, R11). Owns an `early_filter`, and the `statement_watch`, which compares what
/// replicas sign before anything is dropped (R12); no protocol state. It looks at the frames of each sender in turn,
/// after it has taken all that came: else 16 MiB of one sender's would stand before everybody's votes for seconds
/// (attack 33). Memory: what the links' inbound windows let in.
struct ingress_state {
  static inline const char* name = "ingress";

  node_identity identity;
  std::shared_ptr<const validator> checks;
  std::unique_ptr<early_filter> filter;
  costly_quota quota;
  std::unique_ptr<check_quota> check_shares;
  frame_quota frames;
  client_pauses pauses;
  std::unique_ptr<statement_watch> watch;
  /// Messages that `checks` looked at.
  std::uint64_t checks_made = 0;
  /// By the watch, in the frame that is examined.
  statement_watch::findings found;
  /// Frames that were not looked at yet.
  fair_queue<incoming_frame> waiting;
  std::shared_ptr<const neighbours> with;

  /// The message of a frame, or why it is not taken.
  [[nodiscard]] std::variant<message, rejection> examine(const incoming_frame& frame, microseconds_t now);

 private:
  [[nodiscard]] std::optional<rejection> examine_content(principal sender, const message& value, microseconds_t now);
  [[nodiscard]] std::optional<rejection> look_through(principal sender, const message& value, microseconds_t now);
  void note(statement_watch::findings findings);
};

ingress_actor::behavior_type ingress(ingress_actor::stateful_pointer<ingress_state> self, node_identity identity);

}  // namespace hypermesh
