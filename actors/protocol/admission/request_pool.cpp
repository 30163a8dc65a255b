#include "actors/protocol/admission/request_pool.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// The number of ended waits, and of ended stays, from which the typical one is computed.
constexpr std::size_t waits_kept = 512;
/// Only requests up to this size count as stays, because a larger request takes longer on the links.
constexpr std::size_t small_request_bytes = 16 * 1024;

duration passed(moment began, moment now) { return now - std::min(now, began); }

void note(std::deque<ended_wait>& ended, ended_wait one) {
  ended.push_back(one);
  if (ended.size() > waits_kept) ended.pop_front();
}

/// Whether the time that a request was pending counts as a measurement of the primary. The time counts if this replica
/// forwarded the request, or if the time was short. Otherwise the delay may have been caused by the client or by
/// another replica.
bool tells(bool is_forwarded, moment since, moment now) {
  return is_forwarded || now < since + primary_monitor::wait_floor;
}

}  // namespace

client_queue& request_pool::queue_of(client_id client) {
  return queues_.try_emplace(client, client_queue{client}).first->second;
}

request_standing request_pool::standing_of(request_id id) const {
  const auto found = queues_.find(id.client);
  // A client without a queue has no executed request. This function creates no queue, so a query costs no memory.
  return found == queues_.end() ? client_queue{id.client}.standing_of(id) : found->second.standing_of(id);
}

/// Applies `step` to the queue of a client, and updates the totals over all queues.
template <class Step>
void request_pool::change(client_id client, moment now, Step step) {
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
  // Each client has one entry, which is found by its previous weight.
  if (size > 0) weights_.erase({weight, client});
  if (!queue.empty()) weights_.emplace(queue.weight(), client);
  if (ready == 0 && queue.ready_waiting() > 0) turns_.push_back(client);
  if (ready > 0 && queue.ready_waiting() == 0) turns_.erase(std::ranges::find(turns_, client));
  // The wait of a client is the wait of its oldest ready request. If another request becomes the oldest, a new wait
  // begins.
  if (queue.oldest() == oldest) return;
  if (oldest) require(waits_.erase({queue.waits_since, client}) == 1, "a client with a ready request has a wait");
  if (!queue.oldest()) return;
  queue.waits_since = now;
  require(waits_.emplace(now, client).second, "a client has one wait");
}

// --- Admission -------------------------------------------------------------------

request_pool::admission request_pool::admit(const request& value, moment now) {
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
  // Equal bytes are a retransmission. Other bytes with the same id are a conflict that the client signed (attack 8).
  if (const auto* known = queue.find(value.id)) {
    return is_same_request(*known, value) ? admission::already_pending : admission::contradicting;
  }
  if (!is_admitting_) return admission::overloaded;
  // The quota comes first: a client that exceeds it displaces no request of another client (I12).
  if (!make_room_in(queue, value, now)) return admission::client_quota;
  if (!make_room(queue, value, now)) return admission::overloaded;
  change(value.id.client, now, [&](client_queue& of) { of.add(value, now); });
  return admission::accepted;
}

/// System requests are few, because the evidence pool bounds them. They need no quota and displace nothing.
request_pool::admission request_pool::admit(const system_request& value, moment now) {
  if (system_.was_executed(value.name)) return admission::done;
  // Two replicas may submit different evidence for one case. One of the two is enough.
  if (system_.find(value.name) != nullptr) return admission::already_pending;
  system_.add(value, now);
  return admission::accepted;
}

/// Applies the quota of the client. The function finds all requests to remove before it displaces the first one, so a
/// request that gets no room displaces no other.
bool request_pool::make_room_in(client_queue& queue, const request& value, moment now) {
  const std::size_t requests_max = is_rate_limited(value.id.client) ? 1 : limits::requests_pending_per_client_max;
  const auto victims = queue.room_for(value, requests_max, settings_.bytes_per_client_max);
  if (!victims) return false;
  for (const auto& each : *victims)
    displace(each, now);
  return true;
}

/// Makes room for `value` by longest-queue drop, as in fair queueing: removes requests of the client with the most
/// pending bytes. Returns false if there is still no room.
bool request_pool::make_room(client_queue& queue, const request& value, moment now) {
  const auto bytes = client_queue::bytes_of(value);
  while (requests_pending() >= settings_.requests_pending_max ||
         bytes_pending() + bytes > settings_.bytes_pending_max) {
    // The other client must have more pending bytes than this one would have with its new request. Otherwise two
    // clients could displace each other in turn.
    const auto victim = heaviest_above(queue.weight() + client_queue::weight_of(value));
    if (!victim) return make_own_room(queue, value, now);
    displace(*victim, now);
  }
  return true;
}

