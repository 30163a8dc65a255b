#pragma once

#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/node_config.hpp"
#include "tools/hypermesh/child_process.hpp"
#include "tools/hypermesh/temporary_directory.hpp"

namespace hypermesh::cli {

/// What runs a replica: a binary, and its words before those that every replica gets, `--config` and so on.
struct replica_program {
  std::filesystem::path binary = own_binary;
  std::vector<std::string> words = {"start", "--log-level", "warn"};
};

/// A cluster of real processes on this machine's loopback, in a temporary directory. Everything of it is gone with
/// the object; the processes die with this process in any case.
class local_cluster {
 public:
  using clock = std::chrono::steady_clock;

  /// Makes keys and configuration. `replicas`, `clients` and `state_machine` of the plan count; the addresses are free
  /// ports of 127.0.0.1.
  [[nodiscard]] static or_error<std::unique_ptr<local_cluster>> prepare(cluster_plan plan);

  /// Stops what runs.
  ~local_cluster();
  local_cluster(const local_cluster&) = delete;
  local_cluster& operator=(const local_cluster&) = delete;

  /// From its next start on, `program` runs the replica.
  void run_with(std::uint32_t number, replica_program program) { programs_.at(number) = std::move(program); }
  /// Starts all replicas and waits until they listen. Call it from the main thread.
  [[nodiscard]] std::optional<world_error> start();

  [[nodiscard]] const cluster_layout& layout() const { return layout_; }
  [[nodiscard]] const genesis& content() const { return content_; }
  [[nodiscard]] const std::vector<std::uint16_t>& ports() const { return plan_.ports; }
  /// When the first process was started.
  [[nodiscard]] clock::time_point started() const { return started_; }

  /// Sends a signal to a replica that is not killed.
  void send(std::uint32_t number, int signal) const;
  /// SIGKILL: what the replica had not on disk is gone. It is awaited.
  void kill(std::uint32_t number);
  /// Starts a killed replica again, over what its disk holds, and waits until it listens. Call it from the main thread.
  [[nodiscard]] std::optional<world_error> restart(std::uint32_t number);
  /// Takes a killed replica's data directory away; from then on it starts as a learner.
  [[nodiscard]] std::optional<world_error> lose_disk(std::uint32_t number);
  [[nodiscard]] bool is_killed(std::uint32_t number) const { return replicas_.at(number) == nullptr; }

  /// Of each replica; zeros for one that has ended.
  [[nodiscard]] std::vector<process_usage> usage() const;
  /// What the files in each replica's data directory hold.
  [[nodiscard]] std::vector<std::uint64_t> disk_bytes() const;
  /// What each replica's audit trail holds; at most what its configuration retains.
  [[nodiscard]] std::vector<std::uint64_t> audit_bytes() const;

  /// Which replicas ended by themselves, and their last words; nothing while all run.
  [[nodiscard]] std::optional<world_error> loss();

  /// SIGTERM to all, SIGKILL to those that do not end in time. False when one had to be killed or had ended before.
  bool stop();

 private:
  local_cluster() = default;

  [[nodiscard]] std::optional<world_error> launch(std::uint32_t number);
  [[nodiscard]] std::optional<world_error> await(std::uint32_t number, clock::time_point deadline);
  [[nodiscard]] std::filesystem::path log_of(std::uint32_t number) const;
  [[nodiscard]] std::string last_words_of(std::uint32_t number) const;

  std::unique_ptr<temporary_directory> directory_;
  cluster_layout layout_;
  cluster_plan plan_;
  genesis content_;
  clock::time_point started_;
  std::vector<replica_program> programs_;
  /// By replica number; nothing while it is killed.
  std::vector<std::unique_ptr<child_process>> replicas_;
  std::set<std::uint32_t> learners_;
};

/// `count` ports of 127.0.0.1 on which nobody listens, outside of the range from which the system takes ports for
/// outgoing connections: one of ours could take a port of a replica that is about to listen. Fewer when so many are
/// not free.
[[nodiscard]] std::vector<std::uint16_t> free_ports(std::size_t count);

}  // namespace hypermesh::cli
