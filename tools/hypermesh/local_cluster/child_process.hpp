#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/keys.hpp"

namespace hypermesh::cli {

/// The resources that a process has used so far.
struct process_usage {
  /// The resident memory now, and its maximum.
  std::uint64_t resident_bytes = 0;
  std::uint64_t resident_bytes_max = 0;
  double cpu_seconds = 0;
};

/// A process of this binary or of a binary in the same folder. The process does not outlive its owner. The destructor
/// kills it and waits for its end, and the kernel kills it when this process dies in any way (`stop_with_parent`). It
/// has a separate process group, so Ctrl-C reaches only the owner, which then stops the child in order.
class child_process {
 public:
  /// The descriptor on which the child reports that it is ready.
  static constexpr int ready_descriptor = 3;

  /// Runs `binary` with `arguments`; its stderr is written to `log`. Call this from the main thread, because the kernel
  /// ties the child's life to the thread that started it.
  [[nodiscard]] static or_error<std::unique_ptr<child_process>> start(const std::filesystem::path& binary,
                                                                      std::vector<std::string> arguments,
                                                                      const std::filesystem::path& log);

  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  /// Whether the process is still running.
  [[nodiscard]] bool is_running();
  /// Describes the end of a process, for example "exit code 2" or "killed by signal 9".
  [[nodiscard]] std::string end_reason() const;
  /// Waits for the line that the child writes when it is ready. Returns nothing if the child ended or took too long.
  [[nodiscard]] std::optional<std::string> wait_until_ready(std::chrono::milliseconds patience);
  /// The resources in use; nothing after the process ended.
  [[nodiscard]] std::optional<process_usage> usage() const;

  /// Sends a signal if the process runs.
  void send(int signal) const;
  /// Asks the process to end at once (SIGINT). After SIGTERM a primary would hand its view over first, which is in vain
  /// when its whole cluster ends.
  void ask_to_stop() const;
  /// Waits for the end of the process; kills it after `patience`.
  void wait_or_kill(std::chrono::milliseconds patience);

 private:
  child_process(pid_t id, int ready) : id_(id), ready_(ready) {}

  pid_t id_;
  int ready_;
  /// The status as waitpid returned it.
  std::optional<int> status_;
};

/// The binary of this process.
inline constexpr auto own_binary = "/proc/self/exe";

/// Called by the child. From now on the kernel kills this process when its parent `parent` dies. Returns false if the
/// parent is dead already.
[[nodiscard]] bool stop_with_parent(pid_t parent);

/// Called by the child. Writes the line that says that it is ready, and closes `descriptor`. Returns false if the line
/// could not be written.
bool tell_ready(int descriptor, const std::string& line);

}  // namespace hypermesh::cli
