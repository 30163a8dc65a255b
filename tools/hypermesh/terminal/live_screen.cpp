#include "tools/hypermesh/terminal/live_screen.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "messages/require.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

/// Alternate screen, no cursor, no line wrap; and the way back.
constexpr std::string_view enter_codes = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J";
constexpr std::string_view leave_codes = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr char suspend_key = '\x1a';

/// What `leave_live_screen` needs. There is one terminal, so there is one such state.
struct taken_terminal {
  bool is_taken = false;
  bool has_keys = false;
  termios before{};
};
taken_terminal taken;

void write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    // A terminal that is gone is noticed by its hang-up signal.
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

/// The number of bytes of the code or character at the beginning of `text`.
std::size_t unit_bytes(std::string_view text) {
  if (text.front() == '\x1b') {
    const auto end = text.find('m');
    return end == std::string_view::npos ? text.size() : end + 1;
  }
  std::size_t bytes = 1;
  while (bytes < text.size() && (static_cast<unsigned char>(text[bytes]) & 0xc0U) == 0x80U)
    ++bytes;
  return bytes;
}

}  // namespace

std::string cut_line(std::string_view line, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  bool is_coloured = false;
  while (!line.empty()) {
    const auto unit = line.substr(0, unit_bytes(line));
    const bool is_code = unit.front() == '\x1b';
    if (!is_code && used == columns) break;
    if (is_code) is_coloured = unit != "\x1b[0m";
    used += is_code ? 0 : 1;
    out += unit;
    line.remove_prefix(unit.size());
  }
  return is_coloured ? out + "\x1b[0m" : out;
}

std::string frame_of(std::string_view text, const screen_size& size) {
  std::string out = "\x1b[H";
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (std::size_t row = 0; row < size.rows; ++row) {
    const auto end = std::min(text.find('\n'), text.size());
    out += (row == 0 ? "" : "\r\n") + cut_line(text.substr(0, end), size.columns) + "\x1b[K";
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
  return out + "\x1b[J";
}

bool live_screen::is_possible() {
  const auto* terminal = std::getenv("TERM");
  return is_terminal(STDOUT_FILENO) && terminal != nullptr && std::string_view{terminal} != "dumb" && *terminal != '\0';
}

live_screen::live_screen() {
  require(!taken.is_taken, "one command has the terminal");
  flush_output();
  reads_keys_ = is_terminal(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before_) == 0;
  taken = {true, reads_keys_, before_};
  enter();
}

live_screen::~live_screen() { leave_live_screen(); }

void leave_live_screen() {
  if (!taken.is_taken) return;
  taken.is_taken = false;
  write_all(leave_codes);
  if (taken.has_keys) tcsetattr(STDIN_FILENO, TCSANOW, &taken.before);
}

void live_screen::enter() const {
  if (reads_keys_) {
    auto raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  write_all(enter_codes);
}

screen_size live_screen::size() const {
  winsize size{};
  const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
  return is_known ? screen_size{size.ws_col, size.ws_row} : screen_size{};
}

void live_screen::show(std::string_view text) {
  drawn_ = size();
  write_all(frame_of(visible_report(text), drawn_));
}

void live_screen::suspend() {
  leave_live_screen();
  // The whole group stops, as if the terminal had sent the signal: a pager behind a pipe stops too.
  (void)kill(0, SIGTSTP);
  taken = {true, reads_keys_, before_};
  enter();
}

std::optional<char> live_screen::wait_for_key(std::chrono::milliseconds patience) {
  constexpr std::chrono::milliseconds slice_max{100};
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd keys{reads_keys_ ? STDIN_FILENO : -1, POLLIN, 0};
    const auto slice = std::clamp(left, std::chrono::milliseconds{0}, slice_max);
    const bool is_ready = poll(&keys, 1, static_cast<int>(slice.count())) > 0;
    char key = 0;
    if (is_ready && read(STDIN_FILENO, &key, 1) == 1) {
      if (key != suspend_key) return key;
      suspend();
      return std::nullopt;
    }
    // A terminal that hung up is ready for ever and gives nothing.
    if (is_ready) reads_keys_ = false;
    if (left.count() <= 0 || size() != drawn_) return std::nullopt;
  }
}

}  // namespace hypermesh::cli
