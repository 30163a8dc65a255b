#include "actors/protocol/client/client_core.hpp"

#include <algorithm>
#include <iterator>

#include "messages/codec.hpp"
#include "messages/digest.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

client_core::client_core(const cluster_parameters& cluster, client_id self, const authenticator& keys,
                         client_settings settings, timestamp first, session_id session)
    : cluster_(cluster),
      self_(self),
      keys_(&keys),
      settings_(settings),
      session_(cluster, session, session == session_id{0} ? session_mode::independent : settings.mode,
               settings.sampling_seed, first),
      window_(settings.requests_in_flight_max, settings.retransmit_after),
      queries_(cluster, self, settings) {
  require(keys.self() == principal::of(self), "a client signs as itself");
  require(check_client_settings(settings).has_value(), "the settings were checked where they entered");
  require(session == session_id{0} || first == timestamp{1}, "the timestamps of a session begin with 1");
}

/// Counts the operation as pending, or returns why it is refused.
std::optional<client_error> client_core::admit(const byte_vector& operation) {
  if (operation.size() > limits::operation_bytes_max) return client_error::too_large;
  if (operations_pending_ >= settings_.operations_pending_max) return client_error::too_many_pending;
  ++operations_pending_;
  return std::nullopt;
}

client_effects client_core::on_submit(byte_vector operation, operation_token token, moment now) {
  client_effects out;
  if (const auto refused = admit(operation)) {
    out.done.push_back({token, *refused});
    return out;
  }
  waiting_.push_back({std::move(operation), token, now});
  send_bundles(now, out);
  return out;
}

/// Whether one more request may be under way. The newest request must stay within a window of the oldest, so that an
/// open request never falls out of the window at a replica (`timestamp_window`).
bool client_core::has_room() const {
  if (requests_.empty()) return true;
  return requests_.size() < window_.size() &&
         session_.next().value - requests_.begin()->first.value < limits::requests_in_flight_max;
}

void client_core::send_bundles(moment now, client_effects& out) {
  if (waiting_.empty()) return;
  // No operation is sent before f + 1 replicas have opened the session. So if the number is refused, no operation was
  // executed in that session.
  if (!session_.is_open()) return open_session(now, out);
  while (!waiting_.empty() && has_room()) {
    const bool full = waiting_.size() >= settings_.bundle_operations_max;
    const bool due = now >= waiting_.front().since + settings_.bundle_delay;
    // A client without requests under way sends at once, so that a single operation has no bundle delay.
    if (!full && !due && !requests_.empty()) return;
    send_request(std::min(waiting_.size(), settings_.bundle_operations_max), now, out);
  }
}

/// The opening goes to all replicas, because each replica has to know on which link to send the results of the session.
void client_core::open_session(moment now, client_effects& out) {
  // The opening of this number is under way already.
  if (requests_.contains(timestamp{0})) return;
  const auto operation = operation_of(session_.opening());
  auto request = sign_request(timestamp{0}, {byte_span{operation}}, now);
  opening_frame_ = request.frame;
  out.sends.push_back({std::nullopt, request.frame});
  requests_.emplace(timestamp{0}, std::move(request));
}

client_core::open_request client_core::sign_request(timestamp when, const std::vector<byte_span>& operations,
                                                    moment now) const {
  open_request request;
  auto buffer = request_buffer({self_, when, session_.id()}, operations);
  const auto by = cluster_.requests_by == request_authentication::signature
                      ? keys_->sign(signing_input(cluster_.signing, message_kind::request, buffer))
                      : request_checksum(cluster_.signing, buffer);
  // Replies have to name this digest, so that a reply to another request with the same name is not accepted (attack 5).
  request.content = digest_of_request(by);
  request.frame = seal(message_kind::request, std::move(buffer), by);
  request.sent_at = now;
  request.interval = std::max(settings_.retransmit_after, std::min(window_.resend_after(), settings_.retransmit_max));
  request.next_send = now + request.interval;
  request.deadline = now + settings_.deadline;
  return request;
}

