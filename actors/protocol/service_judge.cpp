#include "actors/protocol/service_judge.hpp"

#include <algorithm>
#include <utility>

namespace hypermesh {

namespace {

constexpr microseconds_t window_us = 500'000;
/// A typical wait so many times the best one is long.
constexpr microseconds_t wait_factor = 8;
/// A client that waits so many times as long as a typical one starves.
constexpr microseconds_t starving_factor = 4;
/// And in any case one that waits for so many time-outs: else a primary that lets everybody wait a little longer each
/// time would never be found out.
constexpr microseconds_t starving_timeouts_max = 16;

}  // namespace

std::string_view to_string(suspicion_reason reason) {
  switch (reason) {
    case suspicion_reason::mute:
      return "mute";
    case suspicion_reason::starving:
      return "starving";
    case suspicion_reason::slow:
      return "slow";
    case suspicion_reason::proven:
      return "proven";
  }
  return "unknown";
}

void service_judge::on_view(microseconds_t now) {
  executed_at_ = now;
  window_at_ = now;
  window_executed_ = executed_;
  rate_.reset();
  held_back_since_.reset();
  if (!std::exchange(found_slow_, false)) return;
  // If the load or the machines changed, every primary seems slow: expect less of the next one.
  best_rate_ /= 2;
  if (best_wait_us_) *best_wait_us_ *= 2;
}

std::optional<suspicion_reason> service_judge::judge(const service_report& report, microseconds_t timeout_us,
                                                     microseconds_t now) {
  if (report.requests_executed != executed_) {
    executed_ = report.requests_executed;
    executed_at_ = now;
  }
  measure_rate(report, now);
  // One window long: a burst after a pause, and one hiccup, look the same for a moment.
  if (!holds_back(report, timeout_us)) {
    held_back_since_.reset();
  } else if (!held_back_since_) {
    held_back_since_ = now;
  }
  const auto found = reason(report, timeout_us, now);
  found_slow_ = found_slow_ || found == suspicion_reason::slow;
  return found;
}

std::optional<suspicion_reason> service_judge::reason(const service_report& report, microseconds_t timeout_us,
                                                      microseconds_t now) const {
  if (report.clients_waiting == 0) return std::nullopt;
  const auto idle_us = now - std::min(now, executed_at_);
  if (std::min(idle_us, report.longest_wait_us) >= timeout_us) return suspicion_reason::mute;
  const bool typical_known = report.waits_ended >= waits_min;
  const auto patience = std::clamp(typical_known ? starving_factor * report.typical_wait_us : 0, 2 * timeout_us,
                                   starving_timeouts_max * timeout_us);
  if (report.longest_wait_us >= patience) return suspicion_reason::starving;
  if (typical_known && is_slow(report, timeout_us)) return suspicion_reason::slow;
  if (held_back_since_ && now >= *held_back_since_ + window_us) return suspicion_reason::slow;
  return std::nullopt;
}

void service_judge::measure_rate(const service_report& report, microseconds_t now) {
  if (now < window_at_ + window_us) return;
  const auto executed = report.requests_executed - std::min(report.requests_executed, window_executed_);
  rate_ = executed * 1'000'000 / (now - window_at_);
  best_rate_ = std::max(best_rate_, *rate_);
  if (report.waits_ended >= waits_min) {
    best_wait_us_ = std::min(best_wait_us_.value_or(report.typical_wait_us), report.typical_wait_us);
  }
  window_at_ = now;
  window_executed_ = report.requests_executed;
}

bool service_judge::holds_back(const service_report& report, microseconds_t timeout_us) const {
  const auto stay = report.typical_stay_us;
  if (!rate_ || report.clients_waiting == 0 || report.stays_ended < stays_min || stay <= timeout_us / 4) return false;
  // The last full window may have been before the load came.
  const auto executed = report.requests_executed - std::min(report.requests_executed, window_executed_);
  const auto rate = std::max(*rate_, executed * 1'000'000 / window_us);
  return rate * stay / 1'000'000 < queued_requests;
}

bool service_judge::is_slow(const service_report& report, microseconds_t timeout_us) const {
  if (!rate_) return false;
  const auto wait = report.typical_wait_us;
  // Without any history: a quarter of the time-out, with little done meanwhile.
  if (wait > timeout_us / 4 && *rate_ * wait / 1'000'000 < busy_requests) return true;
  const bool waits_long = best_wait_us_ && wait > wait_factor * std::max(*best_wait_us_, wait_floor_us / wait_factor);
  return waits_long && *rate_ < best_rate_ / 2;
}

}  // namespace hypermesh
