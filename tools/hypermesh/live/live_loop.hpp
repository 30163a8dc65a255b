#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "tools/hypermesh/terminal/exit_code.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/live_screen.hpp"

namespace hypermesh::cli {

/// When a command that repeats itself looks again, and when it ends.
struct live_options {
  double interval_seconds = 2;
  /// The command ends after this many rounds; 0: at an interruption only.
  std::uint64_t rounds = 0;

  [[nodiscard]] std::chrono::milliseconds interval() const {
    return std::chrono::milliseconds{static_cast<std::int64_t>(interval_seconds * 1'000)};
  }
};

/// The most rounds that an option can ask for.
inline constexpr int rounds_max = 1'000'000'000;

/// The parts of a live view. A function that is empty is not called.
struct live_view {
  /// Looks at the cluster. It stops early when its argument returns false.
  std::function<void(const std::function<bool()>&)> look;
  /// The page for a terminal of this size.
  std::function<std::string(const screen_size&)> page;
  /// Prints what a reader without a terminal gets after a round.
  std::function<void()> print_round;
  /// Handles a key that does not end the view.
  std::function<void(char)> on_key;
  /// Whether the view looks at the cluster. A view that does not, draws its last page again.
  std::function<bool()> is_running;
};

/// Runs a view until a key ('q', Ctrl-C), a signal, a failed write or the last round ends it. With a terminal, the
/// pages are redrawn in place, and at the end the last page stays on the screen. Returns `interrupted` after Ctrl-C or
/// a signal, nothing otherwise.
///
/// Construct it before the first thread, like `interruption`.
class live_loop {
 public:
  /// `uses_terminal` says that pages are drawn if stdout is a terminal.
  live_loop(const live_options& options, bool uses_terminal);

  [[nodiscard]] std::optional<exit_code> run(const live_view& view);

 private:
  enum class outcome { goes_on, quit, interrupted };

  /// Waits until the next round, or until something ends the view.
  [[nodiscard]] outcome wait(const live_view& view, std::chrono::steady_clock::time_point until);
  /// Handles the keys that arrive within `patience`.
  [[nodiscard]] outcome read_keys(const live_view& view, std::chrono::milliseconds patience);

  live_options options_;
  bool draws_;
  interruption interruption_;
  std::unique_ptr<live_screen> screen_;
};

}  // namespace hypermesh::cli
