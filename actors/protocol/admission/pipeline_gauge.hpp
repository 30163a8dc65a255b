#pragma once

#include <cstddef>
#include <deque>
#include <optional>

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// Decides how many batches a primary may have in flight and how many requests a batch may have, by the time that they
/// take. Pure.
///
/// A batch costs the same votes and the same write however many requests it has. Several batches in flight help while
/// they wait for the network or for a disk. They only cost time when they wait for each other, and then fewer, fuller
/// batches serve more clients. The gauge tells the two cases apart as TCP Vegas does (Brakmo and Peterson, 1995):
/// a batch that takes longer than the shortest one stands in a queue.
///
/// Example with a pipeline of 8: batches take 2 ms at rest and 3 ms under some load, so 5 are in flight. At saturation
/// they take 12 ms, so one is in flight, and it contains all requests that arrived during those 12 ms. In a network
/// with a round trip of 100 ms all batches take about as long, so 8 are in flight.
///
/// A batch with very many requests would delay everything behind it, and a backup that sees nothing executed for a
/// time-out suspects the primary. So a batch has no more requests than the group executes in `batch_time`. Example:
/// requests of 64 operations, of which the group executes 2,000 in a second, come in batches of at most 200.
///
/// Memory: one time and one number for each batch in flight.
class pipeline_gauge {
 public:
  /// The shortest time is that of the present and of the previous window of this length, so a longer route is noticed.
  static constexpr duration window = std::chrono::seconds{60};
  /// The typical time moves by this part of the difference with each batch.
  static constexpr std::int64_t smoothing = 4;

  /// The time in which the group should execute a full batch: a tenth of the time after which backups suspect a
  /// primary.
  static constexpr duration batch_time = std::chrono::milliseconds{100};
  /// Every batch may have this many requests, because fewer save no time.
  static constexpr std::size_t requests_min = 64;

  /// The primary proposes a batch of so many requests.
  void on_cut(std::size_t requests, moment now);
  /// Only the last `in_flight` batches are still in flight; those before them were executed.
  void on_executed(std::size_t in_flight, moment now);
  /// All batches in flight were dropped with their view.
  void on_view() { cut_.clear(); }

  /// The number of batches that may be in flight: 1 to `most`, and `most` before the first batch was executed.
  [[nodiscard]] std::size_t depth(std::size_t most) const;
  /// The number of requests that a batch may have: `requests_min` to `most`.
  [[nodiscard]] std::size_t requests(std::size_t most) const;

 private:
  struct open_batch {
    moment at{};
    std::size_t requests = 0;
  };

  void measure(const open_batch& done, moment now);

  std::deque<open_batch> cut_;
  /// When the last batch was executed.
  moment executed_at_{};
  /// The requests that the group executes in `batch_time`: a moving average.
  std::optional<std::size_t> executed_in_time_;
  /// A moving average.
  std::optional<duration> typical_;
  std::optional<duration> shortest_;
  std::optional<duration> shortest_before_;
  moment window_at_{};
};

}  // namespace hypermesh::protocol
