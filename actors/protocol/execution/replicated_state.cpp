#include "actors/protocol/execution/replicated_state.hpp"

#include <algorithm>

#include "messages/byte_codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

client_table::shared_outcome refusal(reply_status why, session_id fresh_above = {}) {
  request_outcome outcome;
  outcome.status = why;
  outcome.fresh_above = fresh_above;
  return std::make_shared<const request_outcome>(std::move(outcome));
}

}  // namespace

replicated_state::replicated_state(std::unique_ptr<state_machine> machine, const cluster_parameters& cluster)
    : machine_(std::move(machine)), cluster_(cluster), ledger_(cluster), readmissions_(cluster) {
  require(machine_ != nullptr, "a replicated state has a machine");
}

bool replicated_state::awaits(sequence_number sequence) const {
  if (divergence_.exists() || sequence <= last_executed_) return false;
  if (sequence == last_executed_.next()) return true;
  // Batches arrive without a gap (§4.2), except after a state was replaced by a state with an earlier sequence number.
  // Example: the state was wrong from 128 on, batches through 260 were executed, and the certified state after 128
  // replaced it. Batch 261 may still be on its way. It is not executed now. The replica hands it over again after the
  // batches 129 to 260.
  require(replaced_, "batches are handed over in order without gaps");
  return false;
}

std::vector<replicated_state::answered_request> replicated_state::execute(sequence_number sequence,
                                                                          const batch& content) {
  require(!divergence_.exists(), "a diverged state executes nothing");
  // §4.2: the state "reflects the sequential execution of all requests with lower sequence numbers".
  require(sequence == last_executed_.next(), "batches are executed in order without gaps");
  // §4.6: replicas decide "deterministically whether the value is correct (and what to do if it is not) based only on
  // the service state". An earlier time than that of a batch before changes nothing, so ordered time never decreases
  // (I19), whatever clock the next primary has.
  ordered_time_ = std::max(ordered_time_, content.proposed_time);
  std::vector<answered_request> done;
  done.reserve(content.requests.size());
  // System requests are executed before the requests of clients, in the order of the batch. The root covers the
  // ledgers, so every replica must change them in the same order (I10).
  for (const auto& each : content.system_requests)
    judge(sequence, each);
  for (const auto& each : content.requests) {
    // The same request may be ordered twice, in two slots or two views. Only the first occurrence is executed. All
    // replicas decide this from the same table (attack 18).
    const auto standing = clients_.standing_of(each.id);
    if (standing == request_standing::fresh) {
      done.push_back(execute_fresh(sequence, each));
      continue;
    }
    // I17: an early request changes nothing at any replica, and is ordered again. So neither a primary that reorders
    // requests nor a view change that drops one can change the order of a session.
    const bool too_early = standing == request_standing::early;
    done.push_back({{each.id, false, too_early}, answer_to(reference_of(each))});
  }
  // This call follows all requests of the batch, so that terms end and scores recover at the same point at all
  // replicas.
  ledger_.end_of(sequence);
  last_executed_ = sequence;
  replaced_ = false;
  return done;
}

std::vector<replicated_state::answered_request> replicated_state::execute(sequence_number sequence,
                                                                          const std::shared_ptr<const batch>& content) {
  auto done = execute(sequence, *content);
  std::vector<receipt_log::executed> executed;
  for (std::uint32_t number = 0; number < done.size(); ++number) {
    const auto& [request, answer] = done[number];
    // A request that was executed with an earlier batch has its receipt there. An opening contains no operation.
    if (request.first_time && !request.id.opens_session()) executed.push_back({number, answer.outcome});
  }
  receipts_.on_executed(sequence, content, ordered_time_, std::move(executed));
  return done;
}

receipt_reply replicated_state::receipt_for(const receipt_query& asked, const authenticator& keys) {
  // A replica whose state is wrong must not sign what it computed (attacks 27 and 44).
  if (divergence_.exists()) return {asked, std::nullopt};
  return {asked, receipts_.share_of(asked, cluster_.signing, keys)};
}