void client_core::send_request(std::size_t count, moment now, client_effects& out) {
  std::vector<operation_token> tokens;
  std::vector<byte_span> operations;
  std::size_t bytes = 0;
  for (std::size_t index = 0; index < count; ++index) {
    const auto& each = waiting_[index];
    bytes += each.operation.size();
    // The bundle ends before the first operation that does not fit. This operation begins the next request.
    if (bytes > limits::request_bytes_max) break;
    operations.emplace_back(each.operation);
    tokens.push_back(each.token);
  }
  require(!operations.empty(), "one operation always fits a request");
  const auto when = session_.take_next();
  auto request = sign_request(when, operations, now);
  request.tokens = std::move(tokens);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(operations.size()));
  // §4.1: "by sending a ⟨REQUEST, o, t, c⟩σc message to the primary".
  out.sends.push_back({receiver_of(when, now), request.frame});
  requests_.emplace(when, std::move(request));
}

/// The receiver of a request: the primary, or all replicas (no value) if the link to the primary is closed or the
/// request is sampled. A request without a signature goes to all replicas, because each replica accepts it only from
/// the client, or if f + 1 others vouch for it.
std::optional<replica_id> client_core::receiver_of(timestamp when, moment now) {
  if (cluster_.requests_by == request_authentication::authenticator) return std::nullopt;
  const auto primary = cluster_.group().primary_of(view_);
  if (closed_links_.contains(primary) || is_sampled(when, now)) return std::nullopt;
  return primary;
}

/// Whether the request belongs to the sample, which goes to all replicas. In an ordered session a backup can only
/// measure the wait of a request if it also has the requests before it. So the sample consists of runs of consecutive
/// requests, twice as many as may be under way. Requests in the first half of a run may follow requests that the
/// backups do not have. The second half shows how long the primary takes.
bool client_core::is_sampled(timestamp when, moment now) {
  if (settings_.sampled_one_in == 0) return false;
  // A run that has begun is continued, whatever the random choice is.
  if (sampled_left_ > 0) return sampled_left_-- > 0;
  // The choice depends on a secret, so the primary cannot delay only the requests that are not sampled (attack 29).
  const auto drawn = hasher{"hypermesh sampled request"}.add(settings_.sampling_seed).add(when.value).finish();
  std::uint64_t number = 0;
  for (std::size_t index = 0; index < sizeof(number); ++index)
    number = number << 8U | std::to_integer<std::uint64_t>(drawn.bytes[index]);
  const auto factor = is_doubtful(now) ? client_settings::doubtful_factor : 1;
  const auto run = is_ordered() ? 2 * std::max<std::uint64_t>(requests_.size(), 1) : 1;
  // Longer runs begin less often, so that the share of sampled requests stays the same. Example: 8 requests under way
  // make runs of 16, which begin at one request in 16 * 16 = 256.
  if (number % (std::max<std::uint64_t>(settings_.sampled_one_in / factor, 1) * run) != 0) return false;
  sampled_left_ = run - 1;
  return true;
}

/// Whether the last result came late, or the oldest open request is late now.
bool client_core::is_doubtful(moment now) const {
  const auto oldest = requests_.empty() ? duration{} : now - std::min(now, requests_.begin()->second.sent_at);
  return std::max(last_wait_, oldest) >= settings_.doubtful_after;
}

client_effects client_core::on_reply(replica_id from, const reply& value, moment now) {
  client_effects out;
  // Replies of an earlier session are dropped, because timestamps start again in each session.
  if (value.id.client != self_ || value.id.session != session_.id() || !cluster_.group().contains(from)) return out;
  const auto found = requests_.find(value.id.when);
  if (found == requests_.end()) {
    // The request has its result already. A different result is counted as a wrong reply of its replica (attack 5).
    watch_.on_late(from, value.id.when, value.outcome);
    return out;
  }
  auto& request = found->second;
  if (value.request != request.content) {
    // The reply answers a different request with the same name, so its result must not be used for this request (attack
    // 5).
    if (value.outcome.status == reply_status::executed) on_name_taken(from, value.id.when, now, out);
    return out;
  }
  // The view is noted for every replica. `learn_view` uses only the views of replicas whose results agree in the end.
  request.views[from] = value.view;
  switch (value.outcome.status) {
    case reply_status::overloaded:
      // This refusal is not final, because the request is sent again later and may be admitted then.
      request.refused_by.insert(from);
      if (request.refused_by.size() == cluster_.group().weak_quorum()) window_.on_lost(request.sent_at, now);
      break;
    case reply_status::session_ended:
      on_session_ended(from, value, now, out);
      break;
    case reply_status::executed:
    case reply_status::stale_timestamp:
      take_outcome(from, value, now, out);
      break;
  }
  return out;
}

