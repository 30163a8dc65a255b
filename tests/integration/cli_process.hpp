#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/free_ports.hpp"

/// Runs the product's binary as its users do: real processes, real sockets, real files. Tests wait for conditions with
/// generous deadlines and make no claim about time.
namespace hypermesh::testing::cli_test {

namespace fs = std::filesystem;
using words = std::vector<std::string>;

inline std::string text_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

inline void write_text(const fs::path& file, const std::string& text) { std::ofstream{file, std::ios::binary} << text; }

template <class Condition>
bool eventually(Condition holds, std::chrono::seconds patience = std::chrono::seconds{60}) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  }
  return true;
}

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// Makes lines for `submit -`.
inline std::string puts(std::size_t count) {
  std::string lines;
  for (std::size_t index = 0; index < count; ++index)
    lines += "put key-" + std::to_string(index) + " " + std::to_string(index) + "\n";
  return lines;
}

/// A folder of one test, which is removed when the test ends. Its name is part of the command line or environment of
/// every process of the test, so leftover processes can be found.
class scratch_folder {
 public:
  scratch_folder() {
    std::string name = (fs::temp_directory_path() / "hypermesh-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~scratch_folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// The processes whose command line contains `text`.
inline std::vector<pid_t> processes_with(const std::string& text) {
  std::vector<pid_t> found;
  std::error_code gone;
  for (const auto& entry : fs::directory_iterator{"/proc", gone}) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (text_of(entry.path() / "cmdline").find(text) != std::string::npos) found.push_back(std::stoi(name));
  }
  return found;
}

struct process_streams {
  fs::path in = "/dev/null";
  fs::path out = "/dev/null";
  fs::path err = "/dev/null";
  /// TMPDIR of the process; if empty, the process uses the TMPDIR of the test.
  fs::path temporary = {};
  std::string binary = HYPERMESH_BINARY;
  /// Descriptors that are closed before the process begins.
  std::vector<int> closed = {};
  /// Signals that the process ignores from its beginning.
  std::vector<int> ignored = {};
  /// Resource limits for setrlimit.
  std::vector<std::pair<int, rlim_t>> limits = {};
  /// The user of the process. A user other than the user of the test requires root. 0 means the user of the test.
  uid_t user = 0;
  /// The working directory of the process; if empty, the working directory of the test.
  fs::path folder = {};
};

/// The process `hypermesh ARGUMENTS`, or another binary. The destructor kills the process.
class process {
 public:
  process(const words& arguments, const process_streams& streams) {
    id_ = fork();
    if (id_ == 0) become(arguments, streams);
  }
  ~process() {
    send(SIGKILL);
    (void)wait();
  }
  process(const process&) = delete;
  process& operator=(const process&) = delete;

  void send(int signal) const {
    if (!status_) kill(id_, signal);
  }

  /// Waits for the end. Returns the exit code, or 1000 plus the signal that killed it, or nothing after a time-out.
  std::optional<int> wait(std::chrono::seconds patience = std::chrono::seconds{120}) {
    eventually([this] { return has_ended(); }, patience);
    if (!status_) return std::nullopt;
    return WIFEXITED(*status_) ? WEXITSTATUS(*status_) : 1'000 + WTERMSIG(*status_);
  }

  bool has_ended() {
    int status = 0;
    if (!status_ && waitpid(id_, &status, WNOHANG) == id_) status_ = status;
    return status_.has_value();
  }

 private:
  [[noreturn]] static void become(const words& arguments, const process_streams& streams) {
    dup2(open(streams.in.c_str(), O_RDONLY | O_CLOEXEC), STDIN_FILENO);
    dup2(open(streams.out.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), STDOUT_FILENO);
    dup2(open(streams.err.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600), STDERR_FILENO);
    if (!streams.temporary.empty()) setenv("TMPDIR", streams.temporary.c_str(), 1);
    for (const int each : streams.closed)
      close(each);
    for (const int each : streams.ignored)
      std::signal(each, SIG_IGN);
    for (const auto& [what, most] : streams.limits) {
      const rlimit limit{most, most};
      setrlimit(static_cast<__rlimit_resource>(what), &limit);
    }
    if (!streams.folder.empty() && chdir(streams.folder.c_str()) != 0) _exit(126);
    if (streams.user != 0 && setuid(streams.user) != 0) _exit(126);
    auto binary = streams.binary;
    auto copies = arguments;
    std::vector<char*> argument_list{binary.data()};
    for (auto& each : copies)
      argument_list.push_back(each.data());
    argument_list.push_back(nullptr);
    execv(binary.c_str(), argument_list.data());
    _exit(127);
  }

  pid_t id_ = 0;
  std::optional<int> status_;
};

struct finished {
  int code = -1;
  std::string out;
  std::string err;
};

/// A command that runs while the test goes on. A stream that is /dev/null is replaced by a new file.
class running_command {
 public:
  running_command(const words& arguments, const process_streams& streams, const std::string& input = "")
      : process_(arguments, prepared(streams, input)) {}

  /// Waits for the end of the command.
  [[nodiscard]] finished end() {
    const auto code = process_.wait();
    return {code.value_or(-1), text_of(folder_ / "out"), text_of(folder_ / "err")};
  }

 private:
  [[nodiscard]] process_streams prepared(process_streams streams, const std::string& input) const {
    write_text(folder_ / "in", input);
    if (streams.in == "/dev/null") streams.in = folder_ / "in";
    if (streams.out == "/dev/null") streams.out = folder_ / "out";
    if (streams.err == "/dev/null") streams.err = folder_ / "err";
    return streams;
  }

  scratch_folder folder_;
  process process_;
};

/// Runs the command to its end with these streams. A stream that is /dev/null is replaced by a new file.
inline finished run_with(const words& arguments, const process_streams& streams, const std::string& input = "") {
  return running_command{arguments, streams, input}.end();
}

/// Runs the command to its end.
inline finished run(const words& arguments, const std::string& input = "", const fs::path& temporary = {}) {
  const scratch_folder folder;
  write_text(folder / "in", input);
  process_streams streams{folder / "in", folder / "out", folder / "err", temporary};
  process command{arguments, streams};
  const auto code = command.wait();
  return {code.value_or(-1), text_of(folder / "out"), text_of(folder / "err")};
}

/// Replaces the first occurrence of `from` in the file by `to`.
inline void edit(const fs::path& file, const std::string& from, const std::string& to) {
  auto text = text_of(file);
  const auto at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, from);
  write_text(file, text.replace(at, from.size(), to));
}

/// A cluster of four replicas, each in its own process.
class running_cluster {
 public:
  /// `more` contains further options of `hypermesh init`.
  explicit running_cluster(const std::string& machine = "key-value", const words& more = {}, std::uint16_t size = 4)
      : first_port_(free_port_row(size)), replicas_(size) {
    words all{"init",       directory(),         "--machine", machine, "--first-port", std::to_string(first_port_),
              "--replicas", std::to_string(size)};
    all.insert(all.end(), more.begin(), more.end());
    made_ = run(all);
    for (std::uint32_t number = 0; number < size; ++number)
      start(number);
  }

