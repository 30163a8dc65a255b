#pragma once

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// The time-outs of a backup. Only liveness depends on these numbers.
struct view_change_settings {
  /// A backup suspects the primary if a request waits this long and no batch is executed meanwhile (§4.4).
  microseconds_t request_us = 1'000'000;
  /// The same while the link to the primary is closed. It is shorter, because a process that ended has closed its
  /// links, and not zero, because a link may also close while its primary is correct.
  microseconds_t closed_link_us = 100'000;
  /// The time that the primary of a new view has for its NEW-VIEW once a quorum has left for that view.
  microseconds_t new_view_us = 500'000;
  /// Each view change that follows closely on another one doubles all of these times, at most this many times. The
  /// largest time-out, 2⁶ · 1 s = 64 s, is longer than a failure of a data centre's network should last.
  unsigned doublings_max = 6;
};

}  // namespace hypermesh::protocol
