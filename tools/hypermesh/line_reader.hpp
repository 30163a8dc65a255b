#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace hypermesh::cli {

/// One line without its end.
struct input_line {
  std::string text;
  /// It had more bytes than a line may have; `text` is its beginning.
  bool is_too_long = false;
};

/// The lines of a descriptor that gives them bit by bit, such as a pipe. Memory: twice the longest line.
class line_reader {
 public:
  line_reader(int descriptor, std::size_t line_bytes_max) : descriptor_(descriptor), line_bytes_max_(line_bytes_max) {}

  /// Reads once, which waits when nothing is there.
  void read_more();
  /// The next line that is there as a whole; the last one may lack its line break.
  [[nodiscard]] std::optional<input_line> next();
  /// Nothing more is to be read; `next` may still have lines.
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  /// The system's error number when reading ended in one; else 0.
  [[nodiscard]] int error() const { return error_; }

 private:
  /// The next `size` bytes and the line break behind them.
  [[nodiscard]] input_line take(std::size_t size);

  int descriptor_;
  std::size_t line_bytes_max_;
  std::string text_;
  /// What stands before it in `text_` was taken.
  std::size_t begin_ = 0;
  /// The rest of a line that is too long comes and goes.
  bool is_skipping_ = false;
  bool has_ended_ = false;
  int error_ = 0;
};

}  // namespace hypermesh::cli
