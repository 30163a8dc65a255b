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

request_standing batch_builder::standing_of(request_id id) const {
  const auto found = queues_.find(id.client);
  return found == queues_.end() ? client_queue{id.client}.standing_of(id) : found->second.standing_of(id);
}

/// Changes the queue of a client by `step`, and brings everything that is counted over all queues up to date.
template <class Step>
void batch_builder::change(client_id client, microseconds_t now, Step step) {
  auto& queue = queue_of(client);
  const auto oldest = queue.oldest();
  const auto size = queue.size();
  const auto bytes = queue.bytes();
  const auto weight = queue.weight();
  const auto ready = queue.ready_waiting();
  step(queue);
  requests_pending_ = requests_pending_ - size + queue.size();
  bytes_pending_ = bytes_pending_ - bytes + queue.bytes();
  requests_ready_ = requests_ready_ - ready + queue.ready_waiting();
  if (size > 0) weights_.erase({weight, client});
  if (!queue.empty()) weights_.emplace(queue.weight(), client);
  if (ready == 0 && queue.ready_waiting() > 0) turns_.push_back(client);
  if (ready > 0 && queue.ready_waiting() == 0) turns_.erase(std::ranges::find(turns_, client));
  if (queue.oldest() == oldest) return;
  if (oldest) require(waits_.erase({queue.waits_since, client}) == 1, "a client that is to be served waits");
  if (!queue.oldest()) return;
  queue.waits_since = now;
  require(waits_.emplace(now, client).second, "a client waits once");
}

// --- Admission -------------------------------------------------------------------

batch_builder::admission batch_builder::admit(const request& value, microseconds_t now) {
  auto& queue = queue_of(value.id.client);
  switch (queue.standing_of(value.id)) {
    case request_standing::done:
      return admission::done;
    case request_standing::past:
    case request_standing::ended:
      return admission::past;
    case request_standing::fresh:
    case request_standing::early:
      break;
  }
  if (const auto* known = queue.find(value.id)) {
    return is_same_request(*known, value) ? admission::already_pending : admission::contradicting;
  }
  // Cases of the guard are few, and make no room for anybody.
  const bool is_of_guard = value.id.client == guard_client;
  if (!is_of_guard && !make_room_in(queue, value, now)) return admission::client_quota;
  if (!is_of_guard && !make_room(queue, value, now)) return admission::overloaded;
  change(value.id.client, now, [&](client_queue& of) { of.add(value, now); });
  return admission::accepted;
}

/// Everything is found out before anything is displaced: who gets no room displaces nobody.
bool batch_builder::make_room_in(client_queue& queue, const request& value, microseconds_t now) {
  const std::size_t requests_max = is_restrained(value.id.client) ? 1 : limits::requests_pending_per_client_max;
  const auto victims = queue.room_for(value, requests_max, settings_.bytes_per_client_max);
  if (!victims) return false;
  for (const auto& each : *victims)
    displace(each, now);
  return true;
}

/// Longest-queue drop, as fair queueing does it: whoever holds most makes room.
bool batch_builder::make_room(client_queue& queue, const request& value, microseconds_t now) {
  const auto bytes = client_queue::bytes_of(value);
  while (requests_pending_ >= settings_.requests_pending_max || bytes_pending_ + bytes > settings_.bytes_pending_max) {
    const auto victim = heaviest_above(queue.weight() + client_queue::weight_of(value));
    if (!victim) return make_own_room(queue, value, now);
    displace(*victim, now);
  }
  return true;
}

/// When nobody holds more, the client's own requests make room.
bool batch_builder::make_own_room(client_queue& queue, const request& value, microseconds_t now) {
  const auto bytes = client_queue::bytes_of(value);
  const auto too_many = requests_pending_ + 1 - std::min(requests_pending_ + 1, settings_.requests_pending_max);
  const auto too_much = bytes_pending_ + bytes - std::min(bytes_pending_ + bytes, settings_.bytes_pending_max);
  if (queue.size() < too_many || queue.bytes() < too_much) return false;
  const auto victims = queue.room_for(value, queue.size() + 1 - too_many, queue.bytes() + bytes - too_much);
  if (!victims) return false;
  for (const auto& each : *victims)
    displace(each, now);
  return requests_pending_ < settings_.requests_pending_max && bytes_pending_ + bytes <= settings_.bytes_pending_max;
}

