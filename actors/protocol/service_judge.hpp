#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/effects.hpp"
#include "messages/types.hpp"

namespace hypermesh {

/// A client's wait, or a request's stay, that is over.
struct ended_wait {
  microseconds_t began = 0;
  microseconds_t took = 0;
  /// Of a stay: for so long requests of the client were served before it that came after the primary had it.
  microseconds_t overtaken = 0;
};

/// How the clients that a backup knows of are served: what its batcher measures. A client waits from the moment its
/// oldest pending request became the oldest, so one that keeps many requests under way does not seem to wait for all
/// of them; all waits start anew with a view.
struct service_report {
  std::size_t clients_waiting = 0;
  microseconds_t longest_wait_us = 0;
  /// Since the node started, this replica's own and others'.
  std::uint64_t requests_executed = 0;
  /// The last that ended in this view.
  std::vector<ended_wait> waits;
  /// Of the last requests of moderate size that were executed in this view, each from its own arrival here: what a
  /// primary adds to all of them, also when one client has many under way.
  std::vector<ended_wait> stays;
  /// The last sequence that was executed here, and the one that a readmission needs.
  sequence_number executed_through = {};
  sequence_number wanted_through = {};
};

/// Half of all time that was waited went by in waits up to this one; 0 for none. A plain median would say nothing: of
/// the requests that end together one has waited for all the others.
[[nodiscard]] microseconds_t half_time_of(std::vector<ended_wait> waits);

/// 0 for none.
[[nodiscard]] microseconds_t median_of(std::vector<ended_wait> stays);

/// Whether the primary serves its clients as well as it can (attacks 29 and 31). Pure.
///
/// A mute primary executes nothing, or orders nothing that a readmission waits for. A censoring one lets one client
/// wait while it serves the others. A slow one delays all of them by less than the time-out; waiting alone does not
/// tell it from a busy one, so its throughput has to be low as well: either too few requests were executed while a
/// typical one waited or stayed, or less than half of what this cluster has done before. What was done before is
/// forgotten only by a change of the view, so a primary cannot slow down step by step and take the expectation with it.
/// And it has to be slow again before long: a machine that stood still, links that opened late and one slow write leave
/// long waits behind, all of which began before anybody noticed. One that lets some requests wait and serves the others
/// of the same clients is found by that alone, also when the others are many.
class service_judge {
 public:
  /// Waits below this are nobody's fault, however good earlier views were.
  static constexpr microseconds_t wait_floor_us = 20'000;
  /// A primary that gets so many requests executed while a typical one waits is busy.
  static constexpr std::uint64_t busy_requests = 256;
  /// The same while a typical one stays: with fewer under way nothing queues, so the primary itself holds them back.
  static constexpr std::uint64_t queued_requests = 64;
  /// Waits, and stays, that must have ended before they say anything; of stays several may end with one batch.
  static constexpr std::size_t waits_min = 4;
  static constexpr std::size_t stays_min = 12;
  /// So many stays of requests that were overtaken for long, and one in so many: a lost message leaves one now and
  /// then.
  static constexpr std::size_t overtaken_min = 4;
  static constexpr std::size_t overtaken_share = 16;
  /// Sequences of a readmission that pass in a time-out at least. A correct primary has so many null requests under way
  /// at once, so it passes them wherever a batch is executed within a time-out; a faulty one keeps a replica out for
  /// 2L / 8 time-outs, once.
  static constexpr std::uint64_t advance_min = 8;

  /// A view was entered.
  void on_view(microseconds_t now);

  /// `timeout_us` is how long a request may wait at present.
  [[nodiscard]] std::optional<suspicion_reason> judge(const service_report& report, microseconds_t timeout_us,
                                                      microseconds_t now);

 private:
  void measure_rate(const service_report& report, microseconds_t now);
  [[nodiscard]] std::optional<suspicion_reason> reason(const service_report& report, microseconds_t timeout_us,
                                                       microseconds_t now) const;
  [[nodiscard]] bool seems_slow(const service_report& report, microseconds_t timeout_us, microseconds_t now) const;
  [[nodiscard]] bool holds_back(const service_report& report, microseconds_t timeout_us, std::uint64_t rate) const;
  [[nodiscard]] bool keeps_out(const service_report& report, microseconds_t timeout_us, microseconds_t now);
  [[nodiscard]] static bool picks_some_out(const service_report& report, microseconds_t timeout_us);
  [[nodiscard]] bool lets_wait(const service_report& report, microseconds_t timeout_us, std::uint64_t rate) const;

  std::uint64_t executed_ = 0;
  microseconds_t executed_at_ = 0;
  /// Start of the present window of the rate.
  microseconds_t window_at_ = 0;
  std::uint64_t window_executed_ = 0;
  /// The same of the window before it; it is not older than the view.
  std::optional<microseconds_t> last_window_at_;
  std::uint64_t last_window_executed_ = 0;
  /// Requests in a second, of the best window.
  std::uint64_t best_rate_ = 0;
  /// When the primary seemed slow for the first time; forgotten after `again_timeouts`.
  std::optional<microseconds_t> seemed_slow_at_;
  /// Nothing that began before counts any more.
  microseconds_t forgiven_before_ = 0;
  /// A readmission needs sequences: since when at most `advance_min` passed, and from where.
  std::optional<std::pair<microseconds_t, sequence_number>> advance_from_;
  /// The best typical wait of any window.
  std::optional<microseconds_t> best_wait_us_;
  /// The primary of this view; which may have been wrong.
  bool found_slow_ = false;
};

}  // namespace hypermesh
