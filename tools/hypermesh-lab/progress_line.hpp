#pragma once

#include <chrono>
#include <functional>
#include <string>

namespace hypermesh::lab {

/// Shows the progress of a command on stderr: on a terminal one line that is overwritten, elsewhere a line every five
/// seconds, or nothing.
class progress_line {
 public:
  explicit progress_line(bool on_terminal_only);

  /// `text` is called only when the line is shown.
  void show(const std::function<std::string()>& text);
  void clear() const;

 private:
  using clock = std::chrono::steady_clock;

  bool on_terminal_;
  bool is_silent_;
  clock::time_point last_;
};

}  // namespace hypermesh::lab
