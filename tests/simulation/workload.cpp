#include "tests/simulation/workload.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/state_machines/key_value_store.hpp"

namespace hypermesh::testing {

namespace {

constexpr std::uint64_t keys = 12;

template <class Value>
Value pick(std::initializer_list<Value> from, splitmix64& chance) {
  return *(from.begin() + chance.below(from.size()));
}

byte_vector draw_operation(splitmix64& chance) {
  const auto key = fmt::format("key-{}", chance.below(keys));
  const auto counter = fmt::format("counter-{}", chance.below(3));
  const auto value = fmt::format("value-{}", chance.below(1'000));
  const auto other = fmt::format("value-{}", chance.below(4));
  switch (chance.below(8)) {
    case 0:
      return key_value::encode(key_value::get{as_byte_span(key)});
    case 1:
      return key_value::encode(key_value::remove{as_byte_span(key)});
    case 2:
      return key_value::encode(
          key_value::compare_and_swap{as_byte_span(key), as_byte_span(other), as_byte_span(value)});
    case 3:
      return key_value::encode(key_value::put{as_byte_span(key), as_byte_span(other)});
    case 4:
      return chance.below(4) == 0 ? to_byte_vector("\xff nonsense")
                                  : key_value::encode(key_value::increment{as_byte_span(key), 1});
    case 5:
      return key_value::encode(key_value::put{as_byte_span(key), as_byte_span(value)});
    default:
      return key_value::encode(
          key_value::increment{as_byte_span(counter), static_cast<std::int64_t>(chance.below(9)) - 4});
  }
}

}  // namespace

std::vector<planned_operation> draw_workload(std::uint32_t count, std::uint32_t clients, microseconds_t ends_at,
                                             splitmix64& chance) {
  std::vector<planned_operation> all;
  all.reserve(count);
  while (all.size() < count) {
    const auto when = chance.below(ends_at);
    const client_id client{static_cast<std::uint32_t>(chance.below(clients))};
    const auto burst = 1 + chance.below(8);
    for (std::uint64_t index = 0; index < burst && all.size() < count; ++index) {
      all.push_back({when, client, draw_operation(chance)});
    }
  }
  std::ranges::stable_sort(all, {}, &planned_operation::when);
  return all;
}

world_settings draw_settings(std::uint64_t seed, std::uint32_t replicas, splitmix64& chance) {
  world_settings settings;
  settings.key_seed = seed;
  auto& cluster = settings.cluster;
  cluster.replicas = replicas;
  cluster.clients = static_cast<std::uint32_t>(1 + chance.below(4));
  cluster.checkpoint_period = pick({2U, 4U, 4U, 8U}, chance);
  cluster.watermark_window = cluster.checkpoint_period * pick({2U, 2U, 4U}, chance);
  const auto name = hasher{"simulated cluster"}.add(seed).finish();
  std::ranges::copy(name.bytes, cluster.signing.cluster.bytes.begin());
  cluster.signing.epoch = epoch_number{static_cast<std::uint32_t>(chance.below(3))};
  auto& batching = settings.node.batching;
  batching.pipeline_depth = pick<std::size_t>({1, 2, 4, 8}, chance);
  batching.requests_per_batch_max = pick<std::size_t>({1, 2, 16}, chance);
  batching.requests_per_batch_target = std::min<std::size_t>(batching.requests_per_batch_max, 4);
  settings.client.bundle_operations_max = pick<std::size_t>({1, 1, 4}, chance);
  settings.client.bundle_delay_us = 5'000;
  settings.client.requests_in_flight_max = pick<std::size_t>({1, 4, 16}, chance);
  settings.client.retransmit_us = 200'000 + chance.below(400'000);
  settings.client.retransmit_us_max = 2'000'000;
  settings.client.deadline_us = 3'600'000'000;
  const auto buckets = 1 + chance.below(6);
  settings.machine = [buckets] { return std::make_unique<key_value_store>(buckets); };
  return settings;
}

}  // namespace hypermesh::testing
