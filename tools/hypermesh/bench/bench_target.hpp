#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tools/hypermesh/bench/bench_plan.hpp"
#include "tools/hypermesh/bench/machine_use.hpp"
#include "tools/hypermesh/bench/replica_counts.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/local_cluster/local_cluster.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"

namespace hypermesh::cli {

/// The replicas at one moment. The entry of a replica that did not answer is empty.
struct target_sample {
  moment when;
  std::vector<std::optional<replica_counts>> counts;
  /// By the role of the threads, for replicas that this command started.
  std::vector<role_times> roles;
  /// Processor time of each replica.
  std::vector<duration> processor;
};

/// The group size, the machine and the folder of a cluster, and where its clients find their files.
struct target_facts {
  std::filesystem::path root;
  std::string machine;
  std::uint32_t replicas = 0;
  std::uint32_t quorum = 0;
  std::uint32_t clients = 0;
  /// Whether clients sign their requests.
  bool requests_are_signed = true;
  /// Whether the processor time of the replicas is part of that of this machine.
  bool is_on_this_machine = true;
  /// Whether the counters include the kinds of frames.
  bool tells_kinds = true;
};

/// The cluster that is measured. Use it from the main thread.
class bench_target {
 public:
  virtual ~bench_target() = default;

  [[nodiscard]] virtual target_facts facts() const = 0;
  /// Reads all counters now. Takes some milliseconds for each replica.
  [[nodiscard]] virtual target_sample sample(interruption& stop) = 0;
  /// An error if a replica ended.
  [[nodiscard]] virtual or_error<void> check_health() = 0;
  /// The folder of the replicas' data; empty if this command does not own it.
  [[nodiscard]] virtual std::filesystem::path data_folder() const = 0;
};

/// What a cluster of this command needs.
struct own_cluster_plan {
  std::string machine;
  std::uint32_t replicas = 4;
  std::uint32_t clients = 1;
  protocol::request_authentication requests_by = protocol::request_authentication::signature;
  /// The value of "storage.mode".
  std::string durability = "sync";
};

/// Starts a cluster of processes in a temporary folder. They end with the target. Their HTTP servers give the counters.
[[nodiscard]] or_run_failure<std::unique_ptr<bench_target>> start_own_cluster(const own_cluster_plan& plan,
                                                                              run_narrator& narrator);

/// Joins the running cluster in the folder `root`. If the folder has the files of all replicas, and each has an HTTP
/// server without a token, the counters come from there. Otherwise they come from the replicas' reports to the client
/// `self`, so they lack the kinds of frames, and each may be a second old. The threads of another command's processes
/// are never told, because neither source has them.
[[nodiscard]] or_run_failure<std::unique_ptr<bench_target>> join_cluster(const std::string& root, std::uint32_t self);

}  // namespace hypermesh::cli
