#include "tools/hypermesh/terminal/narrator.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"

namespace hypermesh::cli {

console_narrator::console_narrator(bool quiet) : quiet_(quiet), style_(text_style::of(STDERR_FILENO)) {}

void console_narrator::step(const std::string& what, double seconds) {
  if (quiet_) return;
  bar_.reset();
  say_styled(fmt::format("{} {}  {}", style_.bold(fmt::format("{:3}", ++steps_)), visible_text(what),
                         style_.dim(short_duration(seconds))));
}

void console_narrator::progress(std::size_t answered, std::size_t total) {
  if (quiet_) return;
  if (!bar_) bar_.emplace(total);
  bar_->show(answered);
}

}  // namespace hypermesh::cli
