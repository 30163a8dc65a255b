#include "runtime/base/durable_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <sodium.h>

namespace hypermesh::base {

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

std::string remedy_of(const std::filesystem::path& path, int error) {
  const auto folder = quoted(path.has_parent_path() ? path.parent_path() : ".");
  switch (error) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return fmt::format("free space, or raise the quota or the limit (ulimit -f): df -h {}", folder);
    case EIO:
      return fmt::format("replace the failing disk: df -h {} names it, journalctl -k shows its errors", folder);
    case EROFS:
      return fmt::format("mount the file system read-write; for the reason, run: journalctl -k; findmnt -T {}", folder);
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files: ulimit -n 4096";
    case ENOMEM:
      return "free memory: free -h";
    default:
      return fmt::format("check the path and its permissions: ls -la {}", folder);
  }
}

tl::unexpected<world_error> failed_to(std::string_view action, const std::filesystem::path& path, int error) {
  const bool is_path = error == ENOENT || error == EACCES || error == EPERM || error == ENOTDIR || error == EISDIR ||
                       error == ELOOP || error == ENAMETOOLONG;
  return tl::unexpected(world_error{fmt::format("cannot {} {}: {}", action, quoted(path), std::strerror(error)),
                                    remedy_of(path, error),
                                    is_path ? fault_origin::configuration : fault_origin::machine});
}

or_error<open_file> open_regular_file(const std::filesystem::path& path) {
  // Without O_NONBLOCK, the call would block for ever if the path were a pipe.
  open_file file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  if (!file.is_open()) return failed_to("read", path, errno);
  struct stat facts {};
  if (::fstat(file.descriptor(), &facts) != 0) return failed_to("examine", path, errno);
  if (S_ISREG(facts.st_mode)) return file;
  return tl::unexpected(
      world_error{fmt::format("{} is {}", quoted(path), S_ISDIR(facts.st_mode) ? "a directory" : "a pipe or a device"),
                  "name a regular file", fault_origin::configuration});
}

or_error<std::string> content_of(const open_file& file, const std::filesystem::path& path, std::uintmax_t bytes_max) {
  struct stat facts {};
  if (::fstat(file.descriptor(), &facts) != 0) return failed_to("examine", path, errno);
  if (static_cast<std::uintmax_t>(facts.st_size) > bytes_max) {
    return tl::unexpected(
        world_error{fmt::format("{} has {} bytes, more than the limit of {}", quoted(path), facts.st_size, bytes_max),
                    "name another file", fault_origin::configuration});
  }
  std::string content(static_cast<std::size_t>(facts.st_size), '\0');
  const auto size = read_bytes(file, path, content);
  if (!size) return failure_of(size);
  content.resize(*size);
  return content;
}

or_error<std::string> read_small_file(const std::filesystem::path& path, std::uintmax_t bytes_max) {
  const auto file = open_regular_file(path);
  if (!file) return failure_of(file);
  return content_of(*file, path, bytes_max);
}

or_error<std::size_t> read_bytes(const open_file& file, const std::filesystem::path& path, std::span<char> into) {
  std::size_t size = 0;
  while (size < into.size()) {
    const auto count = ::read(file.descriptor(), into.data() + size, into.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed_to("read", path, errno);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  return size;
}

open_file::~open_file() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

open_file::open_file(open_file&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

open_file& open_file::operator=(open_file&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

or_error<void> sync_folder_of(const std::filesystem::path& path) {
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path{"."};
  const open_file file{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!file.is_open() || ::fsync(file.descriptor()) != 0) return failed_to("sync the directory of", path, errno);
  return {};
}

or_error<void> write_durable_file(const std::filesystem::path& path, std::string_view content, mode_t mode,
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
  // Unlike a rename, a link fails when the name exists already. So a key is never overwritten.
  const bool named = existing == existing_file::replace ? ::rename(draft.c_str(), path.c_str()) == 0
                                                        : ::link(draft.c_str(), path.c_str()) == 0;
  const int error = errno;
  if (!named || existing == existing_file::keep) ::unlink(draft.c_str());
  if (!named && error == EEXIST) {
    return tl::unexpected(
        world_error{fmt::format("{} already exists and is not overwritten", quoted(path)),
                    fmt::format("use another name, or move the file away: mv {0} {0}.old", quoted(path))});
  }
  if (!named) return failed_to("create", path, error);
  return sync_folder_of(path);
}

}  // namespace hypermesh::base
