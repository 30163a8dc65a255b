#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Reads C++ just far enough for the style rules: what is code, what is comment, what is text.
namespace hypermesh::style {

/// One `#include`, with the path as written between the quotes or brackets.
struct include_line {
  std::size_t line = 0;
  std::string path;
  bool quoted = false;
};

/// A source file in three views. Each view has the same length and the same line breaks as the file, so that a position
/// in one is a position in all; what a view leaves out is blank.
struct source_text {
  /// Without comments and without the contents of string and character literals.
  std::string code;
  /// As `code`, and without preprocessor lines.
  std::string statements;
  /// Code and comments, without the contents of literals: where words for people are looked for.
  std::string words;
  std::vector<include_line> includes;
};

[[nodiscard]] source_text read_source(std::string_view text);

/// Line of a position, from 1.
[[nodiscard]] std::size_t line_of(std::string_view text, std::size_t position);

[[nodiscard]] bool is_identifier_char(char letter);

}  // namespace hypermesh::style
