#include "actors/protocol/batch_builder.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Waits that the typical one is taken from.
constexpr std::size_t waits_kept = 32;
/// Requests of the guard that are recognised when they come again.
constexpr std::size_t guard_done_max = 256;

}  // namespace

batch_builder::admission batch_builder::admit(const request& value, microseconds_t now) {
  auto& queue = queues_[value.id.client];
  switch (standing_of(value.id)) {
    case timestamp_window::standing::done:
      return admission::done;
    case timestamp_window::standing::past:
      return admission::past;
    case timestamp_window::standing::fresh:
      break;
  }
  if (queue.pending.contains(value.id.when)) return admission::already_pending;
  const auto bytes = value.raw.view.size();
  const bool has_quota = queue.pending.size() < limits::requests_in_flight_max &&
                         (queue.pending.empty() || queue.bytes + bytes <= settings_.bytes_per_client_max);
  if (!has_quota) return admission::client_quota;
  if (requests_pending_ >= settings_.requests_pending_max || bytes_pending_ + bytes > settings_.bytes_pending_max) {
    return admission::overloaded;
  }
  if (queue.waiting.empty()) turns_.push_back(value.id.client);
  if (queue.pending.empty()) start_wait(value.id.client, queue, now);
  queue.waiting.push_back(value.id.when);
  queue.pending.emplace(value.id.when, pending_request{value, false});
  ++requests_waiting_;
  ++requests_pending_;
  queue.bytes += bytes;
  bytes_pending_ += bytes;
  return admission::accepted;
}

timestamp_window::standing batch_builder::standing_of(request_id id) const {
  using standing = timestamp_window::standing;
  if (id.client == guard_client) {
    return std::ranges::find(guard_done_, id.when) == guard_done_.end() ? standing::fresh : standing::done;
  }
  const auto found = queues_.find(id.client);
  return found == queues_.end() ? standing::fresh : found->second.window.of(id.when);
}

std::optional<batch> batch_builder::cut(bool delay_passed) {
  if (turns_.empty() || in_flight() >= settings_.pipeline_depth) return std::nullopt;
  const bool enough = requests_waiting_ >= settings_.requests_per_batch_target;
  if (in_flight() > 0 && !enough && !delay_passed) return std::nullopt;
  batch next;
  std::size_t cases = 0;
  while (!turns_.empty() && next.requests.size() < settings_.requests_per_batch_max) {
    const auto client = turns_.front();
    if (client == guard_client && cases++ >= limits::guard_requests_per_batch_max) {
      if (turns_.size() == 1) break;
      std::ranges::rotate(turns_, turns_.begin() + 1);
      continue;
    }
    auto& queue = queues_[client];
    if (!take_next(queue, next)) break;
    turns_.pop_front();
    if (!queue.waiting.empty()) turns_.push_back(client);
  }
  if (next.requests.empty()) return std::nullopt;
  in_flight_.push_back(next.requests.front().id);
  return next;
}

/// Moves the first waiting request of `queue` into the batch; false when it does not fit.
bool batch_builder::take_next(client_queue& queue, batch& into) {
  require(!queue.waiting.empty(), "a client has its turn only while it has waiting requests");
  const auto found = queue.pending.find(queue.waiting.front());
  require(found != queue.pending.end(), "every waiting request is pending");
  const auto bytes = found->second.content.raw.view.size();
  if (!into.requests.empty() && into.bytes + bytes > settings_.bytes_per_batch_max) return false;
  found->second.proposed = true;
  into.requests.push_back(found->second.content);
  into.bytes += bytes;
  queue.waiting.pop_front();
  --requests_waiting_;
  return true;
}

void batch_builder::on_executed(const std::vector<executed_request>& requests, bool own, microseconds_t now) {
  for (const auto& each : requests) {
    // A primary that proposes old requests again serves nobody (attack 29).
    if (each.first_time) ++requests_executed_;
    forget(each.id, now);
    if (each.id.client == guard_client) {
      guard_done_.push_back(each.id.when);
      if (guard_done_.size() > guard_done_max) guard_done_.pop_front();
    }
    // What fell out of the client's window is never executed: it must not keep its place here.
    if (each.id.client != guard_client) {
      forget_through({each.id.client, queues_[each.id.client].window.floor()}, now);
    }
  }
  // A batch that an installed state covered, or that was proposed in an earlier view, has left the pipeline already.
  const bool leads = own && !requests.empty() && !in_flight_.empty() && in_flight_.front() == requests.front().id;
  if (leads) in_flight_.pop_front();
}