void client_core::take_outcome(replica_id from, const reply& value, moment now, client_effects& out) {
  auto& request = requests_.at(value.id.when);
  // Only the first answer of a replica counts, so f faulty replicas cannot make f + 1 equal answers (attack 5).
  if (!request.outcomes.emplace(from, value.outcome).second) return;
  // §4.1: "The client waits for f + 1 replies with valid signatures from different replicas, and with the same t and
  // r, before accepting the result r."
  const auto matching = std::count_if(request.outcomes.begin(), request.outcomes.end(),
                                      [&](const auto& each) { return each.second == value.outcome; });
  if (static_cast<std::uint32_t>(matching) < cluster_.group().weak_quorum()) return;
  // This must precede `finish`, which drops the answers of the replicas.
  learn_view(request, value.outcome);
  last_wait_ = now - std::min(now, request.sent_at);
  window_.on_answered(request.sent_at, requests_.size(), now);
  answered_at_ = now;
  watch_.on_agreed(value.id.when, value.outcome, request.outcomes);
  finish(value.id.when, value.outcome, out);
  send_bundles(now, out);
}

/// The session has ended. If it was open, f+1 replicas have to answer so, because one of them is correct: no request
/// under way will be executed from now on, and operations that still wait are sent in another session. If it was not
/// open yet, a quorum has to refuse the opening, because the next number is computed from the numbers in the refusals.
void client_core::on_session_ended(replica_id from, const reply& value, moment now, client_effects& out) {
  if (!session_.is_open()) {
    // No operation was sent in this session, so another number can be used, and no operation fails.
    if (!session_.on_refused(from, value.outcome.fresh_above)) return;
  } else {
    auto& request = requests_.at(value.id.when);
    request.ended_by.insert(from);
    if (request.ended_by.size() < cluster_.group().weak_quorum()) return;
    // Requests under way may have been executed before the end. They fail and are not sent again in another session,
    // because they could be executed twice.
    for (auto& [when, each] : requests_)
      fail(each, client_error::session_ended, out);
    session_.replace(session_.id());
  }
  // `on_reply` drops late replies, because they contain the number of the old session.
  requests_.clear();
  send_bundles(now, out);
}

/// Another process uses the same key and the same session. f+1 replicas executed its request under this name, so the
/// request of this client will never be executed.
void client_core::on_name_taken(replica_id from, timestamp when, moment now, client_effects& out) {
  const auto found = requests_.find(when);
  found->second.taken_by.insert(from);
  if (found->second.taken_by.size() < cluster_.group().weak_quorum()) return;
  fail(found->second, client_error::name_taken, out);
  requests_.erase(found);
  // The other process has opened the session, so this client chooses another number. Its operations still wait.
  if (!session_.is_open()) session_.replace(session_.id());
  send_bundles(now, out);
}

/// The client uses the smallest view among those of the f+1 agreeing replicas, because at least one correct replica has
/// reached it. Example with f=1: a faulty replica reports view 900 and a correct replica view 5. The client uses 5
/// (attack 19).
void client_core::learn_view(const open_request& request, const request_outcome& agreed) {
  std::optional<view_number> lowest;
  for (const auto& [replica, outcome] : request.outcomes) {
    if (!(outcome == agreed)) continue;
    const auto view = request.views.at(replica);
    if (!lowest || view < *lowest) lowest = view;
  }
  if (lowest && *lowest > view_) view_ = *lowest;
}