  [[nodiscard]] std::string directory() const { return (folder_ / "cluster").string(); }
  [[nodiscard]] const finished& made() const { return made_; }
  [[nodiscard]] std::uint16_t port_of(std::uint32_t number) const {
    return static_cast<std::uint16_t>(first_port_ + number);
  }
  [[nodiscard]] process& replica(std::uint32_t number) { return *replicas_[number]; }

  /// `how` describes the process, but its streams are replaced.
  void start(std::uint32_t number, const words& more = {}, process_streams how = {}) {
    words all{"start", "--config", config_of(number)};
    all.insert(all.end(), more.begin(), more.end());
    how.out = out_of(number);
    how.err = err_of(number);
    replicas_[number].reset();
    fs::remove(out_of(number));
    replicas_[number] = std::make_unique<process>(all, how);
  }

  [[nodiscard]] std::string config_of(std::uint32_t number) const {
    return directory() + "/replica-" + std::to_string(number) + "/node.toml";
  }

  /// Stops the replica and starts it again under the control of an adversary.
  void corrupt(std::uint32_t number, const std::string& strategy) {
    replicas_[number]->send(SIGTERM);
    (void)replicas_[number]->wait();
    fs::remove(out_of(number));
    const auto config = directory() + "/replica-" + std::to_string(number) + "/node.toml";
    replicas_[number] =
        std::make_unique<process>(words{"byzantine", "--strategy", strategy, "--config", config},
                                  process_streams{"/dev/null", out_of(number), err_of(number), {}, HYPERMESH_LAB});
  }

  /// Whether all replicas report that they listen.
  [[nodiscard]] bool is_ready() {
    return eventually([this] {
      for (std::uint32_t number = 0; number < replicas_.size(); ++number) {
        if (!text_of(out_of(number)).starts_with("ready replica=" + std::to_string(number))) return false;
      }
      return true;
    });
  }

  [[nodiscard]] fs::path out_of(std::uint32_t number) const { return folder_ / ("out-" + std::to_string(number)); }
  [[nodiscard]] fs::path err_of(std::uint32_t number) const { return folder_ / ("err-" + std::to_string(number)); }

  /// Runs a command on this cluster.
  [[nodiscard]] finished ask(const std::string& command, words more, const std::string& input = "") const {
    words all{command, "--cluster", directory()};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, input);
  }

 private:
  scratch_folder folder_;
  std::uint16_t first_port_;
  finished made_;
  std::vector<std::unique_ptr<process>> replicas_;
};

}  // namespace hypermesh::testing::cli_test