void batch_builder::on_installed(const std::vector<request_id>& ids, microseconds_t now) {
  std::optional<client_id> of;
  for (const auto id : ids) {
    if (id.client == of) {
      forget(id, now);
    } else {
      forget_through(id, now);
    }
    of = id.client;
  }
  // The batches that the state covers are not executed here: without this they would hold their places
  // for ever, and a primary that fell behind once would propose less, in the end nothing.
  while (!in_flight_.empty() && (in_flight_.front().client == guard_client || is_over(in_flight_.front())))
    in_flight_.pop_front();
  // Which cases the state has settled it does not say; those that are still open are told again.
  std::vector<request_id> cases;
  for (const auto& [when, each] : queues_[guard_client].pending)
    cases.push_back({guard_client, when});
  on_dropped(cases, now);
}

void batch_builder::on_dropped(const std::vector<request_id>& cases, microseconds_t now) {
  for (const auto& name : cases) {
    if (is_pending(name)) forget(name, now);
  }
}

bool batch_builder::is_pending(request_id id) const {
  const auto found = queues_.find(id.client);
  return found != queues_.end() && found->second.pending.contains(id.when);
}

bool batch_builder::is_over(request_id id) const { return standing_of(id) != timestamp_window::standing::fresh; }

void batch_builder::forget_through(request_id floor, microseconds_t now) {
  auto& queue = queues_[floor.client];
  while (!queue.pending.empty() && queue.pending.begin()->first <= floor.when) {
    forget({floor.client, queue.pending.begin()->first}, now);
  }
  queue.window.raise_floor_to(floor.when);
}

void batch_builder::forget(request_id id, microseconds_t now) {
  auto& queue = queues_[id.client];
  if (id.client != guard_client) queue.window.mark_done(id.when);
  const auto found = queue.pending.find(id.when);
  if (found == queue.pending.end()) return;
  if (!found->second.proposed) {
    const auto waiting = std::find(queue.waiting.begin(), queue.waiting.end(), id.when);
    require(waiting != queue.waiting.end(), "a request that was not proposed is waiting");
    queue.waiting.erase(waiting);
    --requests_waiting_;
    if (queue.waiting.empty()) turns_.erase(std::find(turns_.begin(), turns_.end(), id.client));
  }
  --requests_pending_;
  queue.bytes -= found->second.content.raw.view.size();
  bytes_pending_ -= found->second.content.raw.view.size();
  const bool was_oldest = found == queue.pending.begin();
  queue.pending.erase(found);
  // While the oldest one waits the client waits, however much of its other requests is served (attack 31).
  if (!was_oldest) return;
  ended_waits_.push_back(now - std::min(now, queue.waits_since));
  if (ended_waits_.size() > waits_kept) ended_waits_.pop_front();
  end_wait(id.client, queue);
  if (!queue.pending.empty()) start_wait(id.client, queue, now);
}

// --- Views and service ---------------------------------------------------------------

void batch_builder::start_wait(client_id client, client_queue& queue, microseconds_t now) {
  queue.waits_since = now;
  require(waits_.emplace(now, client).second, "a client waits once");
}

void batch_builder::end_wait(client_id client, const client_queue& queue) {
  require(waits_.erase({queue.waits_since, client}) == 1, "a client with pending requests waits");
}

void batch_builder::on_view(microseconds_t now) {
  in_flight_.clear();
  turns_.clear();
  waits_.clear();
  ended_waits_.clear();
  requests_waiting_ = requests_pending_;
  for (auto& [client, queue] : queues_) {
    if (queue.pending.empty()) continue;
    // What was proposed is older than what waits.
    std::deque<timestamp> waiting;
    for (auto& [when, each] : queue.pending) {
      if (std::exchange(each.proposed, false)) waiting.push_back(when);
    }
    waiting.insert(waiting.end(), queue.waiting.begin(), queue.waiting.end());
    queue.waiting = std::move(waiting);
    turns_.push_back(client);
    start_wait(client, queue, now);
  }
}

std::vector<request> batch_builder::pending() const {
  std::vector<request> all;
  std::size_t bytes = 0;
  for (const auto& [since, client] : waits_) {
    for (const auto& [when, each] : queues_.at(client).pending) {
      bytes += each.content.raw.view.size();
      if (bytes > forwarded_bytes_max) return all;
      all.push_back(each.content);
    }
  }
  return all;
}

service_report batch_builder::service(microseconds_t now) const {
  service_report report;
  report.clients_waiting = waits_.size();
  if (!waits_.empty()) report.longest_wait_us = now - std::min(now, waits_.begin()->first);
  report.waits_ended = ended_waits_.size();
  report.requests_executed = requests_executed_;
  if (ended_waits_.empty()) return report;
  std::vector<microseconds_t> sorted{ended_waits_.begin(), ended_waits_.end()};
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  report.typical_wait_us = *middle;
  return report;
}

}  // namespace hypermesh
