#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Parses C++ just far enough for the style rules to distinguish code, comments and literals.
namespace hypermesh::style {

/// One `#include`, with the path as it is written between the quotes or brackets.
struct include_line {
  std::size_t line = 0;
  std::string path;
  bool quoted = false;
};

/// A source file in three views. Each view has the same length and the same line breaks as the file, so a position is
/// the same in all views. The parts that a view leaves out are blank.
struct source_text {
  /// The file without comments and without the contents of string and character literals.
  std::string code;
  /// The same as `code`, but without preprocessor lines.
  std::string statements;
  /// The code and the comments, without the contents of literals. Tokens that are banned in comments too are searched
  /// for in this text.
  std::string words;
  std::vector<include_line> includes;
};

[[nodiscard]] source_text read_source(std::string_view text);

/// The line of a position, counted from 1.
[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t position);

[[nodiscard]] bool is_identifier_char(char letter);

}  // namespace hypermesh::style
