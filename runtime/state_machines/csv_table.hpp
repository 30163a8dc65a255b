#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state_machines/checked.hpp"

namespace hypermesh {

/// One line of a CSV file below its head.
struct csv_row {
  /// Line in the file where the row starts, from 1.
  std::size_t line = 0;
  std::vector<std::string> fields;
};

/// A CSV file (RFC 4180: quoted fields, doubled quotes; lines end in LF, CR LF or CR) in
/// UTF-8, with or without a byte order mark, with a head of column names, none of which
/// comes twice. Every row has as many fields as the head; empty lines are passed over.
struct csv_table {
  std::string file_name;
  std::vector<std::string> columns;
  std::vector<csv_row> rows;

  /// Reads `text`; the failure names the file and the line. More than `rows_max` rows are a failure.
  [[nodiscard]] static checked<csv_table> parse(std::string_view text, std::string_view file_name,
                                                std::size_t rows_max);

  /// Index of a column; nothing when it is not there.
  [[nodiscard]] std::optional<std::size_t> find_column(std::string_view name) const;

  /// Index of a column, or a failure that lists the columns that are there.
  [[nodiscard]] checked<std::size_t> column(std::string_view name) const;
};

}  // namespace hypermesh
