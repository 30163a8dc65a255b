#pragma once

#include <string>
#include <vector>

#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// Rows with aligned columns. Numbers are aligned right, words left.
class text_table {
 public:
  enum class side { left, right };

  struct column {
    std::string title;
    side aligned = side::left;
  };

  explicit text_table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// Adds a row, which has as many cells as there are columns.
  void add(std::vector<std::string> cells);

  /// All rows below their titles, one on each line. The titles are left out if all are empty.
  [[nodiscard]] std::string text(const text_style& style) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hypermesh::cli
