#include "runtime/trace/node_trace.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "messages/limits.hpp"

namespace hypermesh::runtime {

namespace {

using nlohmann::json;

/// A phase with the place of its moment.
struct phase_name {
  std::string_view name;
  moment& (*of)(traced_batch& batch);
};
constexpr std::array<phase_name, 6> phases = {{
    {"requested", [](traced_batch& of) -> moment& { return of.times.requested; }},
    {"proposed", [](traced_batch& of) -> moment& { return of.times.proposed; }},
    {"prepared", [](traced_batch& of) -> moment& { return of.times.prepared; }},
    {"committed", [](traced_batch& of) -> moment& { return of.times.committed; }},
    {"executed", [](traced_batch& of) -> moment& { return of.executed; }},
    {"replied", [](traced_batch& of) -> moment& { return of.replied; }},
}};

std::string text_of(traced_batch batch) {
  auto text = fmt::format("{{\"sequence\":{},\"view\":{}", batch.sequence.value, batch.view.value);
  for (const auto& each : phases) {
    const auto when = each.of(batch);
    if (when != moment{}) text += fmt::format(",\"{}\":{}", each.name, when.time_since_epoch().count());
  }
  text += ",\"requests\":[";
  for (std::size_t place = 0; place < batch.requests.size(); ++place) {
    const auto& id = batch.requests[place];
    text += fmt::format("{}[{},{},{}]", place == 0 ? "" : ",", id.client.value, id.session.value, id.when.value);
  }
  return text + fmt::format("],\"requests_total\":{}}}", batch.requests_total);
}

/// An unsigned number of the object; nothing if it is missing or something else.
std::optional<std::uint64_t> number_in(const json& from, std::string_view name) {
  const auto found = from.find(name);
  if (found == from.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<std::uint64_t>();
}

/// Microseconds of a clock, far below the bounds of its type, so that differences do not overflow.
constexpr std::int64_t clock_us_max = std::int64_t{1} << 60;

std::optional<request_id> request_in(const json& from) {
  const bool is_id = from.is_array() && from.size() == 3 &&
                     std::ranges::all_of(from, [](const json& each) { return each.is_number_unsigned(); });
  if (!is_id || from[0].get<std::uint64_t>() >= limits::clients_max) return std::nullopt;
  return request_id{client_id{from[0].get<std::uint32_t>()}, timestamp{from[2].get<std::uint64_t>()},
                    session_id{from[1].get<std::uint64_t>()}};
}

std::optional<traced_batch> batch_in(const json& from) {
  if (!from.is_object()) return std::nullopt;
  const auto sequence = number_in(from, "sequence");
  const auto view = number_in(from, "view");
  const auto total = number_in(from, "requests_total");
  const auto requests = from.find("requests");
  if (!sequence || !view || !total || requests == from.end() || !requests->is_array()) return std::nullopt;
  if (requests->size() > trace_ring::requests_max) return std::nullopt;
  traced_batch batch;
  batch.sequence = sequence_number{*sequence};
  batch.view = view_number{*view};
  batch.requests_total = *total;
  for (const auto& each : phases) {
    if (!from.contains(each.name)) continue;
    const auto when = number_in(from, each.name);
    if (!when || *when > static_cast<std::uint64_t>(clock_us_max)) return std::nullopt;
    each.of(batch) = moment{duration{static_cast<std::int64_t>(*when)}};
  }
  for (const auto& each : *requests) {
    const auto id = request_in(each);
    if (!id) return std::nullopt;
    batch.requests.push_back(*id);
  }
  return batch;
}

tl::unexpected<world_error> no_trace(const std::string& origin, std::string_view what) {
  return tl::unexpected(world_error{fmt::format("{}: not the trace of a node: {}", origin, what),
                                    "take a file that 'curl' saved from /api/v1/trace of a node"});
}

}  // namespace

std::string node_trace_text(const node_trace& trace) {
  std::vector<std::string> kept;
  std::size_t bytes = 0;
  for (auto each = trace.batches.rbegin(); each != trace.batches.rend(); ++each) {
    auto text = text_of(*each);
    bytes += text.size() + 1;
    // The head has less than a KiB.
    if (bytes > node_trace_bytes_max - 1'024) break;
    kept.push_back(std::move(text));
  }
  auto text = fmt::format("{{\"replica\":{},\"cluster\":\"{}\",\"wall_minus_steady_us\":{},\"batches\":[",
                          trace.replica.value, trace.cluster, trace.wall_minus_steady_us);
  for (auto each = kept.rbegin(); each != kept.rend(); ++each)
    text += (each == kept.rbegin() ? "" : ",") + *each;
  return text + "]}\n";
}

or_error<node_trace> read_node_trace(std::string_view text, const std::string& origin) {
  if (text.size() > node_trace_bytes_max) return no_trace(origin, "it is longer than 4 MiB");
  const auto read = json::parse(text, nullptr, false);
  if (!read.is_object()) return no_trace(origin, "it is no JSON object");
  const auto replica = number_in(read, "replica");
  const auto cluster = read.find("cluster");
  const auto offset = read.find("wall_minus_steady_us");
  const auto batches = read.find("batches");
  if (!replica || *replica >= limits::replicas_max) return no_trace(origin, "the replica is missing or wrong");
  if (cluster == read.end() || !cluster->is_string() || cluster->get<std::string>().size() > 64) {
    return no_trace(origin, "the cluster is missing or wrong");
  }
  if (offset == read.end() || !offset->is_number_integer())
    return no_trace(origin, "the offset of the clock is missing");
  node_trace trace{replica_id{static_cast<std::uint32_t>(*replica)}, cluster->get<std::string>(), 0, {}};
  trace.wall_minus_steady_us = std::clamp(offset->get<std::int64_t>(), -clock_us_max, clock_us_max);
  if (batches == read.end() || !batches->is_array()) return no_trace(origin, "the batches are missing");
  for (const auto& each : *batches) {
    auto batch = batch_in(each);
    if (!batch) return no_trace(origin, fmt::format("batch {} is malformed", trace.batches.size()));
    trace.batches.push_back(std::move(*batch));
  }
  return trace;
}

}  // namespace hypermesh::runtime