/// Makes room if no other client has more pending bytes: removes requests of the same client. Returns false if there is
/// still no room.
bool request_pool::make_own_room(client_queue& queue, const request& value, moment now) {
  const auto bytes = client_queue::bytes_of(value);
  const auto too_many = requests_pending() + 1 - std::min(requests_pending() + 1, settings_.requests_pending_max);
  const auto too_much = bytes_pending() + bytes - std::min(bytes_pending() + bytes, settings_.bytes_pending_max);
  if (queue.size() < too_many || queue.bytes() < too_much) return false;
  const auto victims = queue.room_for(value, queue.size() + 1 - too_many, queue.bytes() + bytes - too_much);
  if (!victims) return false;
  for (const auto& each : *victims)
    displace(each, now);
  return requests_pending() < settings_.requests_pending_max && bytes_pending() + bytes <= settings_.bytes_pending_max;
}

std::optional<request_id> request_pool::heaviest_above(std::size_t weight) const {
  for (auto place = weights_.rbegin(); place != weights_.rend() && place->first > weight; ++place) {
    // If all requests of a client are in batches, none can be removed, so the next client is examined.
    if (const auto last = queues_.at(place->second).last_waiting()) return last;
  }
  return std::nullopt;
}

void request_pool::displace(request_id id, moment now) {
  // The displacement is not final: the client gets a refusal and sends the request again later.
  displaced_.push_back(reference_of(*queues_.at(id.client).find(id)));
  remove(id, now);
}

std::optional<evidence> request_pool::contradiction_with(const request& value) {
  const auto found = queues_.find(value.id.client);
  const auto* known = found == queues_.end() ? nullptr : found->second.find(value.id);
  // Two processes may choose one session number by accident. Their openings have different nonces and are not evidence.
  if (value.id.opens_session()) return std::nullopt;
  if (known == nullptr || is_same_request(*known, value)) return std::nullopt;
  // Larger requests do not fit into evidence, so they cannot convict their client.
  const bool fits = std::max(known->raw.view.size(), value.raw.view.size()) <= limits::evidence_item_bytes_max;
  // Evidence is created once for each pending request, because it costs the replica more than a contradiction costs the
  // client (attack 33).
  if (!fits || is_rate_limited(value.id.client) || !found->second.note_contradicted(value.id)) return std::nullopt;
  return evidence{{item_of(std::make_shared<const request>(*known)), item_of(std::make_shared<const request>(value))}};
}

// --- Batches ---------------------------------------------------------------------

std::optional<cut_batch> request_pool::cut(bool delay_passed, std::size_t in_flight_max, std::size_t requests_max) {
  if (!has_waiting() || in_flight() >= std::min(in_flight_max, settings_.pipeline_depth)) return std::nullopt;
  const bool enough = requests_ready_ + system_.waiting() >= settings_.requests_per_batch_target;
  // TOCS '02 §5.1.4: an idle primary proposes at once; a busy one gathers requests.
  if (in_flight() > 0 && !enough && !delay_passed) return std::nullopt;
  cut_batch next{{}, moment::max()};
  take_system_requests(next);
  while (!turns_.empty() && next.content.requests.size() < std::min(requests_max, settings_.requests_per_batch_max)) {
    const auto client = turns_.front();
    // A request that does not fit begins the next batch. If smaller requests were taken first, it could wait for ever.
    if (!take_next(client, next)) break;
    // The next turns belong to the other clients, so that a flood of one client does not delay another (attack 31).
    if (turns_.size() > 1 && turns_.front() == client) std::ranges::rotate(turns_, turns_.begin() + 1);
  }
  if (next.content.is_null()) return std::nullopt;
  in_flight_.push_back(mark_of(next.content));
  return next;
}

/// Moves the first system requests into an empty batch. The decoder of a backup refuses a batch with more than
/// `system_requests_per_batch_max`, because one may cost as much as a hundred requests of clients (attack 33).
void request_pool::take_system_requests(cut_batch& into) {
  auto& content = into.content;
  require(content.is_null(), "system requests come first in a batch");
  while (system_.waiting() > 0 && content.system_requests.size() < limits::system_requests_per_batch_max) {
    const auto& first = *system_.next();
    const auto bytes = first.raw.view.size();
    // Half of the bytes are reserved for clients. A single system request may be larger.
    const auto bytes_max = std::min(settings_.bytes_per_batch_max / 2, limits::system_request_bytes_per_batch_max);
    if (!content.system_requests.empty() && content.bytes + bytes > bytes_max) return;
    content.system_requests.push_back(first);
    content.bytes += bytes;
    into.oldest = std::min(into.oldest, system_.since(first.name));
    system_.propose_next();
  }
}

