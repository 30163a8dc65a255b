#pragma once

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// The time-outs of a backup. Only liveness depends on these numbers.
struct view_change_settings {
  /// A backup suspects the primary if a request waits this long and no batch is executed meanwhile (§4.4).
  duration request_timeout = 1s;
  /// The same time while the link to the primary is closed. It is shorter, because a process that has ended also closes
  /// its links. It is not zero, because the link to a correct primary may close too: in this time a node dials twice
  /// (`link_settings::redial_delay_min`). A closed link is a hint and no proof. The view ends only if f + 1 replicas
  /// have such a hint, so the links of f replicas alone cannot end it.
  duration closed_link_timeout = 40ms;
  /// The time that the primary of a new view has for its NEW-VIEW once a quorum has left for that view.
  duration new_view_timeout = 500ms;
  /// Each view change that follows closely on another one doubles all of these times, at most this many times. The
  /// largest time-out, 2⁶ · 1 s = 64 s, is longer than a failure of a data centre's network should last.
  unsigned doublings_max = 6;
};

}  // namespace hypermesh::protocol
