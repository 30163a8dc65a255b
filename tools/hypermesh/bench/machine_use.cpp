#include "tools/hypermesh/bench/machine_use.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

namespace fs = std::filesystem;

std::string text_of_file(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// The numbers of a line, separated by spaces, up to the first word that is none.
std::vector<std::uint64_t> numbers_in(std::string_view line) {
  std::vector<std::uint64_t> numbers;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::uint64_t number = 0;
    const auto [end, wrong] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (wrong != std::errc{}) return numbers;
    numbers.push_back(number);
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  }
}

duration time_of(std::uint64_t ticks, long ticks_per_second) {
  return duration{static_cast<duration::rep>(ticks * 1'000'000 / static_cast<std::uint64_t>(ticks_per_second))};
}

long ticks_per_second() { return std::max(sysconf(_SC_CLK_TCK), 1L); }

std::string role_of(const thread_use& thread, pid_t clock) {
  const std::string_view name = thread.name;
  if (name == "caf.multiplexer") return thread.id < clock ? "actors" : "links";
  if (name == "caf.worker") return "actors";
  if (name == "caf.clock") return "timer";
  if (name.starts_with("caf.")) return "own";
  return name.starts_with("rocksdb") ? "database" : "rest";
}

}  // namespace

std::optional<duration> busy_time_in(std::string_view text, long ticks_per_second) {
  constexpr std::string_view head = "cpu ";
  if (!text.starts_with(head) || ticks_per_second < 1) return std::nullopt;
  // user, nice, system, idle, iowait, irq, softirq, steal. The times of guests are part of user and nice.
  const auto fields = numbers_in(text.substr(head.size(), text.find('\n') - head.size()));
  constexpr std::size_t wanted = 8;
  constexpr std::array<std::size_t, 6> busy = {0, 1, 2, 5, 6, 7};
  if (fields.size() < wanted) return std::nullopt;
  std::uint64_t ticks = 0;
  for (const auto index : busy)
    ticks += fields[index];
  return time_of(ticks, ticks_per_second);
}

std::optional<duration> processor_time_in(std::string_view text, long ticks_per_second) {
  // The second field is the name in parentheses, which may contain spaces and parentheses. After it come the state and
  // then numbers, of which some may be negative: user time is field 14, system time field 15.
  const auto end = text.rfind(')');
  if (end == std::string_view::npos || ticks_per_second < 1) return std::nullopt;
  text.remove_prefix(end + 1);
  constexpr int skipped = 11;
  for (int field = 0; field < skipped; ++field) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    text.remove_prefix(std::min(text.find(' '), text.size()));
  }
  const auto times = numbers_in(text.substr(0, text.find('\n')));
  if (times.size() < 2) return std::nullopt;
  return time_of(times[0] + times[1], ticks_per_second);
}

role_times times_by_role(std::vector<thread_use> threads) {
  const auto clock = std::ranges::find(threads, "caf.clock", &thread_use::name);
  // Without a clock every multiplexer counts as a link.
  const auto clock_id = clock == threads.end() ? 0 : clock->id;
  role_times times;
  for (const auto& each : threads)
    times[role_of(each, clock_id)] += each.processor;
  return times;
}

role_times difference(const role_times& after, const role_times& before) {
  role_times times;
  for (const auto& [role, time] : after) {
    const auto found = before.find(role);
    times[role] = std::max(time - (found == before.end() ? duration{0} : found->second), duration{0});
  }
  return times;
}

std::vector<thread_use> threads_of_process(pid_t process) {
  std::vector<thread_use> threads;
  std::error_code gone;
  fs::directory_iterator each{fmt::format("/proc/{}/task", process), gone};
  for (; !gone && each != fs::directory_iterator{}; each.increment(gone)) {
    const auto number = each->path().filename().string();
    thread_use thread;
    std::from_chars(number.data(), number.data() + number.size(), thread.id);
    thread.name = text_of_file(each->path() / "comm");
    if (!thread.name.empty() && thread.name.back() == '\n') thread.name.pop_back();
    const auto time = processor_time_in(text_of_file(each->path() / "stat"), ticks_per_second());
    if (!time) continue;
    thread.processor = *time;
    threads.push_back(std::move(thread));
  }
  return threads;
}

std::optional<duration> processor_time_of(pid_t process) {
  return processor_time_in(text_of_file(fmt::format("/proc/{}/stat", process)), ticks_per_second());
}

std::optional<duration> busy_time_now() { return busy_time_in(text_of_file("/proc/stat"), ticks_per_second()); }

}  // namespace hypermesh::cli
