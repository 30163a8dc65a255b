#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace hypermesh::cli {

/// A line without its line break.
struct input_line {
  std::string text;
  /// The line had more bytes than allowed; `text` is its beginning.
  bool is_too_long = false;
};

/// Reads lines from a descriptor that delivers them in pieces, such as a pipe. Memory: twice the longest line.
class line_reader {
 public:
  line_reader(int descriptor, std::size_t line_bytes_max) : descriptor_(descriptor), line_bytes_max_(line_bytes_max) {}

  /// Reads once. Blocks if there is nothing to read.
  void read_more();
  /// The next complete line. The last line may lack its line break.
  [[nodiscard]] std::optional<input_line> next();
  /// Whether the input has ended. `next` may still return lines.
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  /// The system's error number if reading failed; otherwise 0.
  [[nodiscard]] int error() const { return error_; }

 private:
  /// Takes the next `size` bytes and the line break after them.
  [[nodiscard]] input_line take(std::size_t size);

  int descriptor_;
  std::size_t line_bytes_max_;
  std::string text_;
  /// The index in `text_` before which everything was taken.
  std::size_t begin_ = 0;
  /// Whether the rest of a line that is too long is being skipped.
  bool is_skipping_ = false;
  bool has_ended_ = false;
  int error_ = 0;
};

}  // namespace hypermesh::cli
