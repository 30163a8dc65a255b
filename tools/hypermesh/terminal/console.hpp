#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "actors/ports.hpp"
#include "tools/hypermesh/terminal/exit_code.hpp"

/// Prints the output of all commands.
namespace hypermesh::cli {

[[nodiscard]] bool is_terminal(int descriptor);
/// The number of columns of the terminal; 80 if there is none.
[[nodiscard]] std::size_t terminal_width(int descriptor);

/// Colours of one stream. They are on only for a terminal, and off if NO_COLOR is set or TERM is "dumb".
class text_style {
 public:
  [[nodiscard]] static text_style of(int descriptor);
  [[nodiscard]] static text_style plain() { return text_style{false}; }

  [[nodiscard]] bool has_colours() const { return on_; }

  [[nodiscard]] static text_style with_colours() { return text_style{true}; }

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

/// The number of columns that `text` takes on a terminal: code points without colour codes.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// The text with escapes in place of everything that controls a terminal, except line breaks and the codes of
/// `text_style`. For reports that `print_report` does not print.
[[nodiscard]] std::string visible_report(std::string_view text);

// No function here throws, whatever the state of the streams is. A message that cannot be written is lost. Output that
// cannot be written is remembered for `check_output`.

/// Prints a message for people: a line on stderr without characters that control the terminal.
void say(std::string_view line);

/// Like `say`, but with colours. The caller must apply `visible_text` to foreign text.
void say_styled(std::string_view line);

/// Writes to stderr unchanged and at once, for progress that moves the cursor. The text must be the program's own text.
void draw(std::string_view text);

/// Writes data to stdout unchanged.
void print(std::string_view text);

/// Writes a table or a report to stdout. The colours of `text_style` stay, and no other characters control the
/// terminal.
void print_report(std::string_view text);

/// Writes JSON to stdout, with a line break at its end. An `indent` of -1 gives a single line. Bytes that are not UTF-8
/// become U+FFFD, and no character controls a terminal.
void print_json(const nlohmann::ordered_json& value, int indent = -1);

/// Flushes stdout, so that a program that reads it sees the output now. If it returns false, `check_output` has the
/// error.
bool flush_output();

/// The first error of writing output, if there was an error.
[[nodiscard]] or_error<void> check_output();

/// Prints the error and its remedy on stderr. Returns `code`.
exit_code report_error(const world_error& error, exit_code code);

/// Like `report_error`, for the verdict of a report that is on stdout. Prints nothing if both stdout and stderr are a
/// terminal, because the reader has already seen the verdict.
exit_code report_verdict(const world_error& error, exit_code code);

/// The exit code for an error of the configuration or of the machine.
[[nodiscard]] exit_code exit_code_of(const world_error& error);
/// Must be called at the end of a program. Flushes the output. If it cannot be written, reports why and makes `code` a
/// failure.
[[nodiscard]] exit_code finish_output(exit_code code);

/// Returns the number with commas, for example "1,523" for 1523.
[[nodiscard]] std::string grouped(std::uint64_t number);
/// Returns for example "870 µs", "1.4 ms", "12.3 s".
[[nodiscard]] std::string short_duration(double seconds);
/// The text in lines of at most `columns` characters, broken between words. A longer word is not broken.
[[nodiscard]] std::string lines_of(std::string_view text, std::size_t columns);
/// Returns the number in at most `width` characters, which is at least 6: "1,523", "1523", or "1.5k" with a decimal
/// prefix if the digits do not fit.
[[nodiscard]] std::string fitted(std::uint64_t number, std::size_t width);
/// Returns for example "12.3 MiB".
[[nodiscard]] std::string short_bytes(std::uint64_t bytes);

}  // namespace hypermesh::cli
