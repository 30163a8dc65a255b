#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/scheduling/resource_scheduler_api.hpp"

namespace hypermesh::scheduling {

struct numbered_event {
  std::uint64_t number = 0;
  scheduling::event what;

  friend bool operator==(const numbered_event&, const numbered_event&) = default;
};

/// A node of a snapshot, as far as events tell of it. `resource_scheduler_api::node` reads the rest.
struct watched_node {
  std::string name;
  bool is_drained = false;
  /// The number of the event that registered, drained or undrained the node last.
  std::uint64_t changed_by = 0;

  friend bool operator==(const watched_node&, const watched_node&) = default;
};

/// What a watcher learns from one poll: the events that follow its position, or a snapshot that replaces everything
/// that the watcher knew. A snapshot comes when the watcher was away longer than events are kept.
struct watch_update {
  bool is_snapshot = false;
  /// The state after the event `placement_watch::position`, by name. Only in a snapshot.
  std::vector<task_row> placed;
  std::vector<watched_node> nodes;
  /// In their order, without a gap. Empty in a snapshot.
  std::vector<numbered_event> events;
};

/// Follows the events of a scheduler from a number on, across lost connections, without a gap or a repetition.
///
/// The position is the number of the last event that an update reflects. A watcher that stores the position together
/// with the effects of the update may begin a new watch there after a crash, and still learns each event once.
///
/// If the events after the position are no longer all kept, the watch reads all nodes and all placed tasks by pages.
/// The pages show different states, because the scheduler goes on meanwhile. So the watch then reads the events after
/// the oldest page up to the newest one, and applies them to the rows, which gives the state after the newest page.
/// Example:
/// 1. A page as of event 7 shows task t. 2. Event 8 releases t, and event 9 places u. 3. The next page, as of event 9,
/// shows u. 4. The watch reads the events 8 and 9: it removes t, and u is there already. The position is 9.
///
/// One thread uses a watch. Memory: during a poll the rows of its update, otherwise nothing.
class placement_watch {
 public:
  /// Opens a connection. Called again after each failure. Null if there is no connection now.
  using connector = std::function<std::shared_ptr<resource_scheduler_api>()>;

  explicit placement_watch(connector connect, std::uint64_t position = 0)
      : connect_(std::move(connect)), position_(position) {}

  /// The next events, at most `limit`, or a snapshot. An empty update means that there is nothing new; ask again later.
  /// After a failure the position is unchanged, and the next call connects again.
  [[nodiscard]] or_failure<watch_update> poll(std::uint16_t limit = page_rows_max);

  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  [[nodiscard]] or_failure<watch_update> read_events(std::uint16_t limit);
  [[nodiscard]] or_failure<watch_update> read_snapshot();

  connector connect_;
  std::uint64_t position_;
  std::shared_ptr<resource_scheduler_api> api_;
};

}  // namespace hypermesh::scheduling
