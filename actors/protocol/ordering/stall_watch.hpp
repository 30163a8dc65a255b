#pragma once

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// Detects whether a replica makes progress between two ticks, and counts how long it has waited for a state without
/// progress. Pure.
class stall_watch {
 public:
  /// The status period has passed. True if nothing was executed or decided since the last tick.
  bool on_tick(sequence_number executed, sequence_number decided) {
    const bool stalled = executed == executed_ && decided == decided_;
    executed_ = executed;
    decided_ = decided;
    return stalled;
  }

  /// The replica made no progress since the last tick and lacks a certified state. Returns the number of such ticks.
  unsigned count_wait() { return ++ticks_waited_; }
  /// h moved, so the wait for a state is over.
  void end_wait() { ticks_waited_ = 0; }

 private:
  /// The numbers at the last tick.
  sequence_number executed_;
  sequence_number decided_;
  unsigned ticks_waited_ = 0;
};

}  // namespace hypermesh::protocol
