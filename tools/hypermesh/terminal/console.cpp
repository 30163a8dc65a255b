#include "tools/hypermesh/terminal/console.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "messages/require.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::cli {

namespace {

bool is_set(const char* variable) {
  const auto* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

/// The codes that `text_style` writes around a text.
constexpr std::array<std::string_view, 6> own_codes = {"\x1b[0m",  "\x1b[1m",  "\x1b[2m",
                                                       "\x1b[31m", "\x1b[32m", "\x1b[33m"};

/// JSON does not escape DEL and the C1 characters, so this function does. Both can occur only inside of strings.
std::string without_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0U;
    if (text[at] == '\x7f') {
      out += "\\u007f";
    } else if (text[at] == '\xc2' && next >= 0x80 && next < 0xa0) {
      out += fmt::format("\\u{:04x}", next);
      ++at;
    } else {
      out += text[at];
    }
  }
  return out;
}

/// The error number of the first output that could not be written; 0 if there is none.
int first_output_error = 0;

void note_output_error() {
  if (first_output_error == 0) first_output_error = errno != 0 ? errno : EIO;
}

/// Writes a message to the standard error stream, and drops the message if it cannot be written. The function calls
/// `write` and not `fwrite`, because `fwrite` retries for ever when the file accepts no bytes.
void write_message(std::string_view text) {
  while (!text.empty()) {
    const auto written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
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

std::string visible_report(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto plain = text.substr(0, text.find('\x1b'));
    out += visible_lines(plain);
    text.remove_prefix(plain.size());
    const auto* const code =
        std::ranges::find_if(own_codes, [text](std::string_view each) { return text.starts_with(each); });
    const std::size_t size = code != own_codes.end() ? code->size() : std::min<std::size_t>(text.size(), 1);
    out += code != own_codes.end() ? std::string{text.substr(0, size)} : visible_lines(text.substr(0, size));
    text.remove_prefix(size);
  }
  return out;
}

void say(std::string_view line) { write_message(visible_lines(line) + "\n"); }

void say_styled(std::string_view line) { write_message(visible_report(line) + "\n"); }

void draw(std::string_view text) { write_message(text); }

void print(std::string_view text) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) note_output_error();
}

void print_report(std::string_view text) { print(visible_report(text)); }

void print_json(const nlohmann::ordered_json& value, int indent) {
  const auto text = value.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  print(without_controls(text) + "\n");
}

bool flush_output() {
  errno = 0;
  if (std::fflush(stdout) != 0) note_output_error();
  return first_output_error == 0;
}

or_error<void> check_output() {
  if (first_output_error == 0) return {};
  const auto what = fmt::format("cannot write the output: {}", std::strerror(first_output_error));
  if (first_output_error == EPIPE)
    return tl::unexpected(world_error{what, "keep the program at the other end of the pipe running"});
  if (first_output_error == ENOSPC || first_output_error == EDQUOT) {
    return tl::unexpected(
        world_error{what, "free space on the disk of the output file (df -h), and run the command again"});
  }
  return tl::unexpected(world_error{what, "check the target of stdout, and run the command again"});
}

exit_code report_error(const world_error& error, exit_code code) {
  const auto style = text_style::of(STDERR_FILENO);
  // If stdout and stderr are the same file, earlier data appears before the message.
  flush_output();
  say_styled(fmt::format("{} {}", style.bad("error:"), visible_lines(error.what)));
  if (!error.remedy.empty()) say_styled(fmt::format("{} {}", style.dim("  fix:"), visible_lines(error.remedy)));
  return code;
}

exit_code report_verdict(const world_error& error, exit_code code) {
  return is_terminal(STDOUT_FILENO) && is_terminal(STDERR_FILENO) ? code : report_error(error, code);
}

exit_code exit_code_of(const world_error& error) {
  return error.origin == fault_origin::configuration ? exit_code::usage : exit_code::failed;
}

exit_code finish_output(exit_code code) {
  static bool was_said = false;
  if (flush_output() || std::exchange(was_said, true)) return code;
  return report_error(check_output().error(), code == exit_code::ok ? exit_code::failed : code);
}

std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto place = static_cast<std::ptrdiff_t>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), 1, ',');
  }
  return text;
}

std::string lines_of(std::string_view text, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    const auto width = display_width(word);
    const bool breaks = used > 0 && used + 1 + width > columns;
    if (!out.empty()) out += breaks ? '\n' : ' ';
    used = breaks || out.empty() ? width : used + 1 + width;
    out += word;
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return out;
}

std::string fitted(std::uint64_t number, std::size_t width) {
  require(width >= 6, "a number with a prefix has at most five characters");
  for (auto text : {grouped(number), std::to_string(number)}) {
    if (text.size() <= width) return text;
  }
  constexpr std::string_view prefixes = "kMGTPE";
  auto amount = static_cast<double>(number) / 1'000;
  std::size_t prefix = 0;
  while (amount >= 999.95 && prefix + 1 < prefixes.size()) {
    amount /= 1'000;
    ++prefix;
  }
  return fmt::format("{:.1f}{}", amount, prefixes[prefix]);
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
