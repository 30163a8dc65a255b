#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

/// Facts about this machine and its files, as text for a maintainer.
namespace hypermesh::cli {

/// Kernel, processors, memory, load, limits of this user's processes, time and time zone. A fact that the system does
/// not tell is left out.
[[nodiscard]] std::string machine_text();

/// The versions of the product, its formats, its compiler and its libraries.
[[nodiscard]] std::string build_text();

/// The most files in one listing. A data directory of RocksDB has some hundred.
inline constexpr std::size_t listed_files_max = 5'000;

/// Names, sizes in bytes, modes and times of the files below a folder, in the order of their names, and the free bytes
/// of its disk. No content is read, and links are not followed. Says how many files were left out.
[[nodiscard]] std::string listing_text(const std::filesystem::path& folder);

/// The last `bytes_max` bytes of a file, from the beginning of a line on. Nothing is read of a pipe or a device; the
/// text then says so.
[[nodiscard]] std::string end_of_file(const std::filesystem::path& file, std::size_t bytes_max);

}  // namespace hypermesh::cli
