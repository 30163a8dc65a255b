#pragma once

#include <termios.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hypermesh::cli {

/// The size of a terminal in characters.
struct screen_size {
  std::size_t columns = 80;
  std::size_t rows = 24;

  friend bool operator==(const screen_size&, const screen_size&) = default;
};

/// The bytes that draw `text` over the last frame: the cursor goes to the first line, each line is cut to the width of
/// the screen and cleared behind its end, lines below the screen are left out, and the rest of the screen is cleared.
/// The screen is never cleared as a whole, so it does not flicker. The text may contain the codes of `text_style`.
/// Pure.
[[nodiscard]] std::string frame_of(std::string_view text, const screen_size& size);

/// The first `columns` characters of a line. Codes of `text_style` take no room, and colours end at the cut. Pure.
[[nodiscard]] std::string cut_line(std::string_view line, std::size_t columns);

/// A terminal that a command redraws in place, with single keys as input. The screen that the terminal showed before
/// comes back at the end, also if the process ends by an exception. Only one object may exist at a time.
class live_screen {
 public:
  /// Whether stdout is a terminal that can move its cursor.
  [[nodiscard]] static bool is_possible();

  /// Takes the terminal: alternate screen, no cursor, and keys without echo if stdin is a terminal too.
  live_screen();
  ~live_screen();
  live_screen(const live_screen&) = delete;
  live_screen& operator=(const live_screen&) = delete;

  [[nodiscard]] screen_size size() const;

  /// Draws one frame with a single write. Foreign characters that control a terminal are escaped.
  void show(std::string_view text);

  /// Waits for a key; nothing after `patience`, or earlier if the size of the terminal changed. Ctrl-C is the key
  /// '\x03', because the terminal sends no signal while keys are read. Ctrl-Z suspends the process within this call.
  [[nodiscard]] std::optional<char> wait_for_key(std::chrono::milliseconds patience);

 private:
  void enter() const;
  void suspend();

  bool reads_keys_ = false;
  termios before_{};
  screen_size drawn_;
};

/// Gives the terminal back if a live screen has it. For the end of a process without destructors. Safe in a handler of
/// `std::terminate`.
void leave_live_screen();

/// The key that a terminal sends for Ctrl-C.
inline constexpr char interrupt_key = '\x03';

}  // namespace hypermesh::cli
