#pragma once

#include <string>
#include <vector>

#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// A table of rows with aligned columns. Numbers are aligned right, words are aligned left.
class text_table {
 public:
  enum class side { left, right };

  struct column {
    std::string title;
    side aligned = side::left;
  };

  explicit text_table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// Adds a row. It must have as many cells as there are columns.
  void add(std::vector<std::string> cells);

  /// The table as a text: the titles, then one line for each row. If all titles are empty, they are left out.
  [[nodiscard]] std::string text(const text_style& style) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hypermesh::cli
