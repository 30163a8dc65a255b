#include "tests/simulation/committed_order.hpp"

#include <algorithm>

#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh::testing {

committed_order::committed_order(std::unique_ptr<state_machine> machine) : machine_(std::move(machine)) {
  require(machine_ != nullptr, "the order is executed on a machine");
}

committed_order::session_model* committed_order::client_model::find(session_id session) {
  if (session == session_id{0}) return &always_open;
  const auto found = std::ranges::find(open, session, &session_model::name);
  if (found == open.end()) return nullptr;
  // The list is in the order of use, so the session that is used now moves to its end.
  std::rotate(found, found + 1, open.end());
  return &open.back();
}

bool committed_order::client_model::has_ended(session_id session) const {
  if (std::ranges::find(ended, session) != ended.end()) return true;
  const auto forgotten = ended.size() - std::min(ended.size(), limits::ended_sessions_max);
  return std::any_of(ended.begin(), ended.begin() + static_cast<std::ptrdiff_t>(forgotten),
                     [session](session_id each) { return session <= each; });
}

void committed_order::client_model::open_session(session_id session, session_mode mode) {
  open.push_back({session, mode, {}, {}});
  if (open.size() <= limits::sessions_per_client_max) return;
  ended.push_back(open.front().name);
  open.erase(open.begin());
}

/// Executes a request exactly once, and in an ordered session only when it is the next one.
executed_request committed_order::execute(const request& each) {
  auto& client = clients_[each.id.client];
  const auto known = std::ranges::find(client.open, each.id.session, &session_model::name);
  const bool is_open = each.id.session == session_id{0} || known != client.open.end();
  if (!is_open) {
    if (client.has_ended(each.id.session)) return {each.id, false};
    const auto opening = opening_in(each);
    if (!opening) return {each.id, false, true};
    client.open_session(each.id.session, opening->mode);
    return {each.id, true, false, opening->mode};
  }
  if (each.id.opens_session()) return {each.id, false};
  const auto& before = each.id.session == session_id{0} ? client.always_open : *known;
  if (each.id.when <= before.past || outcomes_.contains(each.id)) return {each.id, false};
  const auto last = before.executed.empty() ? before.past : *before.executed.rbegin();
  if (before.mode == session_mode::ordered && each.id.when != last.next()) return {each.id, false, true};
  outcomes_.emplace(each.id, run(each));
  places_.emplace(each.id, sequence_number{entries_.size()});
  auto& session = *client.find(each.id.session);
  session.executed.insert(each.id.when);
  if (session.executed.size() > limits::requests_in_flight_max) {
    session.past = *session.executed.begin();
    session.executed.erase(session.executed.begin());
  }
  return {each.id, true};
}

void committed_order::append(const digest& value, const batch& body) {
  if (body.proposed_time > ordered_time_) ordered_time_ = body.proposed_time;
  entry next{value, {}, {}, ordered_time_};
  entries_.push_back({});
  // A system request is not an operation of the machine. The ledger decides whether it changes anything, and the
  // checked root covers the ledger.
  for (const auto& each : body.system_requests)
    next.cases.push_back(each.name);
  for (const auto& each : body.requests)
    next.requests.push_back(execute(each));
  entries_.back() = std::move(next);
}

void committed_order::ask_all() {
  for (auto& [operation, answers] : answers_)
    ask(operation, answers);
}

void committed_order::remember_answers(byte_vector operation) {
  const auto [place, is_new] = answers_.try_emplace(std::move(operation));
  if (is_new) ask(place->first, place->second);
}

void committed_order::ask(const byte_vector& operation, std::vector<known_answer>& answers) const {
  auto answer = machine_->query(operation);
  if (answers.empty() || answers.back().answer != answer) answers.push_back({last(), std::move(answer)});
}

std::optional<sequence_number> committed_order::answer_since(byte_span operation, const operation_result& answer,
                                                             sequence_number since) const {
  const auto known = answers_.find(byte_vector{operation.begin(), operation.end()});
  require(known != answers_.end(), "a query is remembered before it is asked");
  const auto& all = known->second;
  for (std::size_t index = 0; index < all.size(); ++index) {
    // An answer that ended in the batch `since` was not the answer after that batch.
    const bool is_past = index + 1 < all.size() && all[index + 1].from <= since && since != sequence_number{0};
    if (!is_past && all[index].answer == answer) return std::max(all[index].from, since);
  }
  return std::nullopt;
}

request_outcome committed_order::run(const request& each) {
  request_outcome outcome;
  for (std::size_t index = 0; index < each.operation_count(); ++index) {
    const operation_context context{last(),          each.id.client, each.id.when, static_cast<std::uint32_t>(index),
                                    each.id.session, ordered_time_};
    const auto result = machine_->apply(context, each.operation(index));
    outcome.append(static_cast<std::uint8_t>(result.status), result.payload);
    ask_all();
  }
  return outcome;
}

const committed_order::entry* committed_order::at(sequence_number sequence) const {
  if (sequence.value == 0 || sequence > last()) return nullptr;
  return &entries_[sequence.value - 1];
}

const request_outcome* committed_order::outcome_of(request_id id) const {
  const auto found = outcomes_.find(id);
  return found == outcomes_.end() ? nullptr : &found->second;
}

}  // namespace hypermesh::testing
