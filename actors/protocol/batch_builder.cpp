#include "actors/protocol/batch_builder.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh {

batch_builder::admission batch_builder::admit(const request& value) {
  auto& queue = queues_[value.id.client];
  switch (queue.window.of(value.id.when)) {
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
  queue.waiting.push_back(value.id.when);
  queue.pending.emplace(value.id.when, pending_request{value, false});
  ++requests_waiting_;
  ++requests_pending_;
  queue.bytes += bytes;
  bytes_pending_ += bytes;
  return admission::accepted;
}

std::optional<batch> batch_builder::cut(bool delay_passed) {
  if (turns_.empty() || in_flight() >= settings_.pipeline_depth) return std::nullopt;
  const bool enough = requests_waiting_ >= settings_.requests_per_batch_target;
  if (in_flight() > 0 && !enough && !delay_passed) return std::nullopt;
  batch next;
  while (!turns_.empty() && next.requests.size() < settings_.requests_per_batch_max) {
    const auto client = turns_.front();
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

void batch_builder::on_executed(const std::vector<executed_request>& requests, bool own) {
  for (const auto& each : requests) {
    forget(each.id);
    // What fell out of the client's window is never executed: it must not keep its place here.
    forget_through({each.id.client, queues_[each.id.client].window.floor()});
  }
  // A batch that an installed state covered has left the pipeline already.
  const bool leads = own && !requests.empty() && !in_flight_.empty() && in_flight_.front() == requests.front().id;
  if (leads) in_flight_.pop_front();
}

void batch_builder::on_installed(const std::vector<request_id>& ids) {
  std::optional<client_id> of;
  for (const auto id : ids) {
    if (id.client == of) {
      forget(id);
    } else {
      forget_through(id);
    }
    of = id.client;
  }
  // The batches that the state covers are not executed here: without this they would hold their places
  // for ever, and a primary that fell behind once would propose less, in the end nothing.
  while (!in_flight_.empty() && is_over(in_flight_.front()))
    in_flight_.pop_front();
}

bool batch_builder::is_over(request_id id) const {
  const auto found = queues_.find(id.client);
  return found != queues_.end() && found->second.window.of(id.when) != timestamp_window::standing::fresh;
}

void batch_builder::forget_through(request_id floor) {
  auto& queue = queues_[floor.client];
  while (!queue.pending.empty() && queue.pending.begin()->first <= floor.when) {
    forget({floor.client, queue.pending.begin()->first});
  }
  queue.window.raise_floor_to(floor.when);
}

void batch_builder::forget(request_id id) {
  auto& queue = queues_[id.client];
  queue.window.mark_done(id.when);
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
  queue.pending.erase(found);
}

}  // namespace hypermesh
