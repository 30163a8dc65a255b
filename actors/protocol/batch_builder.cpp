#include "actors/protocol/batch_builder.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Waits, and stays, that the typical one is taken from.
constexpr std::size_t waits_kept = 512;
/// Requests up to this size tell how long a primary holds them.
constexpr std::size_t small_request_bytes = 16 * 1024;

microseconds_t passed(microseconds_t began, microseconds_t now) { return now - std::min(now, began); }

void note(std::deque<ended_wait>& ended, ended_wait one) {
  ended.push_back(one);
  if (ended.size() > waits_kept) ended.pop_front();
}

}  // namespace

client_queue& batch_builder::queue_of(client_id client) {
  return queues_.try_emplace(client, client_queue{client}).first->second;
}

timestamp_window::standing batch_builder::standing_of(request_id id) const {
  const auto found = queues_.find(id.client);
  return found == queues_.end() ? timestamp_window::standing::fresh : found->second.standing_of(id.when);
}

// --- Admission -------------------------------------------------------------------

batch_builder::admission batch_builder::admit(const request& value, microseconds_t now) {
  auto& queue = queue_of(value.id.client);
  switch (queue.standing_of(value.id.when)) {
    case timestamp_window::standing::done:
      return admission::done;
    case timestamp_window::standing::past:
      return admission::past;
    case timestamp_window::standing::fresh:
      break;
  }
  if (const auto* known = queue.find(value.id.when)) {
    return is_same_request(*known, value) ? admission::already_pending : admission::contradicting;
  }
  // Cases of the guard are few, and make no room for anybody.
  const bool is_of_guard = value.id.client == guard_client;
  if (!is_of_guard && !make_room_in(queue, value, now)) return admission::client_quota;
  if (!is_of_guard && !make_room(queue, value, now)) return admission::overloaded;
  if (!queue.has_waiting()) turns_.push_back(value.id.client);
  if (queue.empty()) start_wait(value.id.client, queue, now);
  const auto before = queue.weight();
  queue.add(value, now);
  if (queue.oldest() == value.id.when) restart_wait(value.id.client, queue, now);
  weigh(value.id.client, before, queue);
  ++requests_waiting_;
  ++requests_pending_;
  bytes_pending_ += client_queue::bytes_of(value);
  return admission::accepted;
}

bool batch_builder::fits_quota(const client_queue& queue, const request& value) const {
  const std::size_t requests_max = is_restrained(value.id.client) ? 1 : limits::requests_in_flight_max;
  return queue.size() < requests_max &&
         (queue.empty() || queue.bytes() + client_queue::bytes_of(value) <= settings_.bytes_per_client_max);
}

/// A client that sends more than it may keeps the oldest.
bool batch_builder::make_room_in(client_queue& queue, const request& value, microseconds_t now) {
  while (!fits_quota(queue, value)) {
    const auto last = queue.last_waiting();
    if (!last || *last < value.id.when) return false;
    displace({value.id.client, *last}, now);
  }
  return true;
}

/// Longest-queue drop, as fair queueing does it: whoever holds most makes room.
bool batch_builder::make_room(const client_queue& queue, const request& value, microseconds_t now) {
  const auto bytes = client_queue::bytes_of(value);
  while (requests_pending_ >= settings_.requests_pending_max || bytes_pending_ + bytes > settings_.bytes_pending_max) {
    auto victim = heaviest_above(queue.weight() + client_queue::weight_of(value));
    if (const auto own = queue.last_waiting(); !victim && own && *own > value.id.when) {
      victim = request_id{value.id.client, *own};
    }
    if (!victim) return false;
    displace(*victim, now);
  }
  return true;
}

std::optional<request_id> batch_builder::heaviest_above(std::size_t weight) const {
  for (auto place = weights_.rbegin(); place != weights_.rend() && place->first > weight; ++place) {
    if (const auto last = queues_.at(place->second).last_waiting()) return request_id{place->second, *last};
  }
  return std::nullopt;
}

void batch_builder::displace(request_id id, microseconds_t now) {
  displaced_.push_back(id);
  remove(id, now);
}

