#pragma once

#include <cstdint>
#include <functional>
#include <map>
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

/// What a watcher learns from one poll.
struct watch_update {
  /// Whether `placed` and `nodes` replace everything that the watcher knew. This happens when the watcher was away
  /// longer than events are kept.
  bool is_snapshot = false;
  std::vector<task_row> placed;
  std::vector<node_view> nodes;
  /// The events that follow, in their order. Without a snapshot their numbers have no gap.
  std::vector<numbered_event> events;
};

/// Follows the events of a scheduler from a number on, across lost connections, without a gap or a repetition.
///
/// The position is the number of the last event that was returned. A watcher that stores the position together with
/// the effects of the events may begin a new watch there after a crash, and still learns each event once.
///
/// If the events after the position are no longer all kept, the watch reads all placed tasks and all nodes by pages.
/// The pages show different moments, because the scheduler goes on meanwhile. So the watch continues after the event
/// of the oldest page, and leaves out what a page already shows. Example: 1. A page as of event 7 lacks task t. 2. Task
/// t is placed by event 8. 3. The next page, as of event 9, shows t with the event 8. 4. The watch continues after
/// event 7 and leaves out event 8.
///
/// One thread uses a watch. Memory: after a snapshot the names of the placed tasks and nodes, until the events up to
/// the newest page were returned; otherwise nothing.
class placement_watch {
 public:
  /// Opens a connection. Called again after each failure. Null if there is no connection now.
  using connector = std::function<std::shared_ptr<resource_scheduler_api>()>;

  explicit placement_watch(connector connect, std::uint64_t position = 0)
      : connect_(std::move(connect)), position_(position) {}

  /// The next events, at most `limit`. An empty update means that there is nothing new; ask again later. After a
  /// failure the position is unchanged, and the next call connects again.
  [[nodiscard]] or_failure<watch_update> poll(std::uint16_t limit = page_rows_max);

  [[nodiscard]] std::uint64_t position() const { return position_; }

 private:
  /// A snapshot that is read, before it counts.
  struct snapshot {
    std::uint64_t oldest = ~std::uint64_t{0};
    std::uint64_t newest = 0;
    std::vector<task_row> placed;
    std::vector<node_view> nodes;

    void note(std::uint64_t event);
  };

  [[nodiscard]] or_failure<watch_update> read_events(std::uint16_t limit);
  [[nodiscard]] or_failure<watch_update> read_snapshot();
  [[nodiscard]] or_failure<void> read_pages(snapshot& into);
  /// Whether the watcher does not know the event from the snapshot yet. Notes what it knows from now on.
  [[nodiscard]] bool is_news(const numbered_event& each);

  connector connect_;
  std::uint64_t position_;
  std::shared_ptr<resource_scheduler_api> api_;
  /// The event of the newest page of the last snapshot. Later events are all news.
  std::uint64_t snapshot_newest_ = 0;
  /// The tasks and nodes that the watcher knows, with the numbers of the events that it knows of them. Used only up to
  /// `snapshot_newest_`.
  std::map<std::string, std::uint64_t> known_tasks_;
  std::map<std::string, std::uint64_t> known_nodes_;
};

}  // namespace hypermesh::scheduling
