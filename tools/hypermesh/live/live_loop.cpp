#include "tools/hypermesh/live/live_loop.hpp"

#include <algorithm>

#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;

std::chrono::milliseconds time_until(clock::time_point moment) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(moment - clock::now());
}

}  // namespace

live_loop::live_loop(const live_options& options, bool uses_terminal)
    : options_(options), draws_(uses_terminal && live_screen::is_possible()) {}

live_loop::outcome live_loop::read_keys(const live_view& view, std::chrono::milliseconds patience) {
  const auto key = screen_->wait_for_key(patience);
  if (!key) return outcome::goes_on;
  if (*key == interrupt_key) return outcome::interrupted;
  if (*key == 'q' || *key == 'Q') return outcome::quit;
  if (view.on_key) view.on_key(*key);
  return outcome::goes_on;
}

live_loop::outcome live_loop::wait(const live_view& view, clock::time_point until) {
  constexpr std::chrono::milliseconds slice_max{500};
  do {
    const auto slice = std::clamp(time_until(until), std::chrono::milliseconds{0}, slice_max);
    if (!screen_) {
      if (interruption_.wait(slice)) return outcome::interrupted;
      continue;
    }
    const auto now = read_keys(view, slice);
    if (now != outcome::goes_on) return now;
    if (interruption_.requested()) return outcome::interrupted;
    // A key or a new size changes the page.
    screen_->show(view.page(screen_->size()));
  } while (clock::now() < until || (view.is_running && !view.is_running()));
  return outcome::goes_on;
}

std::optional<exit_code> live_loop::run(const live_view& view) {
  if (draws_) screen_ = std::make_unique<live_screen>();
  if (screen_) screen_->show(view.page(screen_->size()));
  auto last = outcome::goes_on;
  const auto keep_on = [&] {
    if (last == outcome::goes_on && screen_) last = read_keys(view, std::chrono::milliseconds{0});
    if (last == outcome::goes_on && interruption_.requested()) last = outcome::interrupted;
    return last == outcome::goes_on;
  };
  for (std::uint64_t round = 1; last == outcome::goes_on; ++round) {
    const auto next = clock::now() + options_.interval();
    view.look(keep_on);
    if (last != outcome::goes_on) break;
    if (screen_) {
      screen_->show(view.page(screen_->size()));
    } else {
      view.print_round();
      // The reader of a pipe is gone. `finish_output` reports it.
      if (!flush_output()) break;
    }
    if (round == options_.rounds) break;
    last = wait(view, next);
  }
  if (screen_) {
    const auto size = screen_->size();
    screen_.reset();
    print_report(view.page({size.columns, 10'000}));
  }
  return last == outcome::interrupted ? std::optional{exit_code::interrupted} : std::nullopt;
}

}  // namespace hypermesh::cli