void client_core::finish(timestamp when, const request_outcome& outcome, client_effects& out) {
  const auto found = requests_.find(when);
  require(found != requests_.end(), "a finished request was under way");
  auto& request = found->second;
  // f+1 replicas refused the timestamp as stale. The client can no longer learn whether the request was executed.
  if (outcome.status == reply_status::stale_timestamp) {
    fail(request, client_error::stale_timestamp, out);
  } else if (when == timestamp{0}) {
    // f + 1 replicas have executed the opening, so a correct one has, and the session is part of the agreed state.
    session_.on_opened();
  } else if (request.tokens.empty()) {
    // All operations of the request have timed out before.
  } else if (outcome.statuses.size() != request.tokens.size()) {
    // f+1 replicas agree on a reply with another number of results than operations, so more than f are faulty. The
    // result is not used.
    fail(request, client_error::timed_out, out);
  } else {
    for (std::size_t index = 0; index < request.tokens.size(); ++index) {
      const auto payload = outcome.result(index);
      conclude(request.tokens[index],
               operation_result{static_cast<operation_status>(outcome.statuses[index]),
                                byte_vector{payload.begin(), payload.end()}},
               out, executed_as{{self_, when, session_.id()}, request.content, static_cast<std::uint32_t>(index)});
    }
  }
  requests_.erase(found);
}

void client_core::fail(open_request& request, client_error error, client_effects& out) {
  for (const auto token : request.tokens)
    conclude(token, error, out);
  // In an ordered session the request stays under way, although its operations have failed.
  request.tokens.clear();
}

client_effects client_core::on_query(byte_vector operation, operation_token token, read_mode mode, bool sees_unfinished,
                                     moment now) {
  client_effects out;
  if (const auto refused = admit(operation)) {
    out.done.push_back({token, *refused});
    return out;
  }
  // The replicas know nothing of operations that have no result yet. In an ordered session the read is ordered behind
  // them, so that a client sees its own writes.
  const bool is_behind =
      is_ordered() && sees_unfinished && operations_pending_ - 1 > queries_.pending() + reads_.size();
  if (mode == read_mode::linearizable && is_behind) {
    order_read(token, std::move(operation), now, out);
  } else {
    take(queries_.on_query(std::move(operation), token, mode, now), now, out);
  }
  return out;
}

client_effects client_core::on_query_reply(replica_id from, const query_reply& value, moment now) {
  client_effects out;
  take(queries_.on_reply(from, value, now), now, out);
  return out;
}

/// Carries out the effects of the reads. The collector knows no sessions, so the reads that it gives up are ordered
/// here.
void client_core::take(query_effects effects, moment now, client_effects& out) {
  std::ranges::move(effects.sends, std::back_inserter(out.sends));
  for (auto& each : effects.done)
    conclude(each.token, std::move(each.outcome), out);
  for (auto& each : effects.to_order)
    order_read(each.token, std::move(each.operation), now, out);
}

/// Orders a read that was counted as pending already. Its deadline begins here, as that of any operation that is sent.
void client_core::order_read(operation_token token, byte_vector operation, moment now, client_effects& out) {
  // A later read need not follow this one, because neither of them changes anything.
  reads_.insert(token);
  ++reads_ordered_;
  waiting_.push_back({std::move(operation), token, now});
  send_bundles(now, out);
}

/// Every operation and query ends here, so each that was admitted is counted once and has one outcome.
void client_core::conclude(operation_token token, submit_outcome outcome, client_effects& out,
                           std::optional<executed_as> executed) {
  require(operations_pending_ > 0, "an operation that ends was pending");
  --operations_pending_;
  reads_.erase(token);
  out.done.push_back({token, std::move(outcome), executed});
}

std::optional<digest> client_core::content_of(timestamp when) const {
  const auto found = requests_.find(when);
  return found == requests_.end() ? std::nullopt : std::optional{found->second.content};
}

std::vector<operation_token> client_core::tokens_of(timestamp when) const {
  const auto found = requests_.find(when);
  return found == requests_.end() ? std::vector<operation_token>{} : found->second.tokens;
}

