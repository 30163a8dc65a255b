#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/keys.hpp"

namespace hypermesh::cli {

/// What a process has used so far.
struct process_usage {
  /// Resident memory now, and the most it was.
  std::uint64_t resident_bytes = 0;
  std::uint64_t resident_bytes_max = 0;
  double cpu_seconds = 0;
};

/// Another process of this same binary or of one next to it, which does not outlive its owner: killed and waited for on
/// destruction, and by the kernel when this process dies in any way (`stop_with_parent`). In a process group of its
/// own, so that Ctrl-C reaches the owner only, which then stops it in order.
class child_process {
 public:
  /// The descriptor at which the child finds the pipe for its word that it is ready.
  static constexpr int ready_descriptor = 3;

  /// Runs `binary` with `arguments`; its stderr goes to `log`. Call it from the main thread: the kernel ties the
  /// child's life to the thread that started it.
  [[nodiscard]] static or_error<std::unique_ptr<child_process>> start(const std::filesystem::path& binary,
                                                                      std::vector<std::string> arguments,
                                                                      const std::filesystem::path& log);

  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  [[nodiscard]] pid_t id() const { return id_; }
  /// Whether it has not ended by itself.
  [[nodiscard]] bool is_running();
  /// "exit code 2", "killed by signal 9"; for a process that ended.
  [[nodiscard]] std::string end_reason() const;
  /// Waits for the line that the child writes when it is ready; nothing when it ended or took too long.
  [[nodiscard]] std::optional<std::string> wait_until_ready(std::chrono::milliseconds patience);
  /// Nothing once it has ended.
  [[nodiscard]] std::optional<process_usage> usage() const;

  /// Sends it a signal, while it runs.
  void send(int signal) const;
  /// Asks it to end (SIGTERM).
  void ask_to_stop() const;
  /// Waits for its end; kills it after `patience`.
  void wait_or_kill(std::chrono::milliseconds patience);

 private:
  child_process(pid_t id, int ready) : id_(id), ready_(ready) {}

  pid_t id_;
  int ready_;
  /// As waitpid gives it.
  std::optional<int> status_;
};

/// This process's own binary.
inline constexpr auto own_binary = "/proc/self/exe";

/// The child's part: from now on the kernel kills this process when its parent `parent` dies. False when the
/// parent is dead already.
[[nodiscard]] bool stop_with_parent(pid_t parent);

/// The child's part: writes the line that says that it is ready, and closes `descriptor`. False when nobody reads it.
bool tell_ready(int descriptor, const std::string& line);

}  // namespace hypermesh::cli
