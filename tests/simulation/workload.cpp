#include "tests/simulation/workload.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/state_machines/key_value_operations.hpp"
#include "tests/support/time_draws.hpp"

namespace hypermesh::testing {

namespace {

constexpr std::uint64_t keys = 12;

std::uint64_t pick(std::initializer_list<std::uint64_t> from, splitmix64& chance) {
  return *(from.begin() + chance.below(from.size()));
}

planned_operation draw_query(splitmix64& chance) {
  // Three of four queries are linearizable.
  const auto drawn = chance.below(4 * keys);
  const auto key = fmt::format("key-{}", drawn % keys);
  return {moment{}, client_id{}, key_value::encode(key_value::get{as_byte_span(key)}), true, drawn >= keys};
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

std::vector<planned_operation> draw_workload(std::uint32_t count, std::uint32_t processes, moment ends_at,
                                             splitmix64& chance) {
  std::vector<planned_operation> all;
  all.reserve(count);
  while (all.size() < count) {
    const auto when = draw_between(chance, moment{}, ends_at);
    const client_id client{static_cast<std::uint32_t>(chance.below(processes))};
    const auto burst = 1 + chance.below(8);
    for (std::uint64_t index = 0; index < burst && all.size() < count; ++index) {
      auto next = chance.below(8) == 0 ? draw_query(chance) : planned_operation{moment{}, {}, draw_operation(chance)};
      next.when = when;
      next.client = client;
      all.push_back(std::move(next));
    }
  }
  for (std::uint32_t number = 0; number < processes; ++number)
    all.push_back({ends_at, client_id{number}, draw_operation(chance)});
  std::ranges::stable_sort(all, {}, &planned_operation::when);
  return all;
}

plan_settings draw_settings(std::uint32_t replicas, splitmix64& chance) {
  plan_settings settings;
  settings.replicas = replicas;
  settings.clients = 1 + chance.below(4);
  settings.checkpoint_period = pick({2, 4, 4, 8}, chance);
  settings.watermark_window = settings.checkpoint_period * pick({2, 2, 4}, chance);
  settings.epoch = chance.below(3);
  settings.pipeline_depth = pick({1, 2, 4, 8}, chance);
  settings.requests_per_batch_max = pick({1, 2, 16}, chance);
  settings.bundle_operations_max = pick({1, 1, 4}, chance);
  settings.requests_in_flight_max = pick({1, 4, 16}, chance);
  settings.retransmit_us = 200'000 + chance.below(400'000);
  settings.leaf_bytes = std::uint64_t{32} << (2 * chance.below(6));
  settings.processes_per_client = pick({1, 2}, chance);
  settings.ordered = pick({0, 1, 1, 1}, chance);
  settings.authenticators = pick({0, 0, 0, 1}, chance);
  return settings;
}

}  // namespace hypermesh::testing