/// Applies a system request to its ledger. Its signatures were verified before any correct replica voted for the batch.
void replicated_state::judge(sequence_number sequence, const system_request& each) {
  const auto about = claim_in(each, cluster_);
  // No correct replica votes for such a request. If one is committed anyway, all replicas skip it.
  if (!about) return;
  const auto* wanted = std::get_if<group_request>(&*about);
  // A hand-over or a readmission is not a misbehaviour, so it does not change a score.
  const bool is_move =
      wanted != nullptr && (wanted->kind == message_kind::readmission || wanted->kind == message_kind::hand_over);
  // A claim that changes nothing, because it is settled or out of date, is also skipped by all replicas.
  if (is_move) {
    (void)readmissions_.apply(*wanted, sequence);
  } else {
    (void)ledger_.apply(*about, sequence);
  }
}

replicated_state::answered_request replicated_state::execute_fresh(sequence_number sequence, const request& each) {
  const auto reference = reference_of(each);
  if (!each.id.opens_session()) return {{each.id, true}, {reference.content, run(sequence, each, reference)}};
  const auto opening = opening_in(each);
  require(opening.has_value(), "a request that opens a session was verified to be one");
  auto outcome = clients_.open(reference, opening->mode);
  return {{each.id, true, false, opening->mode}, {reference.content, std::move(outcome)}};
}

client_table::shared_outcome replicated_state::run(sequence_number sequence, const request& each,
                                                   const request_reference& reference) {
  request_outcome outcome;
  for (std::size_t index = 0; index < each.operation_count(); ++index) {
    const operation_context context{sequence,        each.id.client, each.id.when, static_cast<std::uint32_t>(index),
                                    each.id.session, ordered_time_};
    // All operations of a request are executed, even after one of them was refused, because each has its own result.
    auto result = machine_->apply(context, each.operation(index));
    const bool fits = result.payload.size() <= limits::result_bytes_max &&
                      outcome.results.size() + result.payload.size() <= limits::reply_bytes_max;
    // The effect of the operation remains. Only its answer is left out, so that every reply fits a frame.
    if (!fits) result = {operation_status::result_too_large, {}};
    outcome.append(static_cast<std::uint8_t>(result.status), result.payload);
  }
  auto shared = std::make_shared<const request_outcome>(std::move(outcome));
  // The request is recorded together with its execution, because a state with the effect but without the record would
  // execute it again (I4).
  clients_.record(reference, shared);
  return shared;
}

client_table::shared_outcome replicated_state::refuse(reply_status why) const {
  // Clients count f + 1 refusals, so a replica whose state is wrong must not send one (attack 27).
  return divergence_.exists() ? nullptr : refusal(why);
}

client_table::answered replicated_state::answer_to(const request_reference& asked) const {
  // Clients count f + 1 equal results, so a replica whose state is wrong must not send one (attack 27).
  if (divergence_.exists()) return {};
  switch (clients_.standing_of(asked.id)) {
    case request_standing::fresh:
    case request_standing::early:
      return {};
    case request_standing::done:
      return clients_.answer_of(asked.id);
    // It is no longer known whether the request was executed. It will not be executed from now on.
    case request_standing::past:
      return {asked.content, refusal(reply_status::stale_timestamp)};
    // The client gets a number above which no session has ended, so that its next try succeeds.
    case request_standing::ended:
      return {asked.content, refusal(reply_status::session_ended, clients_.fresh_above(asked.id.client))};
  }
  return {};
}

std::optional<operation_result> replicated_state::query(byte_span operation) const {
  if (divergence_.exists()) return std::nullopt;
  // A query is not ordered and changes nothing. The client needs f + 1 equal answers (attack 35).
  auto result = machine_->query(operation);
  if (result.payload.size() > limits::result_bytes_max) return operation_result{operation_status::result_too_large, {}};
  return result;
}

