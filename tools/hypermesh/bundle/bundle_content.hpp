#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tools/hypermesh/bundle/archive.hpp"
#include "tools/hypermesh/bundle/secret_filter.hpp"

namespace hypermesh::cli {

/// The most bytes of one file, and of all files of a bundle together. They bound the memory of the command.
inline constexpr std::size_t bundle_file_bytes_max = std::size_t{16} << 20U;
inline constexpr std::size_t bundle_bytes_max = std::size_t{128} << 20U;

/// A file of the bundle, or a fact that could not be collected.
struct bundle_row {
  std::string name;
  std::string what;
  std::size_t bytes = 0;
  /// Why there is no such file; empty for a file.
  std::string missing;
};

/// Collects the files of a bundle. Every text passes the filter, also names and reasons, and nothing else can add a
/// file. Memory: the two bounds above.
class bundle_content {
 public:
  /// The filter must know all secrets before the first file is added.
  explicit bundle_content(secret_filter filter) : filter_(std::move(filter)) {}

  /// Adds a file, without its secrets. A file that is too large, or in which a secret is left after all, is a missing
  /// one.
  void add(std::string name, std::string what, std::string_view text);
  /// Notes what could not be collected, and why.
  void miss(std::string name, std::string what, std::string_view why);

  [[nodiscard]] const std::vector<bundle_row>& rows() const { return rows_; }

  /// All files in a folder of this name, and a manifest that lists them. `time_s` is in seconds since 1970.
  [[nodiscard]] or_reason<std::string> packed(std::string_view folder, std::uint64_t time_s) const;

 private:
  secret_filter filter_;
  std::vector<archive_entry> entries_;
  std::vector<bundle_row> rows_;
  std::size_t bytes_ = 0;
};

/// The rows as the manifest shows them.
[[nodiscard]] nlohmann::ordered_json json_of(const std::vector<bundle_row>& rows);

}  // namespace hypermesh::cli
