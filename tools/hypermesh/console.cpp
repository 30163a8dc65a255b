#include "tools/hypermesh/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

bool is_set(const char* variable) {
  const auto* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

}  // namespace

bool is_terminal(int descriptor) { return isatty(descriptor) == 1; }

std::size_t terminal_width(int descriptor) {
  winsize size{};
  const bool known = ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

text_style text_style::of(int descriptor) {
  const auto* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view{terminal} == "dumb";
  return text_style{is_terminal(descriptor) && !is_set("NO_COLOR") && !dumb};
}

std::string text_style::wrapped(std::string_view code, std::string_view text) const {
  return on_ ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string{text};
}

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  bool in_escape = false;
  for (const auto letter : text) {
    if (in_escape) {
      in_escape = letter != 'm';
    } else if (letter == '\x1b') {
      in_escape = true;
    } else if ((static_cast<unsigned char>(letter) & 0xc0U) != 0x80U) {
      ++columns;
    }
  }
  return columns;
}

void say(std::string_view line) { fmt::print(stderr, "{}\n", line); }

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

exit_code report_error(const world_error& error, exit_code code) {
  const auto style = text_style::of(STDERR_FILENO);
  std::fflush(stdout);
  say(fmt::format("{} {}", style.bad("error:"), error.what));
  if (!error.remedy.empty()) say(fmt::format("{} {}", style.dim("  do:"), error.remedy));
  return code;
}

exit_code exit_code_of(const world_error& error) {
  return error.origin == fault_origin::configuration ? exit_code::usage : exit_code::failed;
}

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), 1, ',');
  }
  return text;
}

std::string short_duration(double seconds) {
  if (seconds < 0.001) return fmt::format("{:.0f} µs", seconds * 1e6);
  if (seconds < 0.1) return fmt::format("{:.1f} ms", seconds * 1e3);
  if (seconds < 1) return fmt::format("{:.0f} ms", seconds * 1e3);
  if (seconds < 100) return fmt::format("{:.1f} s", seconds);
  return fmt::format("{:.0f} min {:.0f} s", static_cast<double>(static_cast<std::uint64_t>(seconds) / 60),
                     static_cast<double>(static_cast<std::uint64_t>(seconds) % 60));
}

std::string short_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto amount = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (amount >= 1024 && unit + 1 < units.size()) {
    amount /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", amount, units[unit]);
}

}  // namespace hypermesh::cli
