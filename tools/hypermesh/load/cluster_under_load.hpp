#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tools/hypermesh/client/cluster_reports.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/load/increment_load.hpp"
#include "tools/hypermesh/load/running_load.hpp"
#include "tools/hypermesh/local_cluster/local_cluster.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"

namespace hypermesh::cli {

struct load_settings {
  std::uint32_t replicas = limits::replicas_min;
  /// The number of operations in progress at the same time.
  std::size_t in_flight = 64;
  /// The number of operations under one client signature.
  std::size_t bundle = 1;
  /// The size in MiB of the values that the state has in addition to the counters. They are written before the load
  /// begins. After that the replicas restart, so that their counters describe only the load.
  std::uint32_t state_mib = 0;
  /// The number of client identities. Client 0 makes the load, and client 1 is for an observer.
  std::uint32_t clients = 2;
  /// The program that runs the replicas.
  replica_program program = {};
  /// Replicas that another program runs. The run does not trust them and ignores their reports.
  std::map<std::uint32_t, replica_program> others = {};
  std::uint32_t checkpoint_period = 128;
  protocol::request_authentication requests_by = protocol::request_authentication::signature;
  /// Batches whose way each node keeps. If it is not 0, each node also has an HTTP server on a free port of 127.0.0.1.
  std::uint32_t traced_batches = 0;
  /// The numbers of answers at which the load records the time.
  std::vector<std::uint64_t> milestones = {};
  std::string state_machine = "key-value";
  /// Makes the load; without it, the load increments counters. The load may use the client until its last answer.
  std::function<std::shared_ptr<running_load>(hosted_client&)> make_load = {};
  /// Called when the files of the cluster exist and no replica has started yet.
  std::function<or_error<void>(local_cluster&)> before_start = {};
};

/// The progress of the load at a moment.
struct load_mark {
  std::chrono::steady_clock::time_point when;
  std::uint64_t answered = 0;
};

/// The load between two marks.
struct load_span {
  double seconds = 0;
  std::uint64_t operations = 0;

  [[nodiscard]] static load_span between(const load_mark& from, const load_mark& to);
  [[nodiscard]] double rate() const { return seconds > 0 ? static_cast<double>(operations) / seconds : 0; }
};

/// The outcome of all operations, and the states of the replicas.
struct load_verdict : load_findings {
  double elapsed_seconds = 0;
  cluster_reports reports;
  bool roots_are_equal = false;

  [[nodiscard]] bool is_right() const { return lost == 0 && doubled == 0 && failed == 0 && roots_are_equal; }
};

/// A local cluster, one client and its load, while faults are applied to the replicas. Use it from the main thread. The
/// destructor stops the whole cluster.
class cluster_under_load {
 public:
  using clock = std::chrono::steady_clock;
  /// A reason to end the run, or nothing.
  using outcome = or_run_failure<void>;

  cluster_under_load(const load_settings& settings, interruption& stop, run_narrator& narrator);
  ~cluster_under_load();
  cluster_under_load(const cluster_under_load&) = delete;
  cluster_under_load& operator=(const cluster_under_load&) = delete;

  /// Starts replicas and client, fills the state, and begins the load.
  [[nodiscard]] outcome start();

  [[nodiscard]] local_cluster& processes() { return *processes_; }
  [[nodiscard]] const genesis& content() const { return session_->cluster(); }
  [[nodiscard]] running_load& load() { return *load_; }
  /// The load, if it is the one that increments counters.
  [[nodiscard]] increment_load& increments();
  /// From now on, the run ignores the reports of this replica, or no longer does.
  void distrust(std::uint32_t replica) { distrusted_.insert(replica); }
  void trust(std::uint32_t replica) { distrusted_.erase(replica); }
  /// The time when the load began.
  [[nodiscard]] clock::time_point begun() const { return begun_; }
  [[nodiscard]] load_mark mark() const { return {clock::now(), load_->answered()}; }
  /// Seconds since the load began.
  [[nodiscard]] double seconds() const;

  /// From now on another client asks the replicas for reports over new links. The client that makes the load may wait
  /// for a while before it dials again a replica that was away.
  [[nodiscard]] outcome open_observer();

  /// The client that asks for reports, and that does not make the load if `open_observer` was called.
  [[nodiscard]] hosted_client& observer() { return observer_ == nullptr ? session_->client() : observer_->client(); }

  /// Asks all replicas for reports. There is no report of a replica that does not answer within `patience` or is not
  /// trusted.
  [[nodiscard]] cluster_reports look(std::chrono::milliseconds patience);
  /// The latest view that f + 1 of the replicas report.
  [[nodiscard]] view_number view_in(const cluster_reports& reports) const;
  [[nodiscard]] replica_id primary_of(view_number view) const;

  /// Waits until `reached` returns true; the function calls it repeatedly. Fails if a replica ended that was not
  /// killed, if the cluster stops answering, or if the user interrupts.
  [[nodiscard]] outcome wait_until(const std::function<bool()>& reached);
  /// Like the function above, but waits until a time.
  [[nodiscard]] outcome wait_until(clock::time_point time);

  /// Ends the load, waits until all replicas have executed the same number of batches, and judges the results.
  [[nodiscard]] or_run_failure<load_verdict> finish();

 private:
  [[nodiscard]] outcome start_processes();
  [[nodiscard]] outcome open_client(std::uint32_t number, std::unique_ptr<cluster_session>& into);
  [[nodiscard]] outcome fill_state();
  [[nodiscard]] outcome write_fillers();
  [[nodiscard]] outcome pass_checkpoints();
  [[nodiscard]] outcome start_anew();
  [[nodiscard]] outcome await(std::future<submit_outcome>& answer);
  [[nodiscard]] outcome check_health();
  [[nodiscard]] outcome end_load();
  [[nodiscard]] outcome compare(load_verdict& into);

  load_settings settings_;
  interruption* stop_;
  run_narrator* narrator_;
  std::unique_ptr<local_cluster> processes_;
  std::unique_ptr<cluster_session> session_;
  std::unique_ptr<cluster_session> observer_;
  std::shared_ptr<running_load> load_;
  /// The same object as `load_`, or null.
  std::shared_ptr<increment_load> increments_;
  std::set<std::uint32_t> distrusted_;
  clock::time_point begun_;
};

}  // namespace hypermesh::cli
