#include "tests/simulation/committed_order.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::testing {

committed_order::committed_order(std::unique_ptr<state_machine> machine) : machine_(std::move(machine)) {
  require(machine_ != nullptr, "the order is executed on a machine");
}

void committed_order::append(const digest& value, const batch& body) {
  entry next{value, {}};
  entries_.push_back({});
  for (const auto& each : body.requests) {
    const bool first = !outcomes_.contains(each.id);
    next.requests.push_back({each.id, first});
    // The guard's are no operations of the machine.
    if (first) outcomes_.emplace(each.id, each.id.client == guard_client ? request_outcome{} : run(each));
  }
  entries_.back() = std::move(next);
  for (auto& [operation, answers] : answers_)
    ask(operation, answers);
}

void committed_order::remember_answers(byte_vector operation) {
  const auto [place, is_new] = answers_.try_emplace(std::move(operation));
  if (is_new) ask(place->first, place->second);
}

void committed_order::ask(const byte_vector& operation, std::vector<operation_result>& answers) const {
  auto answer = machine_->query(operation);
  if (answers.empty() || answers.back() != answer) answers.push_back(std::move(answer));
}

bool committed_order::had_answer(byte_span operation, const operation_result& answer) const {
  const auto known = answers_.find(byte_vector{operation.begin(), operation.end()});
  require(known != answers_.end(), "a query is remembered before it is asked");
  return std::ranges::find(known->second, answer) != known->second.end();
}

request_outcome committed_order::run(const request& each) {
  request_outcome outcome;
  for (std::size_t index = 0; index < each.operation_count(); ++index) {
    const operation_context context{last(), each.id.client, each.id.when, static_cast<std::uint32_t>(index)};
    const auto result = machine_->apply(context, each.operation(index));
    outcome.append(static_cast<std::uint8_t>(result.status), result.payload);
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
