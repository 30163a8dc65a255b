#pragma once

#include <string>
#include <string_view>

#include "tools/hypermesh/terminal/command_tree.hpp"

/// Manual pages as text for man(1). Pure.
namespace hypermesh::cli {

/// Writes a page in the order of its functions' calls. All texts are foreign to the format: a text never becomes a
/// request of it.
class manual_page {
 public:
  /// `summary` is the line that apropos(1) shows.
  manual_page(std::string_view title, int section, std::string_view names, std::string_view summary);

  void section(std::string_view title);
  void subsection(std::string_view title);
  void paragraph(std::string_view words);
  /// An entry of a list: the term in bold, and a text below it.
  void entry(std::string_view term, std::string_view words);
  /// Text as the help shows it: lines that begin with a space stay lines, all other lines are filled to paragraphs.
  void help_text(std::string_view text);

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void line(std::string_view words);
  /// Ends the lines that stay as they are.
  void end_literal();

  std::string text_;
  bool is_literal_ = false;
};

/// The page of a binary: every command with its options and examples. `see_also` ends the page, for example
/// "node.toml(5)".
[[nodiscard]] std::string manual_page_of(std::string_view binary, const command_entry& root, std::string_view see_also);

}  // namespace hypermesh::cli
