// What clients send and see. The rest of the class is in invariant_checker.cpp.
#include <algorithm>

#include <fmt/format.h>

#include "tests/simulation/invariant_checker.hpp"

namespace hypermesh::testing {

digest invariant_checker::submitted_digest_of(const request& value) {
  return digest_of("submitted request", value.raw.view);
}

void invariant_checker::on_request_sent(client_id process, const request& value,
                                        const std::vector<std::optional<std::size_t>>& carried) {
  const bool is_own = value.id.client == client_of(process);
  if (!trusts(process)) {
    if (is_own) submitted_[value.id].insert(submitted_digest_of(value));
    return;
  }
  if (!expect(is_own, "I3", [&] { return "a client sends a request of another client"; })) return;
  auto& digests = submitted_[value.id];
  const bool is_new = digests.empty();
  digests.insert(submitted_digest_of(value));
  // Two processes of a client may choose the same session and both open it.
  expect(digests.size() == 1 || value.id.opens_session(), "I4", [&] {
    return fmt::format("client {} uses timestamp {} of session {} for two requests", process.value, value.id.when.value,
                       value.id.session.value);
  });
  if (!is_new) return;
  if (value.id.opens_session()) return;
  auto& operations = operations_[process];
  for (std::size_t index = 0; index < value.operation_count(); ++index) {
    if (carried.empty() || carried.at(index)) operations.emplace_back(value.id, index);
  }
}

void invariant_checker::on_outcome(client_id client, std::size_t number,
                                   const std::variant<operation_result, std::string>& outcome) {
  const auto name = [&] { return fmt::format("operation {} of client {}", number, client.value); };
  const auto* result = std::get_if<operation_result>(&outcome);
  if (!expect(result != nullptr, "I11", [&] { return name() + " failed: " + std::get<std::string>(outcome); })) return;
  const auto& operations = operations_[client];
  if (!expect(number < operations.size(), "I3", [&] { return name() + " has a result but was never sent"; })) return;
  const auto& [id, index] = operations[number];
  const auto* expected = order_.outcome_of(id);
  if (!expect(expected != nullptr, "I5", [&] { return name() + " has a result but was never ordered"; })) return;
  seen_ = std::max(seen_, order_.place_of(id));
  const auto payload = expected->result(index);
  const bool same = static_cast<std::uint8_t>(result->status) == expected->statuses.at(index) &&
                    std::ranges::equal(result->payload, payload);
  expect(same, "I5", [&] {
    return fmt::format("{} has the result \"{}\" where the order yields \"{}\"", name(), as_text(result->payload),
                       as_text(payload));
  });
}

void invariant_checker::on_query_outcome(client_id client, byte_span operation,
                                         const std::variant<operation_result, std::string>& outcome) {
  const auto name = [&] { return fmt::format("a query of client {}", client.value); };
  const auto* result = std::get_if<operation_result>(&outcome);
  if (!expect(result != nullptr, "I11", [&] { return name() + " failed: " + std::get<std::string>(outcome); })) return;
  expect(order_.had_answer(operation, *result), "I5", [&] {
    return fmt::format("{} has the answer \"{}\", which no prefix of the order gives", name(),
                       as_text(result->payload));
  });
}

void invariant_checker::on_read_outcome(client_id client, byte_span operation, sequence_number seen,
                                        const std::variant<operation_result, std::string>& outcome) {
  const auto name = [&] { return fmt::format("a linearizable read of client {}", client.value); };
  const auto* result = std::get_if<operation_result>(&outcome);
  if (!expect(result != nullptr, "I11", [&] { return name() + " failed: " + std::get<std::string>(outcome); })) return;
  const auto place = order_.answer_since(operation, *result, seen);
  expect(place.has_value(), "I20", [&] {
    return fmt::format("{} has the answer \"{}\", which no state from n={} on gives, and clients had seen that state",
                       name(), as_text(result->payload), seen.value);
  });
  if (place) seen_ = std::max(seen_, *place);
}

}  // namespace hypermesh::testing
