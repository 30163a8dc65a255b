#include "runtime/audit/audit_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>

#include "runtime/audit/audit_chain.hpp"

namespace hypermesh::audit {

namespace {

constexpr mode_t private_mode = 0600;
constexpr std::string_view segment_suffix = ".log";

/// Returns the number of a segment, if the file name is exactly as `segment_file` writes it.
std::optional<std::uint64_t> number_of(const std::filesystem::path& path) {
  const auto name = path.filename().string();
  if (!name.ends_with(segment_suffix)) return std::nullopt;
  std::uint64_t number = 0;
  const auto* const end = name.data() + name.size() - segment_suffix.size();
  const auto parsed = std::from_chars(name.data(), end, number);
  const bool is_number = parsed.ec == std::errc{} && parsed.ptr == end && number > 0;
  const bool is_our_name = is_number && audit_folder{}.segment_file(number).string() == name;
  return is_our_name ? std::optional{number} : std::nullopt;
}

/// The lock belongs to the open file and not to the process, so two trails of one process exclude each other as well.
struct flock whole_file(short type) {
  struct flock wanted {};
  wanted.l_type = type;
  wanted.l_whence = SEEK_SET;
  return wanted;
}

}  // namespace

std::filesystem::path audit_folder::segment_file(std::uint64_t number) const {
  return root / fmt::format("{:06}{}", number, segment_suffix);
}

or_error<std::vector<std::uint64_t>> list_segments(const audit_folder& folder) {
  std::error_code failed;
  std::vector<std::uint64_t> numbers;
  std::filesystem::directory_iterator entries{folder.root, failed};
  if (failed) return failed_to("read the audit trail in", folder.root, failed.value());
  for (; entries != std::filesystem::directory_iterator{}; entries.increment(failed)) {
    if (failed) return failed_to("read the audit trail in", folder.root, failed.value());
    if (const auto number = number_of(entries->path())) numbers.push_back(*number);
  }
  std::ranges::sort(numbers);
  return numbers;
}

or_error<byte_vector> read_trail_file(const std::filesystem::path& path, std::uint64_t bytes_max) {
  const open_file file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return failed_to("read", path, errno);
  struct stat known {};
  if (::fstat(file.descriptor(), &known) != 0) return failed_to("read", path, errno);
  if (!S_ISREG(known.st_mode) || static_cast<std::uint64_t>(known.st_size) > bytes_max) {
    return tl::unexpected(
        world_error{fmt::format("{} is not a regular file of at most {} bytes", quoted(path), bytes_max),
                    "move it out of the audit trail and keep it as evidence: this node did not write it"});
  }
  byte_vector bytes(static_cast<std::size_t>(known.st_size));
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto got = ::pread(file.descriptor(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed_to("read", path, errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  bytes.resize(done);
  return bytes;
}

bool is_being_written(const audit_folder& folder) {
  const open_file file{::open(folder.lock_file().c_str(), O_RDONLY | O_CLOEXEC)};
  auto wanted = whole_file(F_RDLCK);
  return file.is_open() && ::fcntl(file.descriptor(), F_OFD_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK;
}

or_error<std::unique_ptr<audit_files>> audit_files::open(audit_folder folder) {
  std::error_code failed;
  const bool is_new = std::filesystem::create_directories(folder.root, failed);
  if (!failed && is_new) std::filesystem::permissions(folder.root, std::filesystem::perms::owner_all, failed);
  if (failed) return failed_to("create the directory of the audit trail", folder.root, failed.value());
  if (auto done = sync_folder_of(folder.root); !done) return failure_of(done);
  const auto path = folder.lock_file();
  open_file lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_mode)};
  if (!lock.is_open()) return failed_to("write", path, errno);
  auto wanted = whole_file(F_WRLCK);
  if (::fcntl(lock.descriptor(), F_OFD_SETLK, &wanted) != 0) {
    if (errno != EAGAIN && errno != EACCES) return failed_to("lock", path, errno);
    return tl::unexpected(
        world_error{fmt::format("the audit trail in {} is in use by another node", quoted(folder.root)),
                    "stop that node, or correct 'directory' of [audit] in the node's configuration"});
  }
  return std::unique_ptr<audit_files>{new audit_files{std::move(folder), std::move(lock)}};
}

or_error<void> audit_files::create_head(byte_span sectors) {
  const auto path = folder_.head_file();
  if (auto done = write_durable_file(path, as_text(sectors), private_mode, existing_file::replace); !done) return done;
  head_ = open_file{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (!head_.is_open()) return failed_to("open", path, errno);
  return {};
}

or_error<void> audit_files::resume(std::uint64_t segment) {
  const auto path = folder_.head_file();
  head_ = open_file{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
  if (!head_.is_open()) return failed_to("open", path, errno);
  segment_path_ = folder_.segment_file(segment);
  segment_ = open_file{::open(segment_path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)};
  if (!segment_.is_open()) return failed_to("open", segment_path_, errno);
  return {};
}

or_error<void> audit_files::begin_segment(std::uint64_t number, byte_span header) {
  const auto path = folder_.segment_file(number);
  if (auto done = write_durable_file(path, as_text(header), private_mode, existing_file::replace); !done) return done;
  open_file opened{::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW)};
  if (!opened.is_open()) return failed_to("open", path, errno);
  segment_ = std::move(opened);
  segment_path_ = path;
  return {};
}

or_error<void> audit_files::append(byte_span bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(segment_.descriptor(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed_to("write", segment_path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

or_error<void> audit_files::cut_back(std::uint64_t size) {
  if (::ftruncate(segment_.descriptor(), static_cast<off_t>(size)) == 0) return {};
  return failed_to("cut back", segment_path_, errno);
}

or_error<void> audit_files::sync() {
  if (::fdatasync(segment_.descriptor()) == 0) return {};
  return failed_to("sync", segment_path_, errno);
}

or_error<void> audit_files::write_head(std::uint64_t sector, byte_span content, bool durable) {
  const auto place = static_cast<off_t>(sector * head_sector_bytes);
  const auto written = ::pwrite(head_.descriptor(), content.data(), content.size(), place);
  const bool whole = written == static_cast<ssize_t>(content.size());
  if (!whole) return failed_to("write", folder_.head_file(), written < 0 ? errno : EIO);
  if (durable && ::fdatasync(head_.descriptor()) != 0) return failed_to("sync", folder_.head_file(), errno);
  return {};
}

or_error<void> audit_files::remove_segment(std::uint64_t number) {
  const auto path = folder_.segment_file(number);
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return failed_to("remove", path, errno);
}

}  // namespace hypermesh::audit