checkpoint_parts replicated_state::freeze() {
  // The first chunk contains the sequence, so states after different sequences have different roots, and the ordered
  // time, so a replica that fetches a state continues with the same time. The number of chunks of the machine stands
  // between the head and the tail.
  byte_writer head;
  head.number<std::uint64_t>(last_executed_.value);
  head.number<std::uint64_t>(static_cast<std::uint64_t>(ordered_time_.time_since_epoch().count()));
  const auto name = machine_->name();
  byte_writer tail;
  tail.number<std::uint32_t>(static_cast<std::uint32_t>(name.size()));
  tail.bytes(as_byte_span(name));
  ledger_.write(tail);
  readmissions_.write(tail);
  return {last_executed_, head.take(), tail.take(), protocol::freeze(*machine_), clients_.snapshot()};
}

digest replicated_state::root() { return state_root(snapshot()); }

installation_outcome replicated_state::install(sequence_number sequence, const digest& certified,
                                               const state_snapshot& snapshot) {
  // A certified state replaces a wrong one even if the wrong one is of a later sequence. A correct state is replaced by
  // a later one only.
  if (divergence_.exists() && !divergence_.ends_with(sequence)) return {installation::too_old, {}};
  if (!divergence_.exists() && sequence <= last_executed_) return {installation::overtaken, {}};
  const auto executed_through = last_executed_;
  if (auto done = restore(sequence, snapshot); !done) return {installation::unreadable, std::move(done.error())};
  receipts_.on_replaced(executed_through);
  if (root() != certified) {
    // The chunks are certified, but the machine restored a different state from them. So the present state counts as
    // wrong from now on.
    (void)divergence_.on_disproven(sequence);
    return {installation::unreadable, "what was restored is another state than the certified one"};
  }
  // After a repair, batches that were committed before it may still arrive out of order (`awaits`).
  replaced_ = divergence_.on_installed(sequence);
  return {installation::installed, {}};
}

or_reason<void> replicated_state::restore(sequence_number sequence, const state_snapshot& snapshot) {
  if (snapshot.empty()) return invalid("the snapshot has no layout chunk");
  // Everything is parsed and compared before the first member changes. The machine is restored last, because its
  // `restore` can still fail.
  byte_reader layout{*snapshot.front().bytes};
  const sequence_number claimed{layout.number<std::uint64_t>()};
  const auto time_ms = layout.number<std::uint64_t>();
  const auto machine_chunks = layout.number<std::uint64_t>();
  const auto name = layout.bytes(layout.number<std::uint32_t>());
  reputation_ledger ledger{cluster_};
  readmission_ledger readmissions{cluster_};
  const bool has_ledger = ledger.read(layout) && readmissions.read(layout);
  const bool has_time = time_ms <= limits::proposed_time_ms_max;
  if (!has_ledger || !has_time || !layout.is_complete() || claimed != sequence)
    return invalid("the snapshot's layout is malformed or of another sequence");
  // The name is compared because two machines may write the same bytes with different meanings.
  if (as_text(name) != machine_->name()) return invalid("the snapshot is of another state machine");
  // The number comes from other replicas or from the disk, so it is checked before the chunks are split at it.
  if (machine_chunks > snapshot.size() - 1) return invalid("the snapshot's layout names more chunks than there are");
  const auto split = snapshot.begin() + 1 + static_cast<std::ptrdiff_t>(machine_chunks);
  client_table clients;
  if (auto done = clients.restore(std::span{split, snapshot.end()}); !done) return done;
  if (auto done = machine_->restore(state_snapshot(snapshot.begin() + 1, split)); !done) return done;
  clients_ = std::move(clients);
  ledger_ = std::move(ledger);
  readmissions_ = std::move(readmissions);
  ordered_time_ = wall_time{std::chrono::milliseconds{time_ms}};
  last_executed_ = sequence;
  return {};
}

}  // namespace hypermesh::protocol
