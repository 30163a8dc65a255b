#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/node_config.hpp"
#include "tools/hypermesh/local_cluster/child_process.hpp"
#include "tools/hypermesh/local_cluster/temporary_directory.hpp"

namespace hypermesh::cli {

/// The program of a replica: a binary and its first arguments. `--config` and the other common arguments follow them.
struct replica_program {
  std::filesystem::path binary = own_binary;
  std::vector<std::string> words = {"start", "--log-level", "warn"};
};

/// A value in the configuration of a replica, as TOML: {"storage", "mode", "\"memory\""}.
struct node_value {
  std::string table;
  std::string key;
  std::string literal;
};

/// A cluster of real processes on the loopback interface of this machine, in a temporary directory. The destructor
/// removes the processes and the directory. The processes always die with this process.
class local_cluster {
 public:
  using clock = std::chrono::steady_clock;

  /// Makes keys and configuration. Only `replicas`, `clients` and `state_machine` of the plan are used. The addresses
  /// are free ports of 127.0.0.1.
  [[nodiscard]] static or_error<std::unique_ptr<local_cluster>> prepare(cluster_plan plan);

  /// Stops the running processes.
  ~local_cluster();
  local_cluster(const local_cluster&) = delete;
  local_cluster& operator=(const local_cluster&) = delete;

  /// Sets values in the configuration of a replica. They count from its next start on.
  [[nodiscard]] or_error<void> configure(std::uint32_t number, const std::vector<node_value>& values);
  /// Turns on the HTTP server of each replica, on a free port of 127.0.0.1. Call it before `start`.
  [[nodiscard]] or_error<void> serve_http();
  /// The ports of the HTTP servers; empty if there are none.
  [[nodiscard]] const std::vector<std::uint16_t>& http_ports() const { return http_ports_; }
  /// Turns on the HTTP server and the trace of each replica. Call it before `start`.
  [[nodiscard]] or_error<void> keep_traces(std::uint32_t batches);
  /// Copies the log of each replica to `folder`, as "replica-0.log". The folder is made if it does not exist.
  [[nodiscard]] or_error<void> save_logs(const std::filesystem::path& folder) const;

  /// From its next start on, replica `number` is run by `program`.
  void run_with(std::uint32_t number, replica_program program) { programs_.at(number) = std::move(program); }
  /// Starts all replicas and waits until they listen. Call it from the main thread.
  [[nodiscard]] or_error<void> start();

  [[nodiscard]] const cluster_layout& layout() const { return layout_; }
  [[nodiscard]] const genesis& content() const { return content_; }
  [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return plan_.ports; }
  /// The time when the first process was started.
  [[nodiscard]] clock::time_point started() const { return started_; }

  /// Sends a signal to a replica that is not killed.
  void send(std::uint32_t number, int signal) const;
  /// Sends SIGKILL and waits for the end. The replica loses everything that was not on its disk.
  void kill(std::uint32_t number);
  /// Sends SIGTERM, after which a primary hands its view over, and waits for the end; kills the replica after
  /// `patience`. Returns whether it ended by itself and without an error. Call it from the main thread.
  [[nodiscard]] bool terminate(std::uint32_t number, std::chrono::milliseconds patience);
  /// Starts a killed replica again from its disk, and waits until it listens. Call it from the main thread.
  [[nodiscard]] or_error<void> restart(std::uint32_t number);
  /// Moves the data directory of a killed replica away. From then on the replica starts as a learner.
  [[nodiscard]] or_error<void> lose_disk(std::uint32_t number);

  /// The resources of each replica; zeros for a replica that has ended.
  [[nodiscard]] std::vector<process_usage> usage() const;
  /// The process of each replica; 0 for a replica that is killed.
  [[nodiscard]] std::vector<pid_t> process_ids() const;
  /// The size of the files in each replica's data directory.
  [[nodiscard]] std::vector<std::uint64_t> disk_bytes() const;
  /// The size of each replica's audit trail. The retention in the configuration bounds it.
  [[nodiscard]] std::vector<std::uint64_t> audit_bytes() const;

  /// Returns an error if replicas ended unexpectedly. The error shows the end of their logs.
  [[nodiscard]] or_error<void> check_replicas();

  /// Sends SIGINT to all replicas, and SIGKILL to those that do not end in time. Returns false if a replica had to be
  /// killed, had ended before, or ended with an error.
  bool stop();

 private:
  local_cluster() = default;

  [[nodiscard]] or_error<void> launch(std::uint32_t number);
  [[nodiscard]] or_error<void> await(std::uint32_t number, clock::time_point deadline);
  [[nodiscard]] std::filesystem::path log_of(std::uint32_t number) const;
  [[nodiscard]] std::string last_words_of(std::uint32_t number) const;

  std::unique_ptr<temporary_directory> directory_;
  cluster_layout layout_;
  cluster_plan plan_;
  genesis content_;
  clock::time_point started_;
  std::vector<std::uint16_t> http_ports_;
  std::vector<replica_program> programs_;
  /// The processes by replica number; null while the replica is killed.
  std::vector<std::unique_ptr<child_process>> replicas_;
  std::set<std::uint32_t> learners_;
};

/// Finds `count` ports of 127.0.0.1 on which no process listens. The ports are outside of the range from which the
/// system takes ports for outgoing connections, because an outgoing connection of this process could otherwise take the
/// port of a replica that is about to listen. Returns fewer ports if not enough are free.
[[nodiscard]] std::vector<std::uint16_t> free_ports(std::size_t count);

}  // namespace hypermesh::cli
