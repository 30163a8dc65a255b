#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/layers.hpp"

namespace hypermesh::cli {

/// The words of one command, as a client of the gateway sent them. The first word is the name of the command.
using command_words = std::vector<std::string>;

/// A command that exceeds a bound of the gateway. Its bytes were read and dropped, so the next command follows.
struct oversized_command {
  /// The text of the error, without "-" and line break.
  std::string error;
};

/// Bytes that are no command. The position of the next command is unknown, so the connection has to be closed.
struct protocol_failure {
  /// Redis's text of the error, without "-" and line break.
  std::string error;
};

using resp_item = std::variant<command_words, oversized_command, protocol_failure>;

/// Splits the bytes of one connection into commands: arrays of bulk strings (RESP2 and RESP3), and inline commands.
/// Pure. The bytes are hostile: the errors and their texts are those of Redis 7.0, except that a command of more than
/// `command_bytes_max` bytes or `words_max` words is dropped and reported, while Redis keeps up to 512 MiB.
///
/// Memory: the bytes that were fed and not read, which the caller bounds, and the words of one command, which are at
/// most `command_bytes_max` bytes and `words_max` words.
class resp_reader {
 public:
  /// Bytes of all words of a command, with the length of each word in its operation. The operation has to fit
  /// `limits::operation_bytes_max`, and 64 bytes are left for the frame around the words.
  static constexpr std::size_t command_bytes_max = 256 * 1024 - 64;
  static constexpr std::size_t word_overhead_bytes = 4;
  /// Each word takes 32 bytes of memory besides its own, so a command takes at most 512 KiB more than its bytes.
  static constexpr std::size_t words_max = 16'384;
  /// The bound of Redis on an inline command and on the line of a length.
  static constexpr std::size_t line_bytes_max = 64 * 1024;
  /// The bounds of Redis on what a client may announce.
  static constexpr std::int64_t announced_words_max = 1024 * 1024;
  static constexpr std::int64_t announced_bytes_max = 512 * 1024 * 1024;
  /// The bounds of Redis before a client has shown the password.
  static constexpr std::int64_t unknown_words_max = 10;
  static constexpr std::int64_t unknown_bytes_max = 16 * 1024;

  void feed(std::string_view bytes) { buffer_.append(bytes); }

  /// The next command; nothing if more bytes are needed, or after a `protocol_failure`. `is_known` says whether the
  /// client may send commands of any size, because it has shown the password or needs none.
  [[nodiscard]] std::optional<resp_item> next(bool is_known = true);

  /// Bytes that were fed and not read. The caller stops feeding while they are many.
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - at_; }
  /// Whether a command has begun and is not complete. False if all bytes that were fed have been read as commands.
  [[nodiscard]] bool is_inside_command() const { return words_left_ > 0 || buffered() > 0; }

 private:
  [[nodiscard]] std::optional<std::string_view> take_line();
  [[nodiscard]] std::optional<resp_item> fail(std::string error);
  [[nodiscard]] std::optional<resp_item> read_array(bool is_known);
  [[nodiscard]] std::optional<resp_item> read_inline();
  /// Reads one bulk string of the array. Returns false if more bytes are needed, or if `failure_` was set.
  [[nodiscard]] bool read_word(bool is_known);
  void begin_word(std::int64_t length);
  void finish_array(resp_item& into);
  void compact();

  std::string buffer_;
  /// The first byte of `buffer_` that was not read.
  std::size_t at_ = 0;
  /// Words of the present array that were not read. 0 between commands.
  std::int64_t words_left_ = 0;
  /// Bytes of the present word that were not read, with its line break; -1 if its length was not read.
  std::int64_t word_left_ = -1;
  command_words words_;
  /// Bytes of `words_` in an operation.
  std::size_t words_bytes_ = 0;
  /// Not empty if the present command is too large. Its words are dropped.
  std::string too_large_;
  std::optional<protocol_failure> failure_;
};

/// Splits a line as Redis splits inline commands: words are separated by spaces, and quotes may contain spaces and, if
/// they are double, escapes such as \n and \x41. Nothing if a quote is not closed or is followed by a letter.
[[nodiscard]] std::optional<command_words> split_inline(std::string_view line);

/// The number that the text is in RESP: digits with an optional minus, no plus and no leading zero.
[[nodiscard]] std::optional<std::int64_t> resp_number(std::string_view text);

}  // namespace hypermesh::cli
