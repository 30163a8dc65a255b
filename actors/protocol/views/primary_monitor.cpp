#include "actors/protocol/views/primary_monitor.hpp"

#include <algorithm>
#include <utility>

namespace hypermesh::protocol {

namespace {

/// The least length of a window in which a rate is measured.
constexpr duration window = 500ms;
/// A typical wait is long if it is this many times the best one.
constexpr std::int64_t wait_factor = 8;
/// A client starves if it waits this many times as long as the typical wait.
constexpr std::int64_t starving_factor = 4;
/// A client starves in any case after this many time-outs. Otherwise a primary could increase the typical wait step by
/// step and never be suspected.
constexpr std::int64_t starving_timeouts_max = 16;
/// A primary that seems slow twice within this many time-outs is slow.
constexpr std::int64_t again_timeouts = 16;

/// The report without the waits and stays that began before `begin`.
service_report since(const service_report& report, moment begin) {
  auto part = report;
  const auto is_older = [begin](const ended_wait& each) { return each.began < begin; };
  std::erase_if(part.waits, is_older);
  std::erase_if(part.stays, is_older);
  return part;
}

/// The rate of requests for each second, if `executed` of them took `time`.
std::uint64_t per_second(std::uint64_t executed, duration time) {
  return executed * 1'000'000 / static_cast<std::uint64_t>(time.count());
}

/// The requests that are executed in `time` at this rate for each second.
std::uint64_t executed_in(duration time, std::uint64_t rate) {
  return rate * static_cast<std::uint64_t>(time.count()) / 1'000'000;
}

}  // namespace

duration weighted_median_of(std::vector<ended_wait> waits) {
  std::ranges::sort(waits, {}, &ended_wait::took);
  duration whole{};
  for (const auto& each : waits)
    whole += each.took;
  duration passed{};
  for (const auto& each : waits) {
    passed += each.took;
    if (2 * passed >= whole) return each.took;
  }
  return {};
}

duration median_of(std::vector<ended_wait> stays) {
  if (stays.empty()) return {};
  const auto middle = stays.begin() + static_cast<std::ptrdiff_t>(stays.size() / 2);
  std::ranges::nth_element(stays, middle, {}, &ended_wait::took);
  return middle->took;
}

void primary_monitor::on_view(moment now) {
  executed_at_ = now;
  window_at_ = now;
  window_executed_ = executed_;
  last_window_at_.reset();
  seemed_slow_at_.reset();
  advance_from_.reset();
  behind_since_.reset();
  forgiven_before_ = {};
  // The expectation is not lowered if the view ended for another reason. Otherwise faulty replicas could lower it by
  // causing view changes.
  if (!std::exchange(found_slow_, false)) return;
  // If the load or the machines changed, every primary seems slow, so less is expected of the next one.
  best_rate_ /= 2;
  if (best_wait_) *best_wait_ *= 2;
}

std::optional<suspicion_reason> primary_monitor::judge(const service_report& report, duration timeout, moment now) {
  if (report.requests_executed != executed_) {
    executed_ = report.requests_executed;
    executed_at_ = now;
  }
  measure_rate(report, now);
  // A stall stays in the report until enough short waits have followed it. So when the first finding expires, waits
  // that began before it are ignored from then on, because otherwise the same stall would be found a second time. A
  // primary that stalls repeatedly is still found, because its next stall begins later (attack 29).
  if (seemed_slow_at_ && now >= *seemed_slow_at_ + again_timeouts * timeout) {
    forgiven_before_ = *std::exchange(seemed_slow_at_, std::nullopt);
  }
  if (!seemed_slow_at_ && seems_slow(since(report, forgiven_before_), timeout, now)) seemed_slow_at_ = now;
  // This is checked even if no client waits, because a primary could execute all requests and still prevent a
  // readmission.
  if (keeps_out(report, timeout, now)) return suspicion_reason::mute;
  const bool is_behind = falls_behind(report, timeout);
  const auto found = reason(report, timeout, now);
  found_slow_ = found_slow_ || found == suspicion_reason::slow;
  // The time comes last, because it depends on the own clock, and a wrong time must not hide bad service. It counts
  // even if no client waits: leases that never expire harm others than the clients that send requests.
  if (!found && is_behind) return suspicion_reason::behind;
  return found;
}

std::optional<suspicion_reason> primary_monitor::reason(const service_report& report, duration timeout,
                                                        moment now) const {
  // Without waiting clients no batch is executed, so the primary is not mute.
  if (report.clients_waiting == 0) return std::nullopt;
  const auto idle = now - std::min(now, executed_at_);
  // Both times must be long. After an idle hour, nothing was executed for a long time, but the first request has not
  // waited long. While requests of other clients are executed, a client may starve, but the primary is not mute.
  if (std::min(idle, report.longest_wait) >= timeout) return suspicion_reason::mute;
  const auto typical = report.waits.size() >= waits_min ? weighted_median_of(report.waits) : duration{};
  // The limit is between 2 and 16 time-outs (attack 31). With too few waits there is no typical wait, and the limit is
  // 2 time-outs.
  const auto patience = std::clamp(starving_factor * typical, 2 * timeout, starving_timeouts_max * timeout);
  if (report.longest_wait >= patience) return suspicion_reason::starving;
  // The second finding uses only waits and stays that began after the first one.
  const bool again = seemed_slow_at_ && seems_slow(since(report, *seemed_slow_at_), timeout, now);
  return again ? std::optional{suspicion_reason::slow} : std::nullopt;
}

/// A replica that lost its disk waits for sequence numbers that no other replica may need (TOCS '02 §4.3.2). Without
/// this rule the primary could prevent its readmission for ever.
bool primary_monitor::keeps_out(const service_report& report, duration timeout, moment now) {
  if (report.executed_through >= report.wanted_through) {
    advance_from_.reset();
    return false;
  }
  // The time-out starts again after each `advance_min` sequence numbers, so the primary must continue to order them.
  if (!advance_from_ || report.executed_through >= advance_from_->second.plus(advance_min)) {
    advance_from_ = {now, report.executed_through};
  }
  return now >= advance_from_->first + timeout;
}

/// One batch may be late because its link was slow or because a node stood still. Such batches are executed together.
/// So the finding needs batches over a whole time-out, and with more than f wrong clocks a view still lasts as long. An
/// idle primary proposes no time, so it is not judged.
bool primary_monitor::falls_behind(const service_report& report, duration timeout) {
  if (!report.last_time || report.last_time->behind <= clock_skew_max_) {
    behind_since_.reset();
    return false;
  }
  if (!behind_since_) behind_since_ = report.last_time->at;
  return report.last_time->at >= *behind_since_ + timeout;
}

void primary_monitor::measure_rate(const service_report& report, moment now) {
  if (now < window_at_ + window) return;
  const auto executed = report.requests_executed - std::min(report.requests_executed, window_executed_);
  best_rate_ = std::max(best_rate_, per_second(executed, now - window_at_));
  if (report.waits.size() >= waits_min) {
    const auto typical = weighted_median_of(report.waits);
    best_wait_ = std::min(best_wait_.value_or(typical), typical);
  }
  // The finished window becomes the previous one.
  last_window_at_ = std::exchange(window_at_, now);
  last_window_executed_ = std::exchange(window_executed_, report.requests_executed);
}

bool primary_monitor::seems_slow(const service_report& report, duration timeout, moment now) const {
  if (!last_window_at_) return false;
  // The rate since the last full window began. The last full window alone is not enough, because it may have ended
  // before the load began.
  const auto executed = report.requests_executed - std::min(report.requests_executed, last_window_executed_);
  const auto rate = per_second(executed, now - *last_window_at_);
  return lets_wait(report, timeout, rate) || holds_back(report, timeout, rate) || picks_some_out(report, timeout);
}

bool primary_monitor::picks_some_out(const service_report& report, duration timeout) {
  if (report.stays.size() < stays_min) return false;
  // A correct primary orders the oldest requests of each session first. A request that is executed more than an eighth
  // of the time-out after a later request was not delayed by the network alone.
  const auto overtaken = static_cast<std::size_t>(
      std::ranges::count_if(report.stays, [timeout](const auto& each) { return each.overtaken > timeout / 8; }));
  return overtaken >= overtaken_min && overtaken * overtaken_share >= report.stays.size();
}

bool primary_monitor::holds_back(const service_report& report, duration timeout, std::uint64_t rate) const {
  const auto stay = median_of(report.stays);
  // A quarter of the time-out is allowed, because nothing distinguishes a slow primary from slow machines.
  if (report.stays.size() < stays_min || stay <= timeout / 4) return false;
  // The requests that were executed during a typical stay. If they are fewer than 64, no queue explains that stay.
  return executed_in(stay, rate) < queued_requests;
}

bool primary_monitor::lets_wait(const service_report& report, duration timeout, std::uint64_t rate) const {
  if (report.waits.size() < waits_min) return false;
  const auto wait = weighted_median_of(report.waits);
  // The first criterion needs no history: the typical wait is above a quarter of the time-out, and few requests were
  // executed meanwhile.
  if (wait > timeout / 4 && executed_in(wait, rate) < busy_requests) return true;
  // The second criterion uses history: the typical wait is above eight times the best wait and above 20 ms, and the
  // rate is below half of the best rate. Either alone may be harmless, because a burst makes waits long, and clients
  // that send less make the rate low.
  const bool waits_long = best_wait_ && wait > wait_factor * std::max(*best_wait_, wait_floor / wait_factor);
  return waits_long && rate < best_rate_ / 2;
}

}  // namespace hypermesh::protocol
