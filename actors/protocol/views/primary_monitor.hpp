#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "messages/types.hpp"

namespace hypermesh::protocol {

/// A wait of a client, or a stay of a request, that has ended.
struct ended_wait {
  moment began{};
  duration took{};
  /// For a stay: the time between the first execution of a later request of the same session and the end of the stay; 0
  /// if no later request was executed first. A later request counts only if it arrived here after this one was
  /// forwarded to the primary.
  duration overtaken{};
};

/// How the time of an executed batch compared with the wall clock of this node.
struct executed_time {
  /// When the batch was executed.
  moment at{};
  /// The reading of the wall clock when the PRE-PREPARE arrived, minus the time of the batch; negative if the batch was
  /// ahead.
  duration behind{};
};

/// How the primary serves the clients that a backup knows of, as measured by the request pool. The wait of a client
/// begins when its oldest pending request became the oldest, so a client with many requests under way is not counted as
/// waiting for all of them. In a new view all waits and stays are measured again from the start of the view.
struct service_report {
  std::size_t clients_waiting = 0;
  duration longest_wait{};
  /// Requests that were executed for the first time since the node started, whether or not this replica held them.
  std::uint64_t requests_executed = 0;
  /// The last waits that ended in this view.
  std::vector<ended_wait> waits;
  /// The stays of the last requests of at most 16 KiB that were executed in this view. A stay begins when the request
  /// arrives here or is forwarded. Stays show the delay that a primary adds to each request, even if one client has
  /// many requests under way.
  std::vector<ended_wait> stays;
  /// The last batch of this view that was executed and whose lateness was measured (`committed_batch`).
  std::optional<executed_time> last_time = {};
  /// The last sequence number that was executed here, and the one that a readmission or a hand-over needs.
  sequence_number executed_through = {};
  sequence_number wanted_through = {};
};

/// The typical wait: waits up to this length make up half of the total waiting time. 0 if there are no waits. A plain
/// median would hide a stall, because only the first of several requests that end together has a long wait. Example:
/// for waits of 10, 10, 10 and 300 ms the result is 300 ms.
[[nodiscard]] duration weighted_median_of(std::vector<ended_wait> waits);

/// The median of the stays; 0 if there are none.
[[nodiscard]] duration median_of(std::vector<ended_wait> stays);

/// Decides whether the primary serves its clients as well as it can (attacks 29 and 31). Pure. Memory: a few numbers.
///
/// - Mute: no batch is executed while a client waits, or the primary does not order the sequence numbers that a
///   readmission or a hand-over needs.
/// - Starving: the primary lets one client wait while it serves the others.
/// - Slow: the primary delays all clients by less than the time-out. Long waits alone do not distinguish a slow primary
///   from a busy one, so the throughput must be low too: either few requests were executed during a typical wait or
///   stay, or fewer than half as many in a second as this cluster has executed before. This expected rate is lowered
///   only after a view whose primary was found slow, so a primary cannot lower the expectation by slowing down step by
///   step.
/// - Slow by selection: the primary lets some requests wait while it serves later ones of the same sessions, even if
///   the later ones are many. Low throughput is not needed.
/// - Behind: all batches that were seen during a time-out had times that were behind the own wall clock by more than
/// the
///   bound of the genesis when they arrived (attack 42). Without this rule a faulty primary could stop the ordered
///   time. A backup whose own clock is ahead finds this too, but f such backups alone cannot end the view. The other
///   reasons are named first, because they need no right clock.
///
/// Slow is decided at the second finding within sixteen time-outs. A machine that stopped for a while, links that
/// opened late, or one slow write also cause long waits. These waits began before the first finding, so they do not
/// count for the second one.
class primary_monitor {
 public:
  explicit primary_monitor(duration clock_skew_max) : clock_skew_max_(clock_skew_max) {}

  /// Shorter waits never count against a primary, whatever the waits in earlier views were.
  static constexpr duration wait_floor = 20ms;
  /// A primary under which this many requests are executed during a typical wait is busy and not slow.
  static constexpr std::uint64_t busy_requests = 256;
  /// The same for a typical stay. With fewer requests under way no queue forms, so long stays mean that the primary
  /// delays the requests itself.
  static constexpr std::uint64_t queued_requests = 64;
  /// The number of waits, and the number of stays, that must have ended before they are judged. More stays are needed,
  /// because several of them may end with one batch.
  static constexpr std::size_t waits_min = 4;
  static constexpr std::size_t stays_min = 12;
  /// The primary is slow by selection if at least this many stays, and at least one in `overtaken_share`, were
  /// overtaken for long. One such stay is not enough, because a lost message can cause it.
  static constexpr std::size_t overtaken_min = 4;
  static constexpr std::size_t overtaken_share = 16;
  /// The sequence numbers of a readmission or a hand-over that must pass in each time-out. A correct primary has this
  /// many null requests in flight, so it orders them in time if one batch is executed within a time-out. A faulty
  /// primary can delay a readmission by at most 2L / 8 time-outs, once.
  static constexpr std::uint64_t advance_min = 8;

  /// A view was entered: the measurement of waits, stays and rates starts again.
  void on_view(moment now);

  /// Returns the reason to suspect the primary, if there is one. `timeout` is the present limit on the wait of a
  /// request.
  [[nodiscard]] std::optional<suspicion_reason> judge(const service_report& report, duration timeout, moment now);

 private:
  void measure_rate(const service_report& report, moment now);
  [[nodiscard]] std::optional<suspicion_reason> reason(const service_report& report, duration timeout,
                                                       moment now) const;
  [[nodiscard]] bool seems_slow(const service_report& report, duration timeout, moment now) const;
  [[nodiscard]] bool holds_back(const service_report& report, duration timeout, std::uint64_t rate) const;
  [[nodiscard]] bool keeps_out(const service_report& report, duration timeout, moment now);
  [[nodiscard]] bool falls_behind(const service_report& report, duration timeout);
  [[nodiscard]] static bool picks_some_out(const service_report& report, duration timeout);
  [[nodiscard]] bool lets_wait(const service_report& report, duration timeout, std::uint64_t rate) const;

  duration clock_skew_max_;
  /// The execution of the first batch since which all times were behind.
  std::optional<moment> behind_since_;
  std::uint64_t executed_ = 0;
  moment executed_at_{};
  /// Start of the present window, in which the rate is measured.
  moment window_at_{};
  std::uint64_t window_executed_ = 0;
  /// The start of the previous window; nothing if that window was not in this view.
  std::optional<moment> last_window_at_;
  std::uint64_t last_window_executed_ = 0;
  /// The best rate of any window, in requests a second.
  std::uint64_t best_rate_ = 0;
  /// When the primary seemed slow for the first time; forgotten after `again_timeouts`.
  std::optional<moment> seemed_slow_at_;
  /// Waits and stays that began before this time do not count.
  moment forgiven_before_{};
  /// While sequence numbers are needed: the start of the present measurement, and the sequence number at that time. At
  /// most `advance_min` sequence numbers have been executed since then.
  std::optional<std::pair<moment, sequence_number>> advance_from_;
  /// The shortest typical wait of any window.
  std::optional<duration> best_wait_;
  /// Whether the primary of this view was found slow. The finding may be wrong.
  bool found_slow_ = false;
};

}  // namespace hypermesh::protocol
