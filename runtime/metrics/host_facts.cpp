#include "runtime/metrics/host_facts.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <charconv>
#include <fstream>
#include <string>

namespace hypermesh::metrics {

namespace {

/// The number that follows `name` in /proc/self/status, for example "VmRSS:   1234 kB".
std::optional<std::uint64_t> number_after(const std::string& text, std::string_view name) {
  const auto line = text.find(name);
  if (line == std::string::npos) return std::nullopt;
  const auto digits = text.find_first_of("0123456789", line + name.size());
  if (digits == std::string::npos) return std::nullopt;
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data() + digits, text.data() + text.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;
  return number;
}

std::string status_of_process() {
  std::ifstream in{"/proc/self/status"};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::optional<std::uint64_t> count_open_files() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return std::nullopt;
  std::uint64_t entries = 0;
  while (::readdir(folder) != nullptr)
    ++entries;
  ::closedir(folder);
  // ".", ".." and the descriptor of the folder itself.
  return entries < 3 ? 0 : entries - 3;
}

std::chrono::microseconds time_of(const timeval& value) {
  return std::chrono::seconds{value.tv_sec} + std::chrono::microseconds{value.tv_usec};
}

}  // namespace

host_facts read_process_facts() {
  host_facts facts;
  const auto status = status_of_process();
  if (const auto kib = number_after(status, "VmRSS:")) facts.resident_bytes = *kib * 1'024;
  facts.threads = number_after(status, "Threads:");
  rusage used{};
  if (::getrusage(RUSAGE_SELF, &used) == 0) facts.processor_time = time_of(used.ru_utime) + time_of(used.ru_stime);
  return facts;
}

host_facts read_host_facts() {
  auto facts = read_process_facts();
  facts.open_files = count_open_files();
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) facts.open_files_max = files.rlim_cur;
  return facts;
}

std::optional<disk_facts> read_disk_facts(const std::filesystem::path& directory) {
  struct statvfs facts {};
  if (::statvfs(directory.c_str(), &facts) != 0) return std::nullopt;
  return disk_facts{std::uint64_t{facts.f_bavail} * facts.f_frsize, std::uint64_t{facts.f_blocks} * facts.f_frsize};
}

}  // namespace hypermesh::metrics
