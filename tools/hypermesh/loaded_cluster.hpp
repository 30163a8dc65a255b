#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "tools/hypermesh/cluster_reports.hpp"
#include "tools/hypermesh/cluster_session.hpp"
#include "tools/hypermesh/increment_load.hpp"
#include "tools/hypermesh/interruption.hpp"
#include "tools/hypermesh/local_cluster.hpp"
#include "tools/hypermesh/replay_session.hpp"

namespace hypermesh::cli {

struct load_settings {
  std::uint32_t replicas = limits::replicas_min;
  /// Operations under way.
  std::size_t in_flight = 64;
  /// Operations under one client signature.
  std::size_t bundle = 1;
  /// Values that the state holds besides the counters, so that it has a size. They are written before the load begins,
  /// and the replicas start anew after that, so that what they tell is about the load alone.
  std::uint32_t state_mib = 0;
  /// Identities of clients; 0 makes the load, 1 is for whoever looks on.
  std::uint32_t clients = 2;
  /// What runs the replicas.
  replica_program program = {};
  /// Replicas that something else runs. They are not trusted: nothing that they say of themselves counts.
  std::map<std::uint32_t, replica_program> others = {};
  /// Numbers of answers at which the load notes the time.
  std::vector<std::uint64_t> milestones = {};
};

/// How far the load was at some moment.
struct load_mark {
  std::chrono::steady_clock::time_point when;
  std::uint64_t answered = 0;
};

/// What happened between two marks.
struct load_span {
  double seconds = 0;
  std::uint64_t operations = 0;

  [[nodiscard]] static load_span between(const load_mark& from, const load_mark& to);
  [[nodiscard]] double rate() const { return seconds > 0 ? static_cast<double>(operations) / seconds : 0; }
};

/// What became of all operations, and of the replicas' states.
struct load_verdict {
  double elapsed_seconds = 0;
  std::uint64_t acknowledged = 0;
  /// No answer in time.
  std::uint64_t failed = 0;
  /// Acknowledged and not in the final state, or there twice.
  std::uint64_t lost = 0;
  /// Of those: a sum that another increment gave too, or that cannot be.
  std::uint64_t wrong_sums = 0;
  std::uint64_t doubled = 0;
  cluster_reports reports;
  bool roots_are_equal = false;

  [[nodiscard]] bool is_right() const { return lost == 0 && doubled == 0 && failed == 0 && roots_are_equal; }
};

/// A local cluster of counters, one client and its load of increments, watched while something is done to the
/// replicas. Use it from the main thread. With the object all of the cluster is gone.
class loaded_cluster {
 public:
  using clock = std::chrono::steady_clock;
  /// A reason to end the run, or nothing.
  using failure = std::optional<replay_failure>;

  loaded_cluster(const load_settings& settings, interruption& stop, replay_narrator& narrator)
      : settings_(settings), stop_(&stop), narrator_(&narrator) {}
  ~loaded_cluster();
  loaded_cluster(const loaded_cluster&) = delete;
  loaded_cluster& operator=(const loaded_cluster&) = delete;

  /// Starts replicas and client, fills the state, and begins the load.
  [[nodiscard]] failure start();

  [[nodiscard]] local_cluster& processes() { return *processes_; }
  [[nodiscard]] const genesis& content() const { return session_->cluster(); }
  [[nodiscard]] increment_load& load() { return *load_; }
  /// When the load began.
  [[nodiscard]] clock::time_point begun() const { return begun_; }
  [[nodiscard]] load_mark mark() const { return {clock::now(), load_->answered()}; }
  /// Seconds since the load began.
  [[nodiscard]] double seconds() const;

  /// From now on another client asks the replicas where they stand. Its links are fresh, while those of the client that
  /// makes the load may wait for a while before they try again to reach a replica that was away.
  [[nodiscard]] failure open_observer();

  /// Asks all replicas where they stand; those that do not answer in `patience`, or are not trusted, stay silent.
  [[nodiscard]] cluster_reports look(std::chrono::milliseconds patience);
  /// As most of the replicas see it.
  [[nodiscard]] view_number view_in(const cluster_reports& reports) const;
  [[nodiscard]] replica_id primary_of(view_number view) const;

  /// Waits until `reached`, which is asked again and again; a failure when a replica ended that was not killed, when
  /// the cluster answers nothing any more, or when the user wants no more.
  [[nodiscard]] failure wait_until(const std::function<bool()>& reached);
  /// The same until a time.
  [[nodiscard]] failure wait_until(clock::time_point time);

  /// Ends the load, waits until all replicas are level, and reads all counters.
  [[nodiscard]] std::variant<load_verdict, replay_failure> finish();

 private:
  [[nodiscard]] failure start_processes();
  [[nodiscard]] failure open_client(std::uint32_t number, std::unique_ptr<cluster_session>& into);
  [[nodiscard]] failure fill_state();
  [[nodiscard]] failure write_fillers();
  [[nodiscard]] failure pass_checkpoints();
  [[nodiscard]] failure start_anew();
  [[nodiscard]] failure await(std::future<submit_outcome>& answer);
  [[nodiscard]] failure check_health();
  [[nodiscard]] failure end_load();
  [[nodiscard]] failure compare(load_verdict& into);
  [[nodiscard]] failure check_counters(load_verdict& into);

  load_settings settings_;
  interruption* stop_;
  replay_narrator* narrator_;
  std::unique_ptr<local_cluster> processes_;
  std::unique_ptr<cluster_session> session_;
  std::unique_ptr<cluster_session> observer_;
  std::shared_ptr<increment_load> load_;
  clock::time_point begun_;
};

}  // namespace hypermesh::cli
