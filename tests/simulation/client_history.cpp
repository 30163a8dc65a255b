#include "tests/simulation/client_history.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::testing {

std::size_t client_history::invoked(client_id client, byte_vector operation, moment now) {
  auto& track = clients_[client];
  track.places.push_back(operations_.size());
  client_operation entry;
  entry.client = client;
  entry.invoked = now;
  entry.operation = std::move(operation);
  operations_.push_back(std::move(entry));
  return track.places.size() - 1;
}

void client_history::on_request_sent(client_id client, const request& value) {
  auto& track = clients_[client];
  if (value.id.when <= track.last) return;
  track.last = value.id.when;
  for (std::size_t index = 0; index < value.operation_count() && track.sent < track.places.size(); ++index) {
    // In an ordered session, all operations together keep their order like the operations of one request.
    const auto place =
        is_ordered_ ? bundle_place{client, timestamp{0}, track.sent} : bundle_place{client, value.id.when, index};
    operations_[track.places[track.sent++]].bundle = place;
  }
}

void client_history::returned(client_id client, std::size_t number, const operation_result& result, moment now) {
  auto& entry = operations_.at(clients_.at(client).places.at(number));
  require(!entry.returned && now >= entry.invoked, "an operation returns once");
  entry.returned = now;
  entry.result = result;
}

}  // namespace hypermesh::testing
