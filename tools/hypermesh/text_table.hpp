#pragma once

#include <string>
#include <vector>

#include "tools/hypermesh/console.hpp"

namespace hypermesh::cli {

/// Rows in columns of equal width. Numbers stand right, words left.
class text_table {
 public:
  enum class side { left, right };

  struct column {
    std::string title;
    side aligned = side::left;
  };

  explicit text_table(std::vector<column> columns) : columns_(std::move(columns)) {}

  /// As many cells as columns.
  void add(std::vector<std::string> cells);

  /// All rows below their titles, each line ended. Titles that are all empty are left out.
  [[nodiscard]] std::string text(const text_style& style) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hypermesh::cli