void batch_builder::weigh(client_id client, std::size_t before, const client_queue& queue) {
  weights_.erase({before, client});
  if (!queue.empty()) weights_.emplace(queue.weight(), client);
}

std::optional<exhibits> batch_builder::contradiction_with(const request& value) {
  const auto found = queues_.find(value.id.client);
  const auto* known = found == queues_.end() ? nullptr : found->second.find(value.id.when);
  if (known == nullptr || is_same_request(*known, value) || value.id.client == guard_client) return std::nullopt;
  const bool fits = std::max(known->raw.view.size(), value.raw.view.size()) <= limits::exhibit_bytes_max;
  // Once is enough: showing costs more than contradicting (attack 33).
  if (!fits || is_restrained(value.id.client) || !found->second.note_contradicted(value.id.when)) return std::nullopt;
  return exhibits{{exhibit{message_kind::request, known->raw}, exhibit{message_kind::request, value.raw}}};
}

// --- Batches ---------------------------------------------------------------------

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
    auto& queue = queue_of(client);
    if (!take_next(queue, next)) break;
    turns_.pop_front();
    if (queue.has_waiting()) turns_.push_back(client);
  }
  if (next.requests.empty()) return std::nullopt;
  in_flight_.push_back(next.requests.front().id);
  return next;
}

/// Moves the first waiting request of `queue` into the batch; false when it does not fit.
bool batch_builder::take_next(client_queue& queue, batch& into) {
  const auto* first = queue.next();
  require(first != nullptr, "a client has its turn only while it has waiting requests");
  const auto bytes = client_queue::bytes_of(*first);
  if (!into.requests.empty() && into.bytes + bytes > settings_.bytes_per_batch_max) return false;
  into.requests.push_back(*first);
  into.bytes += bytes;
  queue.propose_next();
  --requests_waiting_;
  return true;
}