std::optional<request_id> batch_builder::heaviest_above(std::size_t weight) const {
  for (auto place = weights_.rbegin(); place != weights_.rend() && place->first > weight; ++place) {
    if (const auto last = queues_.at(place->second).last_waiting()) return last;
  }
  return std::nullopt;
}

void batch_builder::displace(request_id id, microseconds_t now) {
  displaced_.push_back(reference_of(*queues_.at(id.client).find(id)));
  remove(id, now);
}

std::optional<exhibits> batch_builder::contradiction_with(const request& value) {
  const auto found = queues_.find(value.id.client);
  const auto* known = found == queues_.end() ? nullptr : found->second.find(value.id);
  // Two processes may choose one session: their opening requests differ, and no harm is meant.
  if (value.id.opens_session()) return std::nullopt;
  if (known == nullptr || is_same_request(*known, value) || value.id.client == guard_client) return std::nullopt;
  const bool fits = std::max(known->raw.view.size(), value.raw.view.size()) <= limits::exhibit_bytes_max;
  // Once is enough: showing costs more than contradicting (attack 33).
  if (!fits || is_restrained(value.id.client) || !found->second.note_contradicted(value.id)) return std::nullopt;
  return exhibits{{exhibit{message_kind::request, known->raw}, exhibit{message_kind::request, value.raw}}};
}

// --- Batches ---------------------------------------------------------------------

std::optional<batch> batch_builder::cut(bool delay_passed) {
  if (turns_.empty() || in_flight() >= settings_.pipeline_depth) return std::nullopt;
  const bool enough = requests_ready_ >= settings_.requests_per_batch_target;
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
    if (!take_next(client, next)) break;
    // The other clients come first.
    if (turns_.size() > 1 && turns_.front() == client) std::ranges::rotate(turns_, turns_.begin() + 1);
  }
  if (next.requests.empty()) return std::nullopt;
  in_flight_.push_back(next.requests.front().id);
  return next;
}

/// Moves the next request of a client into the batch; false when it does not fit.
bool batch_builder::take_next(client_id client, batch& into) {
  const auto* first = queue_of(client).next();
  require(first != nullptr, "a client has its turn only while it has requests to propose");
  const auto bytes = client_queue::bytes_of(*first);
  if (!into.requests.empty() && into.bytes + bytes > settings_.bytes_per_batch_max) return false;
  into.requests.push_back(*first);
  into.bytes += bytes;
  // Proposing ends no wait.
  change(client, 0, [](client_queue& of) { of.propose_next(); });
  return true;
}

void batch_builder::on_executed(const std::vector<executed_request>& requests, bool own, microseconds_t now) {
  for (const auto& each : requests) {
    // A primary that proposes old requests again serves nobody (attack 29).
    if (each.first_time) ++requests_executed_;
    note_executed(each, now);
  }
  // A batch that an installed state covered, or that was proposed in an earlier view, has left the pipeline already.
  const bool leads = own && !requests.empty() && !in_flight_.empty() && in_flight_.front() == requests.front().id;
  if (leads) in_flight_.pop_front();
}

/// It is pending no more, or waits again because it came before its turn.
void batch_builder::note_executed(const executed_request& each, microseconds_t now) {
  auto& queue = queue_of(each.id.client);
  if (!each.too_early && queue.find(each.id) != nullptr) {
    // Large ones take their time on the links.
    const bool is_small = client_queue::bytes_of(*queue.find(each.id)) <= small_request_bytes;
    const auto overtaken_at = queue.overtaken_at(each.id).value_or(now);
    const auto began = queue.since(each.id);
    if (is_small && tells(each.id, queue, now)) {
      note(ended_stays_, {began, passed(began, now), passed(overtaken_at, now)});
    }
    queue.note_overtaking(each.id, now);
  }
  // What fell out of a window, or lost its session, is never executed: it must not keep its place here.
  std::vector<request_id> over;
  change(each.id.client, now, [&](client_queue& of) { over = of.on_executed(each, now); });
  for (const auto& id : over)
    remove_served(id, now);
  // The client is served: it sent what is older elsewhere, and nobody keeps it waiting but itself (attack 32).
  const auto oldest = queue.oldest();
  const bool served_before = oldest && (each.id.session == oldest->session ? each.id.when < oldest->when
                                                                           : queue.may_be_behind_others(*oldest));
  if (each.first_time && each.id.client != guard_client && served_before) restart_wait(each.id.client, now);
}