client_effects client_core::on_tick(moment now) {
  client_effects out;
  resend_late(now, out);
  take(queries_.on_tick(now), now, out);
  // Operations that were never sent expire too. If the group executed other requests meanwhile, it is only busy, and
  // the operation is refused: unlike an operation that timed out, it certainly has no effect.
  while (!waiting_.empty() && now >= waiting_.front().since + settings_.deadline) {
    const bool is_busy = answered_at_ && *answered_at_ >= waiting_.front().since;
    conclude(waiting_.front().token, is_busy ? client_error::overloaded : client_error::timed_out, out);
    waiting_.pop_front();
  }
  send_bundles(now, out);
  return out;
}

void client_core::resend_late(moment now, client_effects& out) {
  for (auto place = requests_.begin(); place != requests_.end();) {
    auto& request = place->second;
    if (now >= request.deadline && !request.tokens.empty()) {
      const bool refused = request.refused_by.size() >= cluster_.group().weak_quorum();
      fail(request, refused ? client_error::overloaded : client_error::timed_out, out);
      // In an ordered session later requests are executed only after this one. So it is sent again, although its
      // operations have failed.
      if (!is_ordered()) {
        place = requests_.erase(place);
        continue;
      }
    }
    // All other requests of an ordered session wait for the first one. It is sent to the backups once, before its
    // retransmission is due, so that they notice a primary that does not order it. In a busy group every request takes
    // longer than `doubtful_after`, so the hint waits for twice the usual time.
    const bool is_hint = is_ordered() && place == requests_.begin() && !request.is_hinted &&
                         now >= request.sent_at + std::max(settings_.doubtful_after, window_.unusual_after());
    const bool is_due = now >= request.next_send;
    // §4.1: the client "broadcasts the request to all replicas". The interval doubles, so that clients of an overloaded
    // group do not add to its load.
    if (is_due) {
      window_.on_lost(request.sent_at, now);
      request.interval = std::min(2 * request.interval, settings_.retransmit_max);
      request.next_send = now + request.interval;
    }
    if (is_due || is_hint) {
      // A retransmission goes to the same replicas, so no further hint is needed.
      request.is_hinted = true;
      ++retransmissions_;
      out.sends.push_back({std::nullopt, request.frame});
    }
    ++place;
  }
}

client_effects client_core::on_link_down(replica_id replica) {
  client_effects out;
  // A client that cannot reach the primary sends its next requests to all replicas (`receiver_of`).
  closed_links_.insert(replica);
  queries_.on_link_down(replica);
  // A closed link to a single backup does not matter. If the link to the primary is closed, the requests have to reach
  // the primary through backups.
  if (replica != cluster_.group().primary_of(view_)) return out;
  for (const auto& [when, request] : requests_)
    out.sends.push_back({std::nullopt, request.frame});
  return out;
}

client_effects client_core::on_link_up(replica_id replica, moment now) {
  client_effects out;
  closed_links_.erase(replica);
  // The opening tells the replica to send results on this link. If the session is not open yet, the opening is among
  // the requests below.
  if (session_.is_open() && opening_frame_) out.sends.push_back({replica, opening_frame_});
  take(queries_.on_link_up(replica), now, out);
  // Requests are also sent to a backup: its reply may be lost, and the client may need this reply to reach f + 1 equal
  // replies.
  for (const auto& [when, request] : requests_) {
    if (!request.outcomes.contains(replica)) out.sends.push_back({replica, request.frame});
  }
  return out;
}

client_effects client_core::on_stop() {
  client_effects out;
  // Operations under way may still be executed. `stopped` only means that the client no longer waits for their results.
  for (const auto& each : waiting_)
    conclude(each.token, client_error::stopped, out);
  for (auto& [when, request] : requests_)
    fail(request, client_error::stopped, out);
  for (auto& each : queries_.on_stop().done)
    conclude(each.token, each.outcome, out);
  waiting_.clear();
  requests_.clear();
  require(operations_pending_ == 0, "a stopped client has ended every operation");
  return out;
}

}  // namespace hypermesh::protocol
