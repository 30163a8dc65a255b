#pragma once

#include "messages/types.hpp"

namespace hypermesh {

/// How patient a backup is. Only liveness rests on these numbers.
struct view_change_settings {
  /// A request that waits this long without any execution makes the primary suspect (§4.4).
  microseconds_t request_us = 1'000'000;
  /// The same when the link to the primary is closed: shorter, because a process that is gone closes its links, and not
  /// zero, because a link may close under a correct primary.
  microseconds_t closed_link_us = 100'000;
  /// How long the primary of a new view has for its NEW-VIEW once a quorum asks for the view.
  microseconds_t new_view_us = 500'000;
  /// Every view change that follows closely on another doubles all of these, so many times at most: 64 times a second
  /// is longer than any network of a data centre is out of order.
  unsigned doublings_max = 6;
};

}  // namespace hypermesh
