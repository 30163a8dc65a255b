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
/// Who seems slow twice in so many time-outs is.
constexpr microseconds_t again_timeouts = 16;

service_report since(const service_report& report, microseconds_t begin) {
  auto part = report;
  const auto is_older = [begin](const ended_wait& each) { return each.began < begin; };
  std::erase_if(part.waits, is_older);
  std::erase_if(part.stays, is_older);
  return part;
}

}  // namespace

microseconds_t half_time_of(std::vector<ended_wait> waits) {
  std::ranges::sort(waits, {}, &ended_wait::took);
  microseconds_t whole = 0;
  for (const auto& each : waits)
    whole += each.took;
  microseconds_t passed = 0;
  for (const auto& each : waits) {
    passed += each.took;
    if (2 * passed >= whole) return each.took;
  }
  return 0;
}

microseconds_t median_of(std::vector<ended_wait> stays) {
  if (stays.empty()) return 0;
  const auto middle = stays.begin() + static_cast<std::ptrdiff_t>(stays.size() / 2);
  std::ranges::nth_element(stays, middle, {}, &ended_wait::took);
  return middle->took;
}

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
  last_window_at_.reset();
  seemed_slow_at_.reset();
  advance_from_.reset();
  forgiven_before_ = 0;
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
  // What was long is remembered until enough that was short came after it; whoever is slow by turns sees to that.
  if (seemed_slow_at_ && now >= *seemed_slow_at_ + again_timeouts * timeout_us) {
    forgiven_before_ = *std::exchange(seemed_slow_at_, std::nullopt);
  }
  if (!seemed_slow_at_ && seems_slow(since(report, forgiven_before_), timeout_us, now)) seemed_slow_at_ = now;
  if (keeps_out(report, timeout_us, now)) return suspicion_reason::mute;
  const auto found = reason(report, timeout_us, now);
  found_slow_ = found_slow_ || found == suspicion_reason::slow;
  return found;
}

std::optional<suspicion_reason> service_judge::reason(const service_report& report, microseconds_t timeout_us,
                                                      microseconds_t now) const {
  if (report.clients_waiting == 0) return std::nullopt;
  const auto idle_us = now - std::min(now, executed_at_);
  if (std::min(idle_us, report.longest_wait_us) >= timeout_us) return suspicion_reason::mute;
  const auto typical = report.waits.size() >= waits_min ? half_time_of(report.waits) : 0;
  const auto patience = std::clamp(starving_factor * typical, 2 * timeout_us, starving_timeouts_max * timeout_us);
  if (report.longest_wait_us >= patience) return suspicion_reason::starving;
  const bool again = seemed_slow_at_ && seems_slow(since(report, *seemed_slow_at_), timeout_us, now);
  return again ? std::optional{suspicion_reason::slow} : std::nullopt;
}

/// A replica that lost its disk waits for sequences that nobody else may need (TOCS '02 §4.3.2): without this the
/// primary could keep it out for ever.
bool service_judge::keeps_out(const service_report& report, microseconds_t timeout_us, microseconds_t now) {
  if (report.executed_through >= report.wanted_through) {
    advance_from_.reset();
    return false;
  }
  if (!advance_from_ || report.executed_through >= advance_from_->second.plus(advance_min)) {
    advance_from_ = {now, report.executed_through};
  }
  return now >= advance_from_->first + timeout_us;
}

void service_judge::measure_rate(const service_report& report, microseconds_t now) {
  if (now < window_at_ + window_us) return;
  const auto executed = report.requests_executed - std::min(report.requests_executed, window_executed_);
  best_rate_ = std::max(best_rate_, executed * 1'000'000 / (now - window_at_));
  if (report.waits.size() >= waits_min) {
    const auto typical = half_time_of(report.waits);
    best_wait_us_ = std::min(best_wait_us_.value_or(typical), typical);
  }
  last_window_at_ = std::exchange(window_at_, now);
  last_window_executed_ = std::exchange(window_executed_, report.requests_executed);
}

bool service_judge::seems_slow(const service_report& report, microseconds_t timeout_us, microseconds_t now) const {
  if (!last_window_at_) return false;
  // One window or two: the last full one alone may have been before the load came.
  const auto executed = report.requests_executed - std::min(report.requests_executed, last_window_executed_);
  const auto rate = executed * 1'000'000 / (now - *last_window_at_);
  return lets_wait(report, timeout_us, rate) || holds_back(report, timeout_us, rate) ||
         picks_some_out(report, timeout_us);
}

bool service_judge::picks_some_out(const service_report& report, microseconds_t timeout_us) {
  if (report.stays.size() < stays_min) return false;
  const auto overtaken = static_cast<std::size_t>(
      std::ranges::count_if(report.stays, [timeout_us](const auto& each) { return each.overtaken > timeout_us / 8; }));
  return overtaken >= overtaken_min && overtaken * overtaken_share >= report.stays.size();
}

bool service_judge::holds_back(const service_report& report, microseconds_t timeout_us, std::uint64_t rate) const {
  const auto stay = median_of(report.stays);
  if (report.stays.size() < stays_min || stay <= timeout_us / 4) return false;
  return rate * stay / 1'000'000 < queued_requests;
}

bool service_judge::lets_wait(const service_report& report, microseconds_t timeout_us, std::uint64_t rate) const {
  if (report.waits.size() < waits_min) return false;
  const auto wait = half_time_of(report.waits);
  // Without any history: a quarter of the time-out, with little done meanwhile.
  if (wait > timeout_us / 4 && rate * wait / 1'000'000 < busy_requests) return true;
  const bool waits_long = best_wait_us_ && wait > wait_factor * std::max(*best_wait_us_, wait_floor_us / wait_factor);
  return waits_long && rate < best_rate_ / 2;
}

}  // namespace hypermesh
