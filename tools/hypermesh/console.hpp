#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/ports.hpp"
#include "tools/hypermesh/command.hpp"

/// What all commands use for talking to people.
namespace hypermesh::cli {

[[nodiscard]] bool is_terminal(int descriptor);
/// Columns of the terminal; 80 where there is none.
[[nodiscard]] std::size_t terminal_width(int descriptor);

/// Colours of one stream: on only for a terminal, and not when NO_COLOR is set or TERM is "dumb".
class text_style {
 public:
  [[nodiscard]] static text_style of(int descriptor);
  [[nodiscard]] static text_style plain() { return text_style{false}; }

  [[nodiscard]] bool has_colours() const { return on_; }

  [[nodiscard]] std::string bold(std::string_view text) const { return wrapped("1", text); }
  [[nodiscard]] std::string dim(std::string_view text) const { return wrapped("2", text); }
  [[nodiscard]] std::string good(std::string_view text) const { return wrapped("32", text); }
  [[nodiscard]] std::string bad(std::string_view text) const { return wrapped("31", text); }
  [[nodiscard]] std::string warning(std::string_view text) const { return wrapped("33", text); }

 private:
  explicit text_style(bool on) : on_(on) {}
  [[nodiscard]] std::string wrapped(std::string_view code, std::string_view text) const;

  bool on_;
};

/// Columns that `text` takes on a terminal: code points without colour codes.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// A message for people: one line on stderr.
void say(std::string_view line);

/// Data: stdout, as it is.
void print(std::string_view text);

/// "error: WHAT" and what to do about it, on stderr. Returns `code`.
exit_code report_error(const world_error& error, exit_code code);

/// The exit code for an error that may be the configuration's or the machine's.
[[nodiscard]] exit_code exit_code_of(const world_error& error);

/// 1523 as "1,523".
[[nodiscard]] std::string grouped(std::uint64_t number);
/// "870 µs", "1.4 ms", "12.3 s".
[[nodiscard]] std::string short_duration(double seconds);
/// "12.3 MiB".
[[nodiscard]] std::string short_bytes(std::uint64_t bytes);

}  // namespace hypermesh::cli
