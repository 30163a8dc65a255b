#include "actors/protocol/client_table.hpp"

#include <algorithm>
#include <limits>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"

namespace hypermesh {

namespace {

void write_outcome(byte_writer& out, const request_outcome& outcome) {
  out.number<std::uint32_t>(static_cast<std::uint32_t>(outcome.statuses.size()));
  for (std::size_t index = 0; index < outcome.statuses.size(); ++index) {
    out.number<std::uint8_t>(outcome.statuses[index]);
    out.number<std::uint32_t>(static_cast<std::uint32_t>(outcome.result(index).size()));
    out.bytes(outcome.result(index));
  }
}

std::optional<request_outcome> read_outcome(byte_reader& in) {
  request_outcome outcome;
  const auto count = in.number<std::uint32_t>();
  if (count == 0 || count > limits::operations_per_request_max) return std::nullopt;
  for (std::uint32_t index = 0; index < count; ++index) {
    const auto status = in.number<std::uint8_t>();
    const auto size = in.number<std::uint32_t>();
    const auto payload = in.bytes(size);
    if (in.failed()) return std::nullopt;
    outcome.append(status, payload);
  }
  return outcome;
}

/// Cuts `bytes` into chunks of the largest allowed size.
std::vector<state_chunk> chunks_of(const byte_vector& bytes) {
  std::vector<state_chunk> chunks;
  for (std::size_t begin = 0; begin < bytes.size(); begin += limits::state_chunk_bytes_max) {
    const auto size = std::min(limits::state_chunk_bytes_max, bytes.size() - begin);
    const auto part = byte_span{bytes}.subspan(begin, size);
    chunks.push_back({std::make_shared<const byte_vector>(part.begin(), part.end()), state_chunk_digest(part)});
  }
  return chunks;
}

}  // namespace

timestamp_window::standing client_table::standing_of(request_id id) const {
  const auto found = entries_.find(id.client);
  return found == entries_.end() ? timestamp_window{}.of(id.when) : found->second.window.of(id.when);
}

client_table::shared_outcome client_table::outcome_of(request_id id) const {
  const auto found = entries_.find(id.client);
  if (found == entries_.end()) return nullptr;
  const auto outcome = found->second.outcomes.find(id.when);
  return outcome == found->second.outcomes.end() ? nullptr : outcome->second;
}

std::size_t client_table::cost_of(const request_outcome& outcome) {
  return outcome.results.size() + 5 * outcome.statuses.size();
}

void client_table::drop_past(client_entry& of) {
  while (!of.outcomes.empty() && of.outcomes.begin()->first <= of.window.floor()) {
    of.cached_bytes -= cost_of(*of.outcomes.begin()->second);
    of.outcomes.erase(of.outcomes.begin());
  }
}

void client_table::record(request_id id, shared_outcome outcome) {
  require(outcome != nullptr && !outcome->statuses.empty(), "an executed request has an outcome");
  require(standing_of(id) == timestamp_window::standing::fresh, "a request is executed at most once");
  auto& entry = entries_[id.client];
  entry.chunks.clear();
  entry.cached_bytes += cost_of(*outcome);
  entry.outcomes.emplace(id.when, std::move(outcome));
  entry.window.mark_done(id.when);
  drop_past(entry);
  drop_results(entry);
}

void client_table::drop_results(client_entry& of) {
  for (auto& [when, outcome] : of.outcomes) {
    if (of.cached_bytes <= cached_bytes_max) return;
    if (outcome->results.empty()) continue;
    request_outcome rest;
    for (std::size_t index = 0; index < outcome->statuses.size(); ++index) {
      rest.append(static_cast<std::uint8_t>(operation_status::result_too_large), {});
    }
    of.cached_bytes -= outcome->results.size();
    outcome = std::make_shared<const request_outcome>(std::move(rest));
  }
  // A window of requests that each have the most operations costs less than the bound without results.
  static_assert(5 * limits::operations_per_request_max * limits::requests_in_flight_max <= cached_bytes_max);
}

std::vector<request_id> client_table::done_ids() const {
  std::vector<request_id> ids;
  for (const auto& [client, entry] : entries_) {
    ids.push_back({client, entry.window.floor()});
    for (const auto when : entry.window.done())
      ids.push_back({client, when});
  }
  return ids;
}

state_snapshot client_table::snapshot() {
  state_snapshot all;
  for (auto& [client, entry] : entries_) {
    if (entry.chunks.empty()) {
      byte_writer out;
      out.number<std::uint32_t>(client.value);
      out.number<std::uint64_t>(entry.window.floor().value);
      out.number<std::uint32_t>(static_cast<std::uint32_t>(entry.outcomes.size()));
      for (const auto& [when, outcome] : entry.outcomes) {
        out.number<std::uint64_t>(when.value);
        write_outcome(out, *outcome);
      }
      entry.chunks = chunks_of(out.take());
    }
    all.insert(all.end(), entry.chunks.begin(), entry.chunks.end());
  }
  return all;
}

std::optional<std::string> client_table::restore(std::span<const state_chunk> chunks) {
  byte_vector joined;
  for (const auto& chunk : chunks)
    joined.insert(joined.end(), chunk.bytes->begin(), chunk.bytes->end());
  byte_reader in{joined};
  std::map<client_id, client_entry> entries;
  while (!in.is_empty()) {
    const client_id client{in.number<std::uint32_t>()};
    const timestamp floor{in.number<std::uint64_t>()};
    const auto count = in.number<std::uint32_t>();
    if (!entries.empty() && client <= entries.rbegin()->first) return "the client table is not in order";
    if (count > limits::requests_in_flight_max) return "a client has more cached replies than allowed";
    client_entry loaded;
    std::set<timestamp> done;
    for (std::uint32_t index = 0; index < count; ++index) {
      const timestamp when{in.number<std::uint64_t>()};
      auto outcome = read_outcome(in);
      if (in.failed() || !outcome) return "the client table is cut short or malformed";
      if (when <= (done.empty() ? floor : *done.rbegin())) return "a client's timestamps are not in order";
      done.insert(when);
      loaded.cached_bytes += cost_of(*outcome);
      loaded.outcomes.emplace(when, std::make_shared<const request_outcome>(std::move(*outcome)));
    }
    if (in.failed()) return "the client table is cut short";
    loaded.window.assign(floor, std::move(done));
    entries.emplace(client, std::move(loaded));
  }
  entries_ = std::move(entries);
  return std::nullopt;
}

}  // namespace hypermesh
