#include "tools/hypermesh/bundle/machine_facts.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <caf/config.hpp>
#include <nlohmann/json.hpp>

#include "runtime/base/durable_file.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/links/handshake.hpp"
#include "runtime/storage/node_directory.hpp"

namespace hypermesh::cli {

namespace {

namespace fs = std::filesystem;

/// The first `lines_max` lines of a file of the kernel, each after two spaces.
std::string first_lines(const char* file, std::size_t lines_max) {
  std::ifstream in{file};
  std::string text;
  std::string line;
  for (std::size_t count = 0; count < lines_max && std::getline(in, line); ++count)
    text += "  " + line + "\n";
  return text;
}

std::string limit_text(rlim_t value) { return value == RLIM_INFINITY ? "unlimited" : std::to_string(value); }

std::string limits_text() {
  constexpr std::array<std::pair<const char*, int>, 8> limits = {{{"open files", RLIMIT_NOFILE},
                                                                  {"processes", RLIMIT_NPROC},
                                                                  {"locked memory", RLIMIT_MEMLOCK},
                                                                  {"address space", RLIMIT_AS},
                                                                  {"stack", RLIMIT_STACK},
                                                                  {"file size", RLIMIT_FSIZE},
                                                                  {"core file", RLIMIT_CORE},
                                                                  {"processor time", RLIMIT_CPU}}};
  std::string text;
  for (const auto& [name, what] : limits) {
    rlimit limit{};
    if (getrlimit(static_cast<__rlimit_resource>(what), &limit) != 0) continue;
    text += fmt::format("  {}: {}, at most {}\n", name, limit_text(limit.rlim_cur), limit_text(limit.rlim_max));
  }
  return text;
}

std::string time_text(std::time_t time) { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time)); }

/// One line of a listing; empty if the file has gone.
std::string line_of(const fs::path& file, const fs::path& folder) {
  struct stat facts {};
  if (lstat(file.c_str(), &facts) != 0) return {};
  const auto* const kind = S_ISDIR(facts.st_mode) ? "folder" : S_ISREG(facts.st_mode) ? "file" : "other";
  return fmt::format("{:>14}  {:04o}  {}  {:<6}  {}\n", facts.st_size, static_cast<unsigned>(facts.st_mode & 07777U),
                     time_text(facts.st_mtime), kind, base::visible_text(file.lexically_relative(folder).string()));
}

std::string disk_text(const fs::path& folder) {
  struct statvfs facts {};
  if (statvfs(folder.c_str(), &facts) != 0) return {};
  return fmt::format("disk: {} bytes free of {}, {} of {} inodes free\n",
                     std::uint64_t{facts.f_bavail} * facts.f_frsize, std::uint64_t{facts.f_blocks} * facts.f_frsize,
                     facts.f_favail, facts.f_files);
}

}  // namespace

std::string machine_text() {
  std::string text;
  utsname name{};
  if (uname(&name) == 0)
    text += fmt::format("kernel: {} {} {} {}\n", name.sysname, name.release, name.version, name.machine);
  text += "system:\n" + first_lines("/etc/os-release", 4);
  text += fmt::format("processors: {}\n", std::thread::hardware_concurrency());
  text += "memory:\n" + first_lines("/proc/meminfo", 5);
  text += "load:\n" + first_lines("/proc/loadavg", 1);
  text += "control group:\n" + first_lines("/proc/self/cgroup", 3) + first_lines("/sys/fs/cgroup/memory.max", 1) +
          first_lines("/sys/fs/cgroup/cpu.max", 1);
  text += "limits of a process of this user:\n" + limits_text();
  const auto now = std::time(nullptr);
  text += fmt::format("time: {}, local {:%Y-%m-%dT%H:%M:%S%z}\n", time_text(now), fmt::localtime(now));
  text += "clock source:\n" + first_lines("/sys/devices/system/clocksource/clocksource0/current_clocksource", 1);
  return text;
}

std::string build_text() {
#ifdef NDEBUG
  constexpr auto assertions = "assert() is off; the assertions of the protocol are always on";
#else
  constexpr auto assertions = "assert() is on";
#endif
  return fmt::format(
      "hypermesh {}\nlinks: version {}\ndata directory: format {}\ncompiler: {}\nC++: {}\n{}\nCAF: {}\nfmt: {}\n"
      "zlib: {}\nnlohmann-json: {}.{}.{}\n",
      HYPERMESH_VERSION, links::link_version, storage::directory_format, __VERSION__, __cplusplus, assertions,
      CAF_VERSION, FMT_VERSION, zlibVersion(), NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
      NLOHMANN_JSON_VERSION_PATCH);
}

std::string listing_text(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  std::size_t left_out = 0;
  fs::recursive_directory_iterator walk{folder, fs::directory_options::skip_permission_denied, error};
  for (const fs::recursive_directory_iterator end; !error && walk != end; walk.increment(error)) {
    if (files.size() < listed_files_max) {
      files.push_back(walk->path());
    } else {
      ++left_out;
    }
  }
  auto text = fmt::format("{}\n{}", base::visible_text(folder.string()), disk_text(folder));
  if (error) text += fmt::format("not read to the end: {}\n", error.message());
  std::ranges::sort(files);
  for (const auto& each : files)
    text += line_of(each, folder);
  if (left_out > 0) text += fmt::format("and {} more\n", left_out);
  return text;
}

std::string end_of_file(const fs::path& file, std::size_t bytes_max) {
  // A pipe without a writer would block without O_NONBLOCK.
  const base::open_file opened{open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
  struct stat facts {};
  if (!opened.is_open() || fstat(opened.descriptor(), &facts) != 0) {
    return fmt::format("cannot be read: {}\n", std::strerror(errno));
  }
  if (!S_ISREG(facts.st_mode)) return "is no regular file\n";
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  const auto begin = size > bytes_max ? size - bytes_max : 0;
  std::string text(std::min<std::uint64_t>(size, bytes_max), '\0');
  if (lseek(opened.descriptor(), static_cast<off_t>(begin), SEEK_SET) < 0) return "cannot be read\n";
  const auto count = base::read_bytes(opened, file, {text.data(), text.size()});
  if (!count) return fmt::format("cannot be read: {}\n", count.error().what);
  text.resize(*count);
  if (begin == 0) return text;
  const auto line = text.find('\n');
  return fmt::format("[the first {} bytes are left out]\n", begin) +
         (line == std::string::npos ? text : text.substr(line + 1));
}

}  // namespace hypermesh::cli