/// Moves the next request of a client into the batch. False if it does not fit.
bool request_pool::take_next(client_id client, cut_batch& into) {
  auto& content = into.content;
  const auto* first = queue_of(client).next();
  require(first != nullptr, "a client has its turn only while it has requests to propose");
  const auto bytes = client_queue::bytes_of(*first);
  if (!content.is_null() && content.bytes + bytes > settings_.bytes_per_batch_max) return false;
  content.requests.push_back(*first);
  content.bytes += bytes;
  into.oldest = std::min(into.oldest, queue_of(client).since(first->id));
  // The time argument is unused, because a proposal ends no wait.
  change(client, {}, [](client_queue& of) { of.propose_next(); });
  return true;
}

void request_pool::on_executed(const std::vector<executed_request>& requests, bool own, moment now,
                               const std::vector<case_name>& cases) {
  for (const auto name : cases)
    note_executed(name, now);
  for (const auto& each : requests)
    note_executed(each, now);
  batch_mark done;
  if (!requests.empty()) done.request = requests.front().id;
  if (!cases.empty()) done.name = cases.front();
  // The batch may have left the pipeline before, because an installed state covered it or because it was proposed in an
  // earlier view.
  if (own && !in_flight_.empty() && in_flight_.front() == done) in_flight_.pop_front();
}

request_pool::batch_mark request_pool::mark_of(const batch& content) {
  require(!content.is_null(), "a batch that is cut has requests");
  batch_mark mark;
  if (!content.requests.empty()) mark.request = content.requests.front().id;
  if (!content.system_requests.empty()) mark.name = content.system_requests.front().name;
  return mark;
}

/// System requests do not count as executed requests: a primary could order the same one again and again, and let the
/// clients wait (attack 29).
void request_pool::note_executed(case_name name, moment now) {
  const auto* known = system_.find(name);
  if (known != nullptr && tells(system_.is_forwarded(name), system_.since(name), now)) {
    const auto began = system_.since(name);
    if (known->raw.view.size() <= small_request_bytes) note(ended_stays_, {began, passed(began, now), {}});
    if (system_.oldest() == name) {
      const auto waits_since = *system_.waits_since();
      note(ended_waits_, {waits_since, passed(waits_since, now)});
    }
  }
  system_.on_executed(name, now);
}

/// The request is no longer pending, or it waits again because it was committed too early.
void request_pool::note_executed(const executed_request& each, moment now) {
  // A request that was executed before does not count, because a primary could propose old requests again instead of
  // new ones (attack 29).
  if (each.first_time) ++requests_executed_;
  auto& queue = queue_of(each.id.client);
  if (!each.too_early && queue.find(each.id) != nullptr) {
    // Large requests take longer on the links, so they are a poor measure of the primary.
    const bool is_small = client_queue::bytes_of(*queue.find(each.id)) <= small_request_bytes;
    const auto overtaken_at = queue.overtaken_at(each.id).value_or(now);
    const auto began = queue.since(each.id);
    if (is_small && wait_tells(each.id, queue, now)) {
      note(ended_stays_, {began, passed(began, now), passed(overtaken_at, now)});
    }
    queue.note_overtaking(each.id, now);
  }
  // A request that fell out of its window, or whose session ended, is never executed. Such a request must not stay in
  // the pool.
  std::vector<request_id> over;
  change(each.id.client, now, [&](client_queue& of) { over = of.on_executed(each, now); });
  for (const auto& id : over)
    remove_served(id, now);
  // A request was executed that precedes the oldest pending request of the client. The client sent that request only to
  // other replicas, and so delayed its pending request itself. Therefore the wait starts again (attack 32).
  const auto oldest = queue.oldest();
  const bool served_before = oldest && (each.id.session == oldest->session ? each.id.when < oldest->when
                                                                           : queue.may_be_behind_others(*oldest));
  if (each.first_time && served_before) restart_wait(each.id.client, now);
}

void request_pool::on_installed(const sessions_by_client& executed, moment now) {
  for (const auto& [client, sessions] : executed) {
    std::vector<request_id> over;
    change(client, now, [&](client_queue& of) { over = of.on_installed(sessions, now); });
    for (const auto& id : over)
      remove_served(id, now);
  }
  // The batches that the state covers will not be executed here. If they stayed in the pipeline, a primary that once
  // fell behind would propose fewer and fewer batches.
  while (!in_flight_.empty() && (!in_flight_.front().request || is_over(*in_flight_.front().request)))
    in_flight_.pop_front();
  // A system request may have been in a batch that the state covers. The evidence pool finds out whether it is settled.
  system_.wait_again(now);
}

