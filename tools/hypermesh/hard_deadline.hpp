#pragma once

#include "tools/hypermesh/command.hpp"

namespace hypermesh::cli {

/// The end of a command that has --timeout, whatever happens: where the process itself hangs, as when the system
/// refuses it threads or a name server does not answer, a timer of the kernel ends it with a message. To be constructed
/// before what may hang, and so destroyed after it. One at a time.
class hard_deadline {
 public:
  /// Ends the process with exit code 3 some seconds after the time-out, at which the command should have ended itself.
  explicit hard_deadline(double timeout_seconds);
  /// Turns the timer off.
  ~hard_deadline();
  hard_deadline(const hard_deadline&) = delete;
  hard_deadline& operator=(const hard_deadline&) = delete;

  /// The command's result is known and printed: what is left, closing its links, may take a little longer, and then the
  /// process ends with `code`. Returns `code`.
  exit_code settle(exit_code code);
};

}  // namespace hypermesh::cli
