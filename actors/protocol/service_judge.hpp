#pragma once

#include <cstdint>
#include <optional>

#include "actors/protocol/effects.hpp"
#include "messages/types.hpp"

namespace hypermesh {

/// How the clients that a backup knows of are served: what its batcher measures. A client waits from the moment its
/// oldest pending request became the oldest, so one that keeps many requests under way does not seem to wait for all
/// of them; all waits start anew with a view.
struct service_report {
  std::size_t clients_waiting = 0;
  microseconds_t longest_wait_us = 0;
  /// Half of the time in the last waits that ended in this view went by in waits up to this; and how many there were.
  microseconds_t typical_wait_us = 0;
  std::size_t waits_ended = 0;
  /// Median over the last requests of moderate size that were executed in this view, each from its own arrival here:
  /// what a primary adds to all of them, also when one client has many under way. And how many there were.
  microseconds_t typical_stay_us = 0;
  std::size_t stays_ended = 0;
  /// Since the node started, this replica's own and others'.
  std::uint64_t requests_executed = 0;
};

/// Whether the primary serves its clients as well as it can (attacks 29 and 31). Pure.
///
/// A mute primary executes nothing. A censoring one lets one client wait while it serves the others. A slow one delays
/// all of them by less than the time-out; waiting alone does not tell it from a busy one, so its throughput has to be
/// low as well: either too few requests were executed while a typical one waited or stayed, or less than half of what
/// this cluster has done before. What was done before is forgotten only by a change of the view, so a primary cannot
/// slow down step by step and take the expectation with it.
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

  /// A view was entered.
  void on_view(microseconds_t now);

  /// `timeout_us` is how long a request may wait at present.
  [[nodiscard]] std::optional<suspicion_reason> judge(const service_report& report, microseconds_t timeout_us,
                                                      microseconds_t now);

 private:
  void measure_rate(const service_report& report, microseconds_t now);
  [[nodiscard]] std::optional<suspicion_reason> reason(const service_report& report, microseconds_t timeout_us,
                                                       microseconds_t now) const;
  [[nodiscard]] bool holds_back(const service_report& report, microseconds_t timeout_us) const;
  [[nodiscard]] bool is_slow(const service_report& report, microseconds_t timeout_us) const;

  std::uint64_t executed_ = 0;
  microseconds_t executed_at_ = 0;
  /// Start of the present window of the rate.
  microseconds_t window_at_ = 0;
  std::uint64_t window_executed_ = 0;
  /// Requests in a second; of the last full window, and the best one.
  std::optional<std::uint64_t> rate_;
  std::uint64_t best_rate_ = 0;
  /// Since when the primary seems to hold requests back.
  std::optional<microseconds_t> held_back_since_;
  /// The best typical wait of any window.
  std::optional<microseconds_t> best_wait_us_;
  /// The primary of this view; which may have been wrong.
  bool found_slow_ = false;
};

}  // namespace hypermesh
