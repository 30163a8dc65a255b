#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "actors/ports.hpp"

/// Small files that must appear complete or not at all: keys, identities.
namespace hypermesh {

/// A path for the commands of remedies: usable in a shell as it stands.
[[nodiscard]] std::string quoted(const std::filesystem::path& path);

/// "cannot ACTION PATH: …" for the value of `errno`, with the command that shows the cause. A wrong path or permission
/// counts as configuration.
[[nodiscard]] world_error failed_to(std::string_view action, const std::filesystem::path& path, int error);

/// Where `failed_to` sends the operator for this value of `errno`.
[[nodiscard]] std::string remedy_of(const std::filesystem::path& path, int error);

/// A file descriptor that is closed when it goes.
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
  /// The caller closes it.
  [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

/// Makes the names in the folder of `path` durable.
[[nodiscard]] std::optional<world_error> sync_folder_of(const std::filesystem::path& path);

/// Reads until `into` is full or the file ends; the count of bytes. `path` is for the error.
[[nodiscard]] std::variant<std::size_t, world_error> read_bytes(const open_file& file,
                                                                const std::filesystem::path& path,
                                                                std::span<char> into);

/// The content of a regular file of at most `bytes_max` bytes. The error tells a missing, forbidden or failing file
/// from a folder, pipe or device in its place.
[[nodiscard]] std::variant<std::string, world_error> read_small_file(const std::filesystem::path& path,
                                                                     std::uintmax_t bytes_max);

enum class existing_file { keep, replace };

/// A complete and durable file of this mode appears under `path`, or nothing changes. With `existing_file::keep` a name
/// that is taken is an error.
[[nodiscard]] std::optional<world_error> write_durable_file(const std::filesystem::path& path, std::string_view content,
                                                            mode_t mode, existing_file existing);

}  // namespace hypermesh
