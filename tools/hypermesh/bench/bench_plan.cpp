#include "tools/hypermesh/bench/bench_plan.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/state_machines/key_value_operations.hpp"
#include "runtime/state_machines/null_machine.hpp"
#include "runtime/state_machines/registry.hpp"

namespace hypermesh::cli {

namespace {

/// The share of part `index` when `total` is divided by `parts`.
std::uint64_t share_of(std::uint64_t total, std::uint64_t index, std::uint64_t parts) {
  return total / parts + (index < total % parts ? 1 : 0);
}

/// A time as the option that it becomes, without loss.
std::string time_word(duration time) { return fmt::format("{:.6f}", static_cast<double>(time.count()) / 1e6); }

byte_vector redis_operation(const std::vector<std::string>& words) {
  // The words are our own, so the machine knows them.
  return machines::parse_operation("redis", words).value_or(byte_vector{});
}

}  // namespace

bool is_bench_machine(std::string_view machine) {
  return machine == "null" || machine == "key-value" || machine == "redis";
}

std::vector<load_shape> divided(const load_shape& whole, std::uint32_t processes) {
  std::uint64_t parts = std::min(std::max(processes, 1U), whole.clients);
  if (!whole.is_open()) parts = std::min<std::uint64_t>(parts, whole.in_flight);
  std::vector<load_shape> all;
  auto first = whole.first_client;
  for (std::uint64_t index = 0; index < parts; ++index) {
    auto part = whole;
    part.first_client = first;
    part.clients = static_cast<std::uint32_t>(share_of(whole.clients, index, parts));
    part.in_flight = share_of(whole.in_flight, index, parts);
    part.rate = whole.rate / static_cast<double>(parts);
    part.seed = whole.seed + index * 0x9e3779b97f4a7c15U;
    first += part.clients;
    all.push_back(std::move(part));
  }
  return all;
}

std::vector<std::string> words_of(const load_shape& shape, const std::filesystem::path& cluster,
                                  const std::filesystem::path& exchange, int parent) {
  std::vector<std::string> words{"bench",
                                 "--load-process",
                                 exchange.string(),
                                 "--load-parent",
                                 std::to_string(parent),
                                 "--first-client",
                                 std::to_string(shape.first_client),
                                 "--cluster",
                                 cluster.string(),
                                 "--machine",
                                 shape.machine,
                                 "--clients",
                                 std::to_string(shape.clients),
                                 "--bundle",
                                 std::to_string(shape.bundle),
                                 "--payload-bytes",
                                 std::to_string(shape.payload_bytes),
                                 "--reply-bytes",
                                 std::to_string(shape.reply_bytes),
                                 "--reads",
                                 std::to_string(shape.reads_percent),
                                 "--read-mode",
                                 shape.reads == read_mode::committed ? "committed" : "linearizable",
                                 "--warm-up",
                                 time_word(shape.warm_up),
                                 "--duration",
                                 time_word(shape.measured),
                                 "--operation-deadline",
                                 time_word(shape.deadline),
                                 "--seed",
                                 std::to_string(shape.seed)};
  if (shape.is_open()) {
    words.insert(words.end(), {"--rate", fmt::format("{:.6f}", shape.rate), "--arrivals"});
    words.emplace_back(to_string(shape.spacing));
  } else {
    words.insert(words.end(), {"--in-flight", std::to_string(shape.in_flight)});
  }
  return words;
}

operation_maker::operation_maker(const load_shape& shape) : shape_(shape), random_(shape.seed) {
  // Printable letters, so that each machine can hold them and no compression is of use.
  for (std::size_t index = 0; index < shape.payload_bytes; ++index)
    payload_.push_back(static_cast<std::byte>('a' + random_.below(26)));
}

bench_operation operation_maker::next() {
  const bool is_read = random_.below(100) < shape_.reads_percent;
  if (shape_.machine == "null") {
    return {is_read, machines::null::encode(is_read, static_cast<std::uint32_t>(shape_.reply_bytes), payload_)};
  }
  const auto key = fmt::format("bench-{:04}", random_.below(keys));
  if (shape_.machine == "redis") {
    if (is_read) return {true, redis_operation({"get", key})};
    return {false, redis_operation({"set", key, std::string{as_text(payload_)}})};
  }
  namespace kv = machines::key_value;
  if (is_read) return {true, kv::encode(kv::get{as_byte_span(key)})};
  return {false, kv::encode(kv::put{as_byte_span(key), payload_})};
}

}  // namespace hypermesh::cli
