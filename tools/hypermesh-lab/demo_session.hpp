#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/hypermesh/load/cluster_under_load.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::lab {

struct demo_settings {
  /// Operations in progress at the same time. Few of them, so that the machine has time for the faults.
  std::size_t in_flight = 8;
  /// The strategy of the replica that lies when it is told to.
  std::string strategy = "conflicting-votes";
};

/// A fault that a viewer causes, or its end.
enum class demo_fault : std::uint8_t { kill_primary, pause, lie, lose_disk, heal };
inline constexpr auto demo_fault_last = demo_fault::heal;

/// A key of the interactive demonstration.
struct demo_key {
  char key;
  demo_fault fault;
  std::string_view about;
};
[[nodiscard]] const std::vector<demo_key>& demo_keys();

/// A cluster of four real processes under load, each with its page, to which a viewer does harm. One replica is a lab
/// binary that is honest until it is told to lie. Four replicas tolerate one fault, so a second fault is refused until
/// the first one is healed. Use it from the main thread. The destructor stops everything and removes all files.
class demo_session {
 public:
  using clock = cli::cluster_under_load::clock;
  using outcome = cli::cluster_under_load::outcome;

  /// The replica that lies.
  static constexpr std::uint32_t liar = 3;

  demo_session(const demo_settings& settings, cli::interruption& stop, cli::run_narrator& narrator);
  ~demo_session();
  demo_session(const demo_session&) = delete;
  demo_session& operator=(const demo_session&) = delete;

  /// Returns after the first operation was committed.
  [[nodiscard]] outcome start();
  /// The addresses of the pages of the replicas that do not lie.
  [[nodiscard]] const std::vector<std::string>& pages() const { return pages_; }

  /// Causes the fault. The sentence says what was done, or why it was refused.
  [[nodiscard]] or_error<std::string> cause(demo_fault fault);
  /// Asks all replicas, and notes what has changed. Fails if a replica ended by itself.
  [[nodiscard]] outcome look();
  /// The reports of the last look.
  [[nodiscard]] const cli::cluster_reports& reports() const { return reports_; }
  /// The faulty replica, if there is one.
  [[nodiscard]] std::optional<std::uint32_t> faulty() const { return faulty_; }
  [[nodiscard]] bool is_liar_convicted() const;
  /// Whether all replicas answer and none is on probation.
  [[nodiscard]] bool is_whole() const;
  [[nodiscard]] cli::cluster_under_load& cluster() { return *cluster_; }

  /// The page of the terminal: addresses, health, replicas, load, what happened, keys.
  [[nodiscard]] std::string page(const cli::text_style& style) const;

 private:
  [[nodiscard]] outcome open_observer();
  [[nodiscard]] or_error<void> read_pages();
  [[nodiscard]] or_error<std::string> heal();
  [[nodiscard]] std::string replica_table(const cli::text_style& style) const;
  [[nodiscard]] bool has_quorum() const;
  [[nodiscard]] std::uint32_t primary() const { return cluster_->primary_of(cluster_->view_in(reports_)).value; }
  void note(std::string what);

  demo_settings settings_;
  cli::interruption* stop_;
  std::unique_ptr<cli::cluster_under_load> cluster_;
  std::unique_ptr<cli::cluster_session> observer_;
  cli::cluster_reports reports_;
  std::vector<std::string> pages_;
  std::optional<std::uint32_t> faulty_;
  /// The last replica that lost its disk.
  std::optional<std::uint32_t> learner_;
  demo_fault cause_ = demo_fault::heal;
  bool has_lied_ = false;
  bool was_convicted_ = false;
  clock::time_point caused_at_;
  std::deque<std::string> notes_;
  cli::load_mark last_mark_;
  double rate_ = 0;
};

}  // namespace hypermesh::lab
