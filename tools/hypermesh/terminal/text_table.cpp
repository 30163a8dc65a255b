#include "tools/hypermesh/terminal/text_table.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::cli {

namespace {

std::string padded(const std::string& cell, std::size_t width, text_table::side aligned) {
  const std::string room(width - std::min(width, display_width(cell)), ' ');
  return aligned == text_table::side::left ? cell + room : room + cell;
}

}  // namespace

void text_table::add(std::vector<std::string> cells) {
  require(cells.size() == columns_.size(), "a row has a cell for each column");
  rows_.push_back(std::move(cells));
}

std::string text_table::text(const text_style& style) const {
  std::vector<std::size_t> widths;
  bool titled = false;
  for (std::size_t index = 0; index < columns_.size(); ++index) {
    auto width = display_width(columns_[index].title);
    titled = titled || width > 0;
    for (const auto& row : rows_)
      width = std::max(width, display_width(row[index]));
    widths.push_back(width);
  }
  const auto line_of = [&](const auto& cell_at) {
    std::string line;
    for (std::size_t index = 0; index < columns_.size(); ++index) {
      line += (index == 0 ? "" : "  ") + padded(cell_at(index), widths[index], columns_[index].aligned);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
  };
  std::string out;
  if (titled) out += style.dim(line_of([&](std::size_t index) { return columns_[index].title; })) + "\n";
  for (const auto& row : rows_)
    out += line_of([&](std::size_t index) { return row[index]; }) + "\n";
  return out;
}

}  // namespace hypermesh::cli
