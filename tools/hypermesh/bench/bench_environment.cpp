#include "tools/hypermesh/bench/bench_environment.hpp"

#include <fcntl.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <fstream>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "runtime/base/steady_moment.hpp"

namespace hypermesh::cli {

namespace {

namespace fs = std::filesystem;

/// The text after the colon of the first line that begins with `name`.
std::string value_in(const char* file, std::string_view name) {
  std::ifstream in{file};
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(name)) continue;
    const auto colon = line.find(':');
    const auto begin = line.find_first_not_of(" \t", colon == std::string::npos ? line.size() : colon + 1);
    return begin == std::string::npos ? std::string{} : line.substr(begin);
  }
  return {};
}

std::string file_system_of(const fs::path& folder) {
  constexpr std::array<std::pair<unsigned long, const char*>, 6> known = {{{0xef53, "ext4"},
                                                                           {0x01021994, "tmpfs"},
                                                                           {0x58465342, "xfs"},
                                                                           {0x9123683e, "btrfs"},
                                                                           {0x794c7630, "overlayfs"},
                                                                           {0x2fc12fc1, "zfs"}}};
  struct statfs facts {};
  if (statfs(folder.c_str(), &facts) != 0) return {};
  const auto type = static_cast<unsigned long>(facts.f_type) & 0xffffffffUL;
  for (const auto& [number, name] : known) {
    if (number == type) return name;
  }
  return fmt::format("0x{:x}", type);
}

/// The median time of writing 4 KiB and syncing them.
std::optional<double> sync_time_in(const fs::path& folder) {
  constexpr std::size_t rounds = 21;
  const auto file = folder / "sync-probe";
  const int descriptor = open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return std::nullopt;
  const std::array<char, 4'096> page{};
  std::vector<double> times;
  bool is_written = true;
  for (std::size_t round = 0; round < rounds && is_written; ++round) {
    const auto begin = base::steady_moment();
    is_written = pwrite(descriptor, page.data(), page.size(), static_cast<off_t>(round * page.size())) ==
                     static_cast<ssize_t>(page.size()) &&
                 fdatasync(descriptor) == 0;
    times.push_back(static_cast<double>((base::steady_moment() - begin).count()));
  }
  close(descriptor);
  std::error_code ignored;
  fs::remove(file, ignored);
  if (!is_written) return std::nullopt;
  std::ranges::sort(times);
  return times[rounds / 2];
}

}  // namespace

bench_environment read_environment(const fs::path& data) {
  bench_environment found;
  found.version = HYPERMESH_VERSION;
  found.time = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  found.processor = value_in("/proc/cpuinfo", "model name");
  found.cores = std::thread::hardware_concurrency();
  constexpr std::uint64_t kib = 1'024;
  found.memory_bytes = std::strtoull(value_in("/proc/meminfo", "MemTotal").c_str(), nullptr, 10) * kib;
  utsname name{};
  if (uname(&name) == 0) found.kernel = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
  if (data.empty()) return found;
  found.file_system = file_system_of(data);
  found.disk_sync_us = sync_time_in(data);
  return found;
}

}  // namespace hypermesh::cli
