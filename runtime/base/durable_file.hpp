#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "actors/ports.hpp"

/// Reads and writes small files that must appear complete or not at all: keys, identities.
namespace hypermesh::base {

/// The path, quoted so that a shell command in a remedy can use it unchanged.
[[nodiscard]] std::string quoted(const std::filesystem::path& path);

/// The error "cannot ACTION PATH: …" for the value of `errno`, with a command that shows the cause. A wrong path or
/// permission counts as an error of configuration.
[[nodiscard]] tl::unexpected<world_error> failed_to(std::string_view action, const std::filesystem::path& path,
                                                    int error);

/// The remedy that `failed_to` gives for the error number `error`.
[[nodiscard]] std::string remedy_of(const std::filesystem::path& path, int error);

/// Owns a file descriptor and closes it at the end of its life.
class open_file {
 public:
  explicit open_file(int descriptor = -1) : descriptor_(descriptor) {}
  ~open_file();
  open_file(open_file&& other) noexcept;
  open_file& operator=(open_file&& other) noexcept;
  open_file(const open_file&) = delete;
  open_file& operator=(const open_file&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Returns the descriptor without closing it. The caller must close the descriptor.
  [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

/// Syncs the folder of `path`, so that names in the folder survive a power failure.
[[nodiscard]] or_error<void> sync_folder_of(const std::filesystem::path& path);

/// Reads until `into` is full or the file ends. Returns the number of bytes. The error names `path`.
[[nodiscard]] or_error<std::size_t> read_bytes(const open_file& file, const std::filesystem::path& path,
                                               std::span<char> into);

/// Opens a regular file for reading. A symbolic link is followed. The error says whether the file is missing or
/// forbidden, or whether a folder, pipe or device is in its place.
[[nodiscard]] or_error<open_file> open_regular_file(const std::filesystem::path& path);

/// The content of the opened file, which has at most `bytes_max` bytes. The error names `path`.
[[nodiscard]] or_error<std::string> content_of(const open_file& file, const std::filesystem::path& path,
                                               std::uintmax_t bytes_max);

/// The content of a regular file of at most `bytes_max` bytes. The error says whether the file is missing, forbidden or
/// failing, or whether a folder, pipe or device is in its place.
[[nodiscard]] or_error<std::string> read_small_file(const std::filesystem::path& path, std::uintmax_t bytes_max);

enum class existing_file { keep, replace };

/// Writes a complete and durable file of this mode under `path`, or changes nothing. If only the final sync of the
/// folder fails, the file exists, but a power failure may lose it. With `existing_file::keep`, an existing file is an
/// error.
[[nodiscard]] or_error<void> write_durable_file(const std::filesystem::path& path, std::string_view content,
                                                mode_t mode, existing_file existing);

}  // namespace hypermesh::base
