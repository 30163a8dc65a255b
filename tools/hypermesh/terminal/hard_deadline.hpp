#pragma once

#include "tools/hypermesh/terminal/exit_code.hpp"

namespace hypermesh::cli {

/// Ends a command that has --timeout even if the process itself hangs, for example because the system refuses it
/// threads or a name server does not answer. A timer of the kernel then ends the process with a message. Construct it
/// before anything that may hang, so that it is destroyed after that. One at a time.
class hard_deadline {
 public:
  /// Ends the process with exit code 3 some seconds after the time-out, at which the command should have ended itself.
  explicit hard_deadline(double timeout_seconds);
  /// Stops the timer.
  ~hard_deadline();
  hard_deadline(const hard_deadline&) = delete;
  hard_deadline& operator=(const hard_deadline&) = delete;

  /// Call it when the command's result is known and printed. The rest, closing its links, may take a little longer;
  /// after that the process ends with `code`. Returns `code`.
  exit_code settle(exit_code code);
};

}  // namespace hypermesh::cli