void batch_builder::on_installed(const sessions_by_client& executed, microseconds_t now) {
  for (const auto& [client, sessions] : executed) {
    std::vector<request_id> over;
    change(client, now, [&](client_queue& of) { over = of.on_installed(sessions, now); });
    for (const auto& id : over)
      remove_served(id, now);
  }
  // The batches that the state covers are not executed here: without this they would hold their places
  // for ever, and a primary that fell behind once would propose less, in the end nothing.
  while (!in_flight_.empty() && (in_flight_.front().client == guard_client || is_over(in_flight_.front())))
    in_flight_.pop_front();
  if (queue_of(guard_client).empty()) return;
  // A case may have been in a batch that the state covers: whether it is settled the docket finds out.
  change(guard_client, now, [&](client_queue& of) { of.wait_again(now); });
  restart_wait(guard_client, now);
}

void batch_builder::on_dropped(const std::vector<request_id>& cases, microseconds_t now) {
  for (const auto& name : cases) {
    if (is_pending(name)) remove(name, now);
  }
}

const request* batch_builder::find(request_id id) const {
  const auto found = queues_.find(id.client);
  return found == queues_.end() ? nullptr : found->second.find(id);
}

bool batch_builder::is_oldest(request_id id) const {
  const auto found = queues_.find(id.client);
  return found != queues_.end() && found->second.oldest() == id;
}

/// One that is early was in a batch that came before its turn.
bool batch_builder::is_over(request_id id) const { return standing_of(id) != request_standing::fresh; }

/// While the oldest one waits the client waits, however much of its other requests is served (attack 31).
void batch_builder::remove_served(request_id id, microseconds_t now) {
  const auto& queue = queue_of(id.client);
  if (queue.oldest() == id && tells(id, queue, now)) {
    note(ended_waits_, {queue.waits_since, passed(queue.waits_since, now)});
  }
  remove(id, now);
}

/// Whether the time that it stayed was the primary's. Of who is restrained the primary takes one after the other.
bool batch_builder::tells(request_id id, const client_queue& queue, microseconds_t now) const {
  if (is_restrained(id.client)) return false;
  return queue.is_handed_on(id) || now < queue.since(id) + service_judge::wait_floor_us;
}

void batch_builder::remove(request_id id, microseconds_t now) {
  change(id.client, now, [&](client_queue& of) { of.remove(id, now); });
}

// --- Views and service ---------------------------------------------------------------

void batch_builder::restart_wait(client_id client, microseconds_t now) {
  auto& queue = queue_of(client);
  require(waits_.erase({queue.waits_since, client}) == 1, "a client that is to be served waits");
  queue.waits_since = now;
  waits_.emplace(now, client);
}

void batch_builder::on_view(microseconds_t now) {
  in_flight_.clear();
  turns_.clear();
  waits_.clear();
  ended_waits_.clear();
  ended_stays_.clear();
  requests_ready_ = 0;
  for (auto& [client, queue] : queues_) {
    if (queue.empty()) continue;
    queue.wait_again(now);
    requests_ready_ += queue.ready_waiting();
    if (queue.ready_waiting() > 0) turns_.push_back(client);
    queue.waits_since = now;
    if (queue.oldest()) waits_.emplace(now, client);
  }
}

void batch_builder::on_handed_on(request_id id, microseconds_t now) {
  auto& queue = queue_of(id.client);
  if (queue.note_handed_on(id, now) && queue.oldest() == id) restart_wait(id.client, now);
}

bool batch_builder::on_repeated(request_id id, microseconds_t now) {
  const auto last = queues_.at(id.client).note_repeated(id, now);
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