void request_pool::on_dropped(const std::vector<case_name>& cases, moment now) {
  for (const auto name : cases)
    system_.drop(name, now);
}

const request* request_pool::find(request_id id) const {
  const auto found = queues_.find(id.client);
  return found == queues_.end() ? nullptr : found->second.find(id);
}

bool request_pool::is_oldest(request_id id) const {
  const auto found = queues_.find(id.client);
  return found != queues_.end() && found->second.oldest() == id;
}

bool request_pool::is_settled(request_id id) const {
  const auto standing = standing_of(id);
  return standing != request_standing::fresh && standing != request_standing::early;
}

/// A request that was too early was in a committed batch, so that batch has left the pipeline too.
bool request_pool::is_over(request_id id) const { return standing_of(id) != request_standing::fresh; }

/// Removes a request that was executed or is over. If it was the oldest request, the wait of the client ends. The wait
/// does not end when other requests of the client are executed (attack 31).
void request_pool::remove_served(request_id id, moment now) {
  const auto& queue = queue_of(id.client);
  if (queue.oldest() == id && wait_tells(id, queue, now)) {
    note(ended_waits_, {queue.waits_since, passed(queue.waits_since, now)});
  }
  remove(id, now);
}

/// Whether the wait for this request counts as a measurement of the primary. Requests of a rate-limited client are
/// ordered one at a time, so their waits do not count.
bool request_pool::wait_tells(request_id id, const client_queue& queue, moment now) const {
  return !is_rate_limited(id.client) && tells(queue.is_forwarded(id), queue.since(id), now);
}

void request_pool::remove(request_id id, moment now) {
  change(id.client, now, [&](client_queue& of) { of.remove(id, now); });
}

// --- Views and service ---------------------------------------------------------------

void request_pool::restart_wait(client_id client, moment now) {
  auto& queue = queue_of(client);
  require(waits_.erase({queue.waits_since, client}) == 1, "a client with a ready request has a wait");
  queue.waits_since = now;
  waits_.emplace(now, client);
}

void request_pool::on_view(moment now) {
  // Batches of the old view are dropped, or proposed again in the NEW-VIEW.
  in_flight_.clear();
  turns_.clear();
  waits_.clear();
  // Waits and times under the previous primary must not count against the new one (attack 32).
  last_time_.reset();
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
  system_.wait_again(now);
}

void request_pool::on_forwarded(request_id id, moment now) {
  auto& queue = queue_of(id.client);
  // The wait of a client is the wait of its oldest request, so other forwarded requests do not change it.
  if (queue.note_forwarded(id, now) && queue.oldest() == id) restart_wait(id.client, now);
}

bool request_pool::on_repeated(request_id id, moment now) {
  const auto last = queues_.at(id.client).note_repeated(id, now);
  return !last || now >= *last + repeat_pause;
}

pending_requests request_pool::pending() const {
  pending_requests all;
  std::size_t bytes = 0;
  // System requests come first. Otherwise one client could use up all bytes that may be forwarded, and so keep the
  // evidence against itself from the new primary. Half of the bytes are reserved for clients.
  for (const auto* each : system_.all()) {
    bytes += each->raw.view.size();
    if (bytes > forwarded_bytes_max / 2) break;
    all.system_requests.push_back(*each);
  }
  bytes = std::min(bytes, forwarded_bytes_max / 2);
  const auto fits = [&bytes](byte_span raw) { return (bytes += raw.size()) <= forwarded_bytes_max; };
  // The client that waits longest comes first. A client without a ready request is skipped.
  for (const auto& [since, client] : waits_) {
    for (const auto* each : queues_.at(client).all()) {
      // The bytes are bounded, because all backups send such copies to the new primary at the same time (attack 33).
      if (!fits(each->raw.view)) return all;
      all.requests.push_back(*each);
    }
  }
  return all;
}

service_report request_pool::service(moment now) const {
  service_report report;
  // All system requests together count as one client, because they wait in one queue.
  report.clients_waiting = waits_.size() + (system_.empty() ? 0 : 1);
  if (!waits_.empty()) report.longest_wait = passed(waits_.begin()->first, now);
  if (const auto since = system_.waits_since()) {
    report.longest_wait = std::max(report.longest_wait, passed(*since, now));
  }
  report.requests_executed = requests_executed_;
  report.last_time = last_time_;
  report.waits = {ended_waits_.begin(), ended_waits_.end()};
  report.stays = {ended_stays_.begin(), ended_stays_.end()};
  return report;
}

}  // namespace hypermesh::protocol
