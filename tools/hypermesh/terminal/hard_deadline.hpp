#pragma once

#include "tools/hypermesh/terminal/exit_code.hpp"

namespace hypermesh::cli {

/// Ends a command that has --timeout even if the process itself hangs, for example because the system refuses threads
/// or a name server does not answer. A timer of the kernel then ends the process with a message. Construct this object
/// before anything that may hang, so that it is destroyed afterwards. Only one object may exist at a time.
class hard_deadline {
 public:
  /// Ends the process with exit code 3 some seconds after the time-out, because the command should have ended by then.
  explicit hard_deadline(double timeout_seconds);
  /// Stops the timer.
  ~hard_deadline();
  hard_deadline(const hard_deadline&) = delete;
  hard_deadline& operator=(const hard_deadline&) = delete;

  /// Call this when the command's result is known and printed. The command may take a little longer to close its links;
  /// if it takes too long, the process ends with `code`. Returns `code`.
  exit_code settle(exit_code code);
};

}  // namespace hypermesh::cli
