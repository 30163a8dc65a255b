#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "messages/expected.hpp"
#include "messages/layers.hpp"

/// A tar archive in memory. Pure.
namespace hypermesh::cli {

/// One file of an archive.
struct archive_entry {
  /// A relative path of letters, digits and "._-/", at most `archive_name_bytes_max` bytes.
  std::string name;
  std::string content;
};

inline constexpr std::size_t archive_name_bytes_max = 100;

/// The part of a foreign name that may be a name in an archive: other characters become '_', and a path becomes its
/// last part. One to 25 bytes.
[[nodiscard]] std::string archive_name_of(std::string_view text);

/// The entries in the format ustar (POSIX.1-1988), in their order, with mode 0600 and this time in seconds since 1970.
[[nodiscard]] std::string tar_of(const std::vector<archive_entry>& entries, std::uint64_t time_s);

/// The bytes in the format gzip (RFC 1952). The error is a lack of memory.
[[nodiscard]] or_reason<std::string> gzip_of(std::string_view bytes);

}  // namespace hypermesh::cli
