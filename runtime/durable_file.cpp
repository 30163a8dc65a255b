#include "runtime/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sodium.h>

namespace hypermesh {

namespace {

bool write_all(int descriptor, const char* data, std::size_t size) {
  while (size > 0) {
    const auto written = ::write(descriptor, data, size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

std::string quoted(const std::filesystem::path& path) {
  const auto& text = path.native();
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+:@%";
  if (!text.empty() && text.find_first_not_of(plain) == std::string::npos) return text;
  std::string out = "'";
  for (const char letter : text) {
    if (letter == '\'') {
      out += "'\\''";
    } else {
      out += letter;
    }
  }
  return out + "'";
}

world_error failed_to(std::string_view action, const std::filesystem::path& path, int error) {
  const auto remedy = error == ENOSPC || error == EDQUOT || error == EIO
                          ? fmt::format("check the disk: df -h {}", quoted(path.parent_path()))
                          : fmt::format("check the path and its permissions: ls -la {}",
                                        quoted(path.has_parent_path() ? path.parent_path() : "."));
  return {fmt::format("cannot {} {}: {}", action, quoted(path), std::strerror(error)), remedy};
}

open_file::~open_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

open_file::open_file(open_file&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

open_file& open_file::operator=(open_file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::optional<world_error> sync_folder_of(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  const open_file file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!file.is_open() || ::fsync(file.descriptor()) != 0) return failed_to("sync the folder of", path, errno);
  return std::nullopt;
}

std::optional<world_error> write_durable_file(const std::filesystem::path& path, std::string_view content, mode_t mode,
                                              existing_file existing) {
  auto draft = path;
  draft += fmt::format(".{:08x}.new", randombytes_random());
  {
    const open_file file{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
    if (!file.is_open()) return failed_to("create", draft, errno);
    const bool complete = ::fchmod(file.descriptor(), mode) == 0 &&
                          write_all(file.descriptor(), content.data(), content.size()) &&
                          ::fsync(file.descriptor()) == 0;
    if (!complete) {
      const auto error = failed_to("write", draft, errno);
      ::unlink(draft.c_str());
      return error;
    }
  }
  // A link, unlike a rename, fails when the name is taken: a key is never overwritten.
  const bool named = existing == existing_file::replace ? ::rename(draft.c_str(), path.c_str()) == 0
                                                        : ::link(draft.c_str(), path.c_str()) == 0;
  const int error = errno;
  if (!named || existing == existing_file::keep) ::unlink(draft.c_str());
  if (!named && error == EEXIST) {
    return world_error{fmt::format("{} exists already and is not overwritten", quoted(path)),
                       fmt::format("choose another name, or move it away: mv {0} {0}.old", quoted(path))};
  }
  if (!named) return failed_to("create", path, error);
  return sync_folder_of(path);
}

}  // namespace hypermesh
