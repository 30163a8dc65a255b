#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/expected.hpp"

namespace hypermesh::cli {

/// One row of a CSV file below its header.
struct csv_row {
  /// The line of the file where the row starts, counted from 1.
  std::size_t line = 0;
  std::vector<std::string> fields;
};

/// A CSV file in UTF-8, with or without a byte order mark (RFC 4180: quoted fields, doubled quotes; lines end in LF, CR
/// LF or CR). The header names the columns, and no name occurs twice. Every row has as many fields as the header. Empty
/// lines are skipped.
struct csv_table {
  std::string file_name;
  std::vector<std::string> columns;
  std::vector<csv_row> rows;

  /// Parses `text`. The failure names the file and the line. A text with more than `rows_max` rows is a failure.
  [[nodiscard]] static or_reason<csv_table> parse(std::string_view text, std::string_view file_name,
                                                  std::size_t rows_max);

  /// The index of a column; nothing if there is no such column.
  [[nodiscard]] std::optional<std::size_t> find_column(std::string_view name) const;

  /// The index of a column, or a failure that lists the existing columns.
  [[nodiscard]] or_reason<std::size_t> column(std::string_view name) const;
};

}  // namespace hypermesh::cli
