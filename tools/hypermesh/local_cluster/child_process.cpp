#include "tools/hypermesh/local_cluster/child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <thread>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

constexpr std::chrono::milliseconds poll_interval{5};

/// The arguments of posix_spawn. The destructor frees them.
struct spawn_plan {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;

  spawn_plan(const std::filesystem::path& log, int ready) {
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, ready, child_process::ready_descriptor);
    posix_spawnattr_init(&attributes);
    // The owner may block and ignore signals. The child starts with default signals, as if started from a shell.
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~spawn_plan() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  spawn_plan(const spawn_plan&) = delete;
  spawn_plan& operator=(const spawn_plan&) = delete;
};

/// Makes a pipe whose ends no child inherits by accident. Neither end is `child_process::ready_descriptor`, because a
/// descriptor that is duplicated onto itself would keep its close-on-exec flag.
bool make_pipe(std::array<int, 2>& ends) {
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  for (auto& end : ends) {
    if (end > child_process::ready_descriptor) continue;
    const int higher = fcntl(end, F_DUPFD_CLOEXEC, child_process::ready_descriptor + 1);
    if (higher < 0) return false;
    close(end);
    end = higher;
  }
  return true;
}

/// Reads a line of the kernel's report, which counts in KiB.
std::uint64_t memory_bytes_of(pid_t id, std::string_view name) {
  std::ifstream file{fmt::format("/proc/{}/status", id)};
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with(name)) continue;
    return std::strtoull(line.c_str() + name.size(), nullptr, 10) * 1'024;
  }
  return 0;
}

double cpu_seconds_of(pid_t id) {
  std::ifstream file{fmt::format("/proc/{}/stat", id)};
  std::string text;
  std::getline(file, text);
  // The second field is the name in parentheses, which may contain spaces. User and system time are fields 14 and 15.
  std::istringstream fields{text.substr(std::min(text.size(), text.rfind(')') + 1))};
  std::string skipped;
  for (int field = 3; field < 14; ++field)
    fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace

or_error<std::unique_ptr<child_process>> child_process::start(const std::filesystem::path& binary,
                                                              std::vector<std::string> arguments,
                                                              const std::filesystem::path& log) {
  std::array<int, 2> ends{-1, -1};
  if (!make_pipe(ends))
    return tl::unexpected(world_error{"no file descriptor is available", "raise the limit: ulimit -n 4096"});
  const spawn_plan plan{log, ends[1]};
  std::string name = "hypermesh";
  std::vector<char*> words{name.data()};
  for (auto& each : arguments)
    words.push_back(each.data());
  words.push_back(nullptr);
  pid_t id = 0;
  const int failed = posix_spawn(&id, binary.c_str(), &plan.files, &plan.attributes, words.data(), environ);
  close(ends[1]);
  if (failed != 0) {
    close(ends[0]);
    return tl::unexpected(world_error{fmt::format("cannot start {}: {}", binary.string(), std::strerror(failed)),
                                      "check that the file exists, and the limit of processes: ulimit -u"});
  }
  return std::unique_ptr<child_process>{new child_process{id, ends[0]}};
}

child_process::~child_process() {
  wait_or_kill(std::chrono::milliseconds{0});
  close(ready_);
}

bool child_process::is_running() {
  if (status_) return false;
  int status = 0;
  if (waitpid(id_, &status, WNOHANG) == id_) status_ = status;
  return !status_;
}

std::string child_process::end_reason() const {
  if (!status_) return "still running";
  if (WIFSIGNALED(*status_)) return fmt::format("killed by signal {}", WTERMSIG(*status_));
  return fmt::format("exit code {}", WEXITSTATUS(*status_));
}

std::optional<std::string> child_process::wait_until_ready(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::string line;
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd waiting{ready_, POLLIN, 0};
    if (poll(&waiting, 1, static_cast<int>(poll_interval.count())) <= 0) continue;
    char letter = 0;
    if (read(ready_, &letter, 1) <= 0) return std::nullopt;
    if (letter == '\n') return line;
    line += letter;
  }
  return std::nullopt;
}

std::optional<process_usage> child_process::usage() const {
  if (status_) return std::nullopt;
  return process_usage{memory_bytes_of(id_, "VmRSS:"), memory_bytes_of(id_, "VmHWM:"), cpu_seconds_of(id_)};
}

void child_process::send(int signal) const {
  if (!status_) kill(id_, signal);
}

void child_process::ask_to_stop() const { send(SIGINT); }

void child_process::wait_or_kill(std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (is_running() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::sleep_for(poll_interval);
  if (!is_running()) return;
  kill(id_, SIGKILL);
  int status = 0;
  while (waitpid(id_, &status, 0) < 0 && errno == EINTR) {
  }
  status_ = status;
}

bool stop_with_parent(pid_t parent) {
  // The order of the two calls matters: if the parent dies between them, the second call detects this.
  return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent;
}

bool tell_ready(int descriptor, const std::string& line) {
  const bool done = write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  close(descriptor);
  return done;
}

}  // namespace hypermesh::cli
