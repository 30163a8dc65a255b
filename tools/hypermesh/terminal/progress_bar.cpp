#include "tools/hypermesh/terminal/progress_bar.hpp"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

constexpr std::chrono::milliseconds redraw_interval{100};
constexpr std::chrono::milliseconds line_interval{2'000};
constexpr std::size_t cells_max = 32;
/// The columns before the bar, and a reserve. The reserve is needed because a wrapped line could not be removed.
constexpr std::size_t margin = 8;

/// The beginning of a text without colours that takes at most `columns` columns on a terminal.
std::string_view beginning_of(std::string_view text, std::size_t columns) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool begins_letter = (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80U;
    if (begins_letter && columns-- == 0) return text.substr(0, at);
  }
  return text;
}

}  // namespace

progress_bar::progress_bar(std::uint64_t total, progress_elsewhere elsewhere)
    : total_(std::max<std::uint64_t>(total, 1)),
      drawn_in_place_(is_terminal(STDERR_FILENO)),
      is_silent_(!drawn_in_place_ && elsewhere == progress_elsewhere::nothing),
      style_(text_style::of(STDERR_FILENO)),
      started_(clock::now()),
      next_(started_ + (drawn_in_place_ ? redraw_interval : line_interval)),
      last_(started_) {}

progress_bar::~progress_bar() { clear(); }

void progress_bar::show(std::uint64_t done, const remark& words) {
  const auto now = clock::now();
  if (is_silent_ || now < next_) return;
  next_ = now + (drawn_in_place_ ? redraw_interval : line_interval);
  const auto passed = std::chrono::duration<double>(now - last_).count();
  const auto latest = static_cast<double>(done - last_done_) / std::max(passed, 1e-3);
  // The rate is smoothed over about one second of redraws, so that the digits can be read.
  rate_ = rate_ == 0 || !drawn_in_place_ ? latest : 0.85 * rate_ + 0.15 * latest;
  last_ = now;
  last_done_ = done;
  const auto note = words ? "  " + words() : std::string{};
  if (!drawn_in_place_) {
    return say(fmt::format("     {:3.0f} %  {} of {}  {}/s{}",
                           100.0 * static_cast<double>(done) / static_cast<double>(total_), grouped(done),
                           grouped(total_), grouped(static_cast<std::uint64_t>(rate_)), note));
  }
  draw(fmt::format("\r\x1b[K{}", bar(done, note)));
  visible_ = true;
}

std::string progress_bar::bar(std::uint64_t done, const std::string& note) const {
  const auto part = static_cast<double>(std::min(done, total_)) / static_cast<double>(total_);
  const auto to_go = rate_ > 0 ? static_cast<double>(total_ - std::min(done, total_)) / rate_ : 0.0;
  const auto width = std::max(terminal_width(STDERR_FILENO), margin) - margin;
  const auto all = fmt::format(" {:3.0f} %  {} of {}  {}/s  {} to go{}", 100 * part, grouped(done), grouped(total_),
                               grouped(static_cast<std::uint64_t>(rate_)), short_duration(to_go), note);
  const auto words = beginning_of(all, width);
  const auto cells = std::min(cells_max, width - display_width(words));
  const auto full = static_cast<std::size_t>(part * static_cast<double>(cells));
  std::string filled;
  std::string empty;
  for (std::size_t cell = 0; cell < cells; ++cell)
    (cell < full ? filled : empty) += cell < full ? "█" : "░";
  return "     " + style_.good(filled) + style_.dim(empty) + std::string{words};
}

void progress_bar::clear() {
  if (!visible_) return;
  visible_ = false;
  draw("\r\x1b[K");
}

}  // namespace hypermesh::cli
