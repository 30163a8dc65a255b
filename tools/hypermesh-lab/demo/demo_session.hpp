#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/hypermesh-lab/demo/demo_picture.hpp"
#include "tools/hypermesh-lab/demo/demo_state.hpp"
#include "tools/hypermesh-lab/demo/link_relay.hpp"
#include "tools/hypermesh/load/cluster_under_load.hpp"
#include "tools/hypermesh/load/workload.hpp"

namespace hypermesh::lab {

struct demo_settings {
  /// Operations in progress at the same time. Few of them, so that the machine has time for the faults.
  std::size_t in_flight = 8;
  /// The strategy of the replica that lies when it is told to.
  std::string strategy = "conflicting-votes";
  /// The history of a GPU cluster whose operations are the load.
  cli::workload_source source;
};

/// A cluster of four real processes under load, each with its page, to which a viewer does harm. The links between the
/// replicas pass a relay in this process, which can cut them. Replica 3 is run by the lab binary, honest until it is
/// told to lie; every other replica can be started again as a liar. Use it from the main thread. The destructor stops
/// everything and removes all files.
class demo_session {
 public:
  using clock = cli::cluster_under_load::clock;
  using outcome = cli::cluster_under_load::outcome;

  demo_session(const demo_settings& settings, cli::workload work, cli::interruption& stop, cli::run_narrator& narrator);
  ~demo_session();
  demo_session(const demo_session&) = delete;
  demo_session& operator=(const demo_session&) = delete;

  /// Returns after the first operation was committed.
  [[nodiscard]] outcome start();
  /// The address of the page of this replica; nothing while the lab binary runs it, which has no page.
  [[nodiscard]] std::optional<links::replica_address> page_of(std::uint32_t replica) const;
  /// A replica that is not harmed and has a page; the same one as long as possible.
  [[nodiscard]] std::optional<links::replica_address> page_to_show();

  /// Does what is asked, except `quit`. The sentence says what was done; the error says why it was refused.
  [[nodiscard]] or_error<std::string> cause(const demo_request& wanted);
  /// Asks all replicas, and notes what has changed. Fails if a replica ended by itself.
  [[nodiscard]] outcome look();
  /// The reports of the last look.
  [[nodiscard]] const cli::cluster_reports& reports() const { return reports_; }
  [[nodiscard]] demo_facts facts() const;
  /// Whether the replica that lied last is convicted.
  [[nodiscard]] bool is_liar_convicted() const;
  [[nodiscard]] cli::cluster_under_load& cluster() { return *cluster_; }
  /// What a viewer sees now, without the address of the control page.
  [[nodiscard]] demo_picture picture() const;

 private:
  [[nodiscard]] cli::load_settings load_settings_of(const demo_settings& settings);
  [[nodiscard]] or_error<void> reroute(cli::local_cluster& cluster);
  [[nodiscard]] outcome open_observer();
  [[nodiscard]] or_error<void> read_pages();
  [[nodiscard]] or_error<std::string> harm(demo_action action, std::uint32_t replica);
  [[nodiscard]] or_error<std::string> make_liar(std::uint32_t replica);
  [[nodiscard]] or_error<void> restart_as_learner(std::uint32_t replica);
  [[nodiscard]] or_error<std::string> heal();
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] bool has_quorum() const;
  [[nodiscard]] replica_picture picture_of(std::uint32_t replica) const;
  void note(std::string what);

  demo_settings settings_;
  cli::workload work_;
  cli::interruption* stop_;
  std::unique_ptr<link_relay> relay_;
  std::unique_ptr<cli::cluster_under_load> cluster_;
  std::unique_ptr<cli::cluster_session> observer_;
  cli::cluster_reports reports_;
  std::vector<links::replica_address> pages_;
  std::uint32_t shown_ = 0;
  /// The replicas that the lab binary runs.
  std::set<std::uint32_t> lab_runs_;
  /// The last replica that lost its disk.
  std::optional<std::uint32_t> learner_;
  demo_action harm_ = demo_action::heal;
  std::optional<std::uint32_t> harmed_;
  std::optional<std::uint32_t> liar_;
  bool was_convicted_ = false;
  /// The number of executed batches that every replica must reach before the next fault.
  sequence_number to_catch_up_;
  clock::time_point caused_at_;
  std::deque<std::string> notes_;
  cli::load_mark last_mark_;
  double rate_ = 0;
};

}  // namespace hypermesh::lab
