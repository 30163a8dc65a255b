#include "tools/hypermesh-lab/progress_line.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::lab {

progress_line::progress_line(bool on_terminal_only)
    : on_terminal_(isatty(STDERR_FILENO) != 0), is_silent_(on_terminal_only && !on_terminal_), last_(clock::now()) {}

void progress_line::show(const std::function<std::string()>& text) {
  if (is_silent_) return;
  const auto now = clock::now();
  if (now - last_ < (on_terminal_ ? std::chrono::milliseconds{100} : std::chrono::seconds{5})) return;
  last_ = now;
  if (on_terminal_) {
    cli::draw(fmt::format("\r{}\x1b[K", text()));
  } else {
    cli::say(text());
  }
}

void progress_line::clear() const {
  if (on_terminal_) cli::draw("\r\x1b[K");
}

}  // namespace hypermesh::lab