void batch_builder::on_executed(const std::vector<executed_request>& requests, bool own, microseconds_t now) {
  for (const auto& each : requests) {
    // A primary that proposes old requests again serves nobody (attack 29).
    if (each.first_time) ++requests_executed_;
    forget(each.id, now);
    // The client is served: it sent what is older elsewhere, and nobody keeps it waiting but itself (attack 32).
    auto& queue = queue_of(each.id.client);
    const auto oldest = queue.oldest();
    if (each.first_time && each.id.client != guard_client && oldest && each.id.when < *oldest) {
      restart_wait(each.id.client, queue, now);
    }
    // What fell out of the client's window is never executed: it must not keep its place here.
    for (const auto when : queue_of(each.id.client).fallen())
      remove_served({each.id.client, when}, now);
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
  wait_again(guard_client, queue_of(guard_client), now);
}

/// A case may have been in a batch that the state covers: whether it is settled the docket finds out.
void batch_builder::wait_again(client_id client, client_queue& queue, microseconds_t now) {
  if (queue.empty()) return;
  const bool had_its_turn = queue.has_waiting();
  requests_waiting_ += queue.size() - queue.waiting();
  queue.propose_again(now);
  if (!had_its_turn) turns_.push_back(client);
  restart_wait(client, queue, now);
}

void batch_builder::on_dropped(const std::vector<request_id>& cases, microseconds_t now) {
  for (const auto& name : cases) {
    if (is_pending(name)) remove(name, now);
  }
}

bool batch_builder::is_pending(request_id id) const {
  const auto found = queues_.find(id.client);
  return found != queues_.end() && found->second.find(id.when) != nullptr;
}

bool batch_builder::is_oldest(request_id id) const {
  const auto found = queues_.find(id.client);
  return found != queues_.end() && found->second.oldest() == id.when;
}

bool batch_builder::is_over(request_id id) const { return standing_of(id) != timestamp_window::standing::fresh; }

void batch_builder::forget_through(request_id floor, microseconds_t now) {
  auto& queue = queue_of(floor.client);
  queue.raise_floor_to(floor.when);
  for (const auto when : queue.fallen())
    remove_served({floor.client, when}, now);
}

void batch_builder::forget(request_id id, microseconds_t now) {
  auto& queue = queue_of(id.client);
  if (const auto* known = queue.find(id.when)) {
    // Large ones take their time on the links.
    const bool is_small = client_queue::bytes_of(*known) <= small_request_bytes;
    const auto overtaken_at = queue.overtaken_at(id.when).value_or(now);
    const auto began = queue.since(id.when);
    if (is_small && tells(id, queue, now)) note(ended_stays_, {began, passed(began, now), passed(overtaken_at, now)});
    queue.note_overtaking(id.when, now);
    remove_served(id, now);
  }
  queue.on_executed(id.when);
}

/// While the oldest one waits the client waits, however much of its other requests is served (attack 31).
void batch_builder::remove_served(request_id id, microseconds_t now) {
  const auto& queue = queue_of(id.client);
  if (queue.oldest() == id.when && tells(id, queue, now)) {
    note(ended_waits_, {queue.waits_since, passed(queue.waits_since, now)});
  }
  remove(id, now);
}

/// Whether the time that it stayed was the primary's. Of who is restrained the primary takes one after the other.
bool batch_builder::tells(request_id id, const client_queue& queue, microseconds_t now) const {
  const auto when = id.when;
  if (is_restrained(id.client)) return false;
  return queue.is_handed_on(when) || now < queue.since(when) + service_judge::wait_floor_us;
}

void batch_builder::remove(request_id id, microseconds_t now) {
  auto& queue = queue_of(id.client);
  const bool was_oldest = queue.oldest() == id.when;
  const auto weight = queue.weight();
  const auto bytes = queue.bytes();
  if (queue.remove(id.when)) {
    --requests_waiting_;
    if (!queue.has_waiting()) turns_.erase(std::ranges::find(turns_, id.client));
  }
  weigh(id.client, weight, queue);
  --requests_pending_;
  bytes_pending_ -= bytes - queue.bytes();
  if (!was_oldest) return;
  end_wait(id.client, queue);
  if (!queue.empty()) start_wait(id.client, queue, now);
}

// --- Views and service ---------------------------------------------------------------

void batch_builder::start_wait(client_id client, client_queue& queue, microseconds_t now) {
  queue.waits_since = now;
  require(waits_.emplace(now, client).second, "a client waits once");
}

void batch_builder::restart_wait(client_id client, client_queue& queue, microseconds_t now) {
  end_wait(client, queue);
  start_wait(client, queue, now);
}

void batch_builder::end_wait(client_id client, const client_queue& queue) {
  require(waits_.erase({queue.waits_since, client}) == 1, "a client with pending requests waits");
}

void batch_builder::on_view(microseconds_t now) {
  in_flight_.clear();
  turns_.clear();
  waits_.clear();
  ended_waits_.clear();
  ended_stays_.clear();
  requests_waiting_ = requests_pending_;
  for (auto& [client, queue] : queues_) {
    if (queue.empty()) continue;
    queue.propose_again(now);
    turns_.push_back(client);
    start_wait(client, queue, now);
  }
}

void batch_builder::on_handed_on(request_id id, microseconds_t now) {
  auto& queue = queue_of(id.client);
  if (queue.note_handed_on(id.when, now) && queue.oldest() == id.when) restart_wait(id.client, queue, now);
}

bool batch_builder::on_repeated(request_id id, microseconds_t now) {
  const auto last = queues_.at(id.client).note_repeated(id.when, now);
  return !last || now >= *last + repeat_pause_us;
}

std::vector<request> batch_builder::pending() const {
  std::vector<request> all;
  std::size_t bytes = 0;
  for (const auto& [since, client] : waits_) {
    for (const auto* each : queues_.at(client).all()) {
      bytes += client_queue::bytes_of(*each);
      if (bytes > forwarded_bytes_max) return all;
      all.push_back(*each);
    }
  }
  return all;
}

service_report batch_builder::service(microseconds_t now) const {
  service_report report;
  report.clients_waiting = waits_.size();
  if (!waits_.empty()) report.longest_wait_us = now - std::min(now, waits_.begin()->first);
  report.requests_executed = requests_executed_;
  report.waits = {ended_waits_.begin(), ended_waits_.end()};
  report.stays = {ended_stays_.begin(), ended_stays_.end()};
  return report;
}

}  // namespace hypermesh
