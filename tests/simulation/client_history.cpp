#include "tests/simulation/client_history.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::testing {

std::size_t client_history::add(client_id client, byte_vector operation, moment now) {
  client_operation entry;
  entry.client = client;
  entry.invoked = now;
  entry.operation = std::move(operation);
  operations_.push_back(std::move(entry));
  return operations_.size() - 1;
}

void client_history::end(client_operation& entry, const operation_result& result, moment now) {
  require(!entry.returned && now >= entry.invoked, "an operation returns once");
  entry.returned = now;
  entry.result = result;
}

std::size_t client_history::invoked(client_id client, byte_vector operation, moment now) {
  auto& track = clients_[client];
  track.places.push_back(add(client, std::move(operation), now));
  return track.places.size() - 1;
}

std::size_t client_history::read_invoked(client_id client, byte_vector operation, moment now) {
  return add(client, std::move(operation), now);
}

void client_history::read_returned(std::size_t number, const operation_result& result, moment now) {
  end(operations_.at(number), result, now);
}

void client_history::on_request_sent(client_id client, const request& value,
                                     const std::vector<std::optional<std::size_t>>& carried) {
  auto& track = clients_[client];
  if (value.id.when <= track.last) return;
  track.last = value.id.when;
  for (std::size_t index = 0; index < value.operation_count() && track.sent < track.places.size(); ++index) {
    if (!carried.empty() && !carried.at(index)) continue;
    require(carried.empty() || *carried[index] == track.sent, "operations are sent in the order of their numbers");
    // In an ordered session, all operations together keep their order like the operations of one request.
    const auto place =
        is_ordered_ ? bundle_place{client, timestamp{0}, track.sent} : bundle_place{client, value.id.when, index};
    operations_[track.places[track.sent++]].bundle = place;
  }
}

void client_history::returned(client_id client, std::size_t number, const operation_result& result, moment now) {
  end(operations_.at(clients_.at(client).places.at(number)), result, now);
}

}  // namespace hypermesh::testing
