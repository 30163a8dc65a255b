#include "tools/hypermesh/traces/csv_table.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hypermesh::cli {

namespace {

/// Reads rows from the front of a text.
class row_reader {
 public:
  row_reader(std::string_view text, std::string_view file_name) : text_(text), file_name_(file_name) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
  }

  /// The next row that is not empty; nothing at the end of the text.
  or_reason<std::optional<csv_row>> next() {
    while (!text_.empty()) {
      csv_row row{line_, {}};
      for (bool is_more = true; is_more;) {
        if (auto done = take_field(row); !done) return failure_of(done);
        is_more = take(',');
      }
      const bool returned = take('\r');
      if (!take('\n') && !returned && !text_.empty()) {
        return invalid(
            fmt::format("{}:{}: text follows a quoted field; put the whole field in quotes", file_name_, line_));
      }
      ++line_;
      const bool is_empty = row.fields.size() == 1 && row.fields.front().empty();
      if (!is_empty) return std::optional{std::move(row)};
    }
    return std::optional<csv_row>{};
  }

 private:
  bool take(char wanted) {
    if (text_.empty() || text_.front() != wanted) return false;
    text_.remove_prefix(1);
    return true;
  }

  or_reason<void> take_field(csv_row& row) {
    if (take('"')) return take_quoted(row);
    const auto end = std::min(text_.find_first_of(",\r\n"), text_.size());
    row.fields.emplace_back(text_.substr(0, end));
    text_.remove_prefix(end);
    return {};
  }

  or_reason<void> take_quoted(csv_row& row) {
    std::string field;
    while (!text_.empty()) {
      const auto letter = text_.front();
      text_.remove_prefix(1);
      if (letter == '"' && !take('"')) {
        row.fields.push_back(std::move(field));
        return {};
      }
      const bool ends_line = letter == '\n' || (letter == '\r' && !text_.starts_with('\n'));
      if (ends_line) ++line_;
      field += letter;
    }
    return invalid(fmt::format("{}:{}: a quote is not closed; close it at the end of the field", file_name_, row.line));
  }

  std::string_view text_;
  std::string_view file_name_;
  std::size_t line_ = 1;
};

}  // namespace

or_reason<csv_table> csv_table::parse(std::string_view text, std::string_view file_name, std::size_t rows_max) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    return invalid(fmt::format("{}: the file is UTF-16; save it as UTF-8", file_name));
  }
  row_reader reader{text, file_name};
  csv_table table;
  table.file_name = std::string{file_name};
  auto head = reader.next();
  if (!head) return failure_of(head);
  if (!head->has_value()) {
    return invalid(fmt::format("{}: the file is empty; its first line must name the columns", file_name));
  }
  table.columns = std::move((*head)->fields);
  for (auto column = table.columns.begin(); column != table.columns.end(); ++column) {
    // No caller can ask for a column without a name, so such columns may repeat.
    if (column->empty() || std::find(std::next(column), table.columns.end(), *column) == table.columns.end()) continue;
    return invalid(
        fmt::format("{}:{}: duplicate column \"{}\"; remove one of the two", file_name, (*head)->line, *column));
  }
  while (true) {
    auto row = reader.next();
    if (!row) return failure_of(row);
    if (!row->has_value()) return table;
    const auto fields = (*row)->fields.size();
    if (fields != table.columns.size()) {
      return invalid(fmt::format("{}:{}: the line has {} fields, but the first line has {}; add or remove commas",
                                 file_name, (*row)->line, fields, table.columns.size()));
    }
    if (table.rows.size() >= rows_max) {
      return invalid(fmt::format("{}: the file has more than {} lines; shorten it", file_name, rows_max));
    }
    table.rows.push_back(std::move(**row));
  }
}

std::optional<std::size_t> csv_table::find_column(std::string_view name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

or_reason<std::size_t> csv_table::column(std::string_view name) const {
  if (const auto found = find_column(name)) return *found;
  return invalid(fmt::format("{}:1: the column \"{}\" is missing among {}; add it or name another file", file_name,
                             name, fmt::join(columns, ", ")));
}

}  // namespace hypermesh::cli
