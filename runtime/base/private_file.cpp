#include "runtime/base/private_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

namespace hypermesh::base {

namespace {

constexpr mode_t private_mode = 0600;

or_error<void> check_privacy(const struct stat& facts, const std::filesystem::path& path) {
  if (facts.st_uid != ::geteuid()) {
    return tl::unexpected(world_error{
        fmt::format("{} belongs to user {}, but this process runs as user {}", quoted(path), facts.st_uid, ::geteuid()),
        fmt::format("chown {} {}", ::geteuid(), quoted(path)), fault_origin::configuration});
  }
  const auto mode = facts.st_mode & 07777U;
  if ((mode & ~private_mode) != 0) {
    return tl::unexpected(world_error{fmt::format("{} has mode {:04o}{}, but a secret needs 0600", quoted(path), mode,
                                                  (mode & 077U) != 0 ? ", so other users may read or change it" : ""),
                                      fmt::format("chmod 600 {}", quoted(path)), fault_origin::configuration});
  }
  return {};
}

}  // namespace

or_error<open_file> open_private_file(const std::filesystem::path& path) {
  auto file = open_regular_file(path);
  if (!file) return file;
  struct stat facts {};
  if (::fstat(file->descriptor(), &facts) != 0) return failed_to("examine", path, errno);
  if (auto done = check_privacy(facts, path); !done) return failure_of(done);
  return file;
}

or_error<std::string> read_private_file(const std::filesystem::path& path, std::uintmax_t bytes_max) {
  const auto file = open_private_file(path);
  if (!file) return failure_of(file);
  return content_of(*file, path, bytes_max);
}

}  // namespace hypermesh::base
