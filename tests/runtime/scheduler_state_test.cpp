#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <vector>

#include "tests/runtime/scheduler_steps.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

using namespace scheduler_steps;
using scheduler::demand;

namespace {

constexpr std::size_t few_buckets = 8;
const std::vector<std::string> models = {"G2", "T4", "P100"};

scheduler_bounds small_bounds() {
  scheduler_bounds bounds;
  bounds.waiting_examined_max = 4;
  bounds.released_known_max = 10;
  bounds.live_tasks_max = 60;
  return bounds;
}

demand random_demand(splitmix64& random) {
  demand needs;
  needs.cpu_milli = static_cast<std::uint32_t>(random.below(4'000));
  needs.memory_mib = static_cast<std::uint32_t>(random.below(4'000));
  needs.gpus = static_cast<std::uint8_t>(random.below(4));
  if (needs.gpus == 1) needs.gpu_milli = static_cast<std::uint16_t>(1 + random.below(1'000));
  if (needs.gpus > 1) needs.gpu_milli = 1'000;
  if (needs.gpus > 0 && random.below(3) == 0) needs.models = {models[random.below(3)], models[random.below(3)]};
  return needs;
}

/// Draws mostly valid operations with few names, so that every state and every refusal occurs.
scheduler::operation random_operation(splitmix64& random) {
  const auto task = "t" + std::to_string(random.below(80));
  switch (random.below(12)) {
    case 0: {
      const auto gpus = static_cast<std::uint8_t>(random.below(5));
      const auto model = gpus == 0 ? std::string{} : models[random.below(3)];
      const auto cpu = static_cast<std::uint32_t>(1'000 * (1 + random.below(8)));
      return scheduler::register_node{{"n" + std::to_string(random.below(8)), cpu, 8'000, gpus, model}};
    }
    case 1:
    case 2:
    case 3:
      return scheduler::submit_task{{task, random_demand(random), scheduler::service_class::guaranteed}};
    case 4:
    case 5:
    case 6:
    case 7:
      return scheduler::place_task{task};
    case 8:
    case 9:
      return scheduler::release_task{task};
    case 10:
      return scheduler::end_task{task};
    default:
      return scheduler::query_task{task};
  }
}

/// The resources in use on a node according to the tasks on it.
struct usage {
  std::uint64_t cpu_milli = 0;
  std::uint64_t memory_mib = 0;
  std::vector<std::uint32_t> gpu_milli = std::vector<std::uint32_t>(16);
  std::uint32_t tasks = 0;
};

/// Queries every task and every node, and checks that the answers agree.
void check_conservation(const resource_scheduler& machine) {
  std::map<std::string, usage> used;
  scheduler::summary_view counted;
  const auto ask = [&](const scheduler::operation& question) { return machine.query(scheduler::encode(question)); };
  for (int number = 0; number < 80; ++number) {
    const auto task = scheduler::decode_task_view(ask(scheduler::query_task{"t" + std::to_string(number)}).payload);
    if (!task) continue;
    if (task->state == scheduler::task_state::submitted) ++counted.submitted;
    if (task->state == scheduler::task_state::pending) ++counted.pending;
    if (task->state != scheduler::task_state::placed) continue;
    ++counted.placed;
    const auto& needs = task->spec.needs;
    auto& there = used[task->node];
    there.cpu_milli += needs.cpu_milli;
    there.memory_mib += needs.memory_mib;
    ++there.tasks;
    CHECK(std::popcount(task->gpus) == needs.gpus);
    for (std::size_t gpu = 0; gpu < 16; ++gpu) {
      if ((task->gpus >> gpu) & 1) there.gpu_milli[gpu] += needs.gpu_milli;
    }
    const auto node = scheduler::decode_node_view(ask(scheduler::query_node{task->node}).payload);
    REQUIRE(node);
    const auto& wanted = needs.models;
    CHECK((wanted.empty() || std::find(wanted.begin(), wanted.end(), node->spec.gpu_model) != wanted.end()));
  }
  for (int number = 0; number < 8; ++number) {
    const auto node = scheduler::decode_node_view(ask(scheduler::query_node{"n" + std::to_string(number)}).payload);
    if (!node) continue;
    const auto& there = used[node->spec.name];
    CHECK(node->cpu_milli_free + there.cpu_milli == node->spec.cpu_milli);
    CHECK(node->memory_mib_free + there.memory_mib == node->spec.memory_mib);
    CHECK(node->tasks == there.tasks);
    for (std::size_t gpu = 0; gpu < node->gpu_milli_free.size(); ++gpu) {
      CHECK(node->gpu_milli_free[gpu] + there.gpu_milli[gpu] == 1'000);
    }
    counted.cpu_milli_used += there.cpu_milli;
    counted.memory_mib_used += there.memory_mib;
    for (const auto milli : there.gpu_milli)
      counted.gpu_milli_used += milli;
  }
  const auto totals = machine.summary();
  CHECK(totals.submitted == counted.submitted);
  CHECK(totals.pending == counted.pending);
  CHECK(totals.placed == counted.placed);
  CHECK(totals.cpu_milli_used == counted.cpu_milli_used);
  CHECK(totals.memory_mib_used == counted.memory_mib_used);
  CHECK(totals.gpu_milli_used == counted.gpu_milli_used);
}

std::vector<byte_vector> one_of_each() {
  const scheduler::task_spec task{"t1", {1, 2, 1, 300, {"G2", "T4"}}, scheduler::service_class::guaranteed};
  return {scheduler::encode(scheduler::register_node{{"n1", 1'000, 1'000, 2, "G2"}}),
          scheduler::encode(scheduler::submit_task{task}),
          scheduler::encode(scheduler::place_task{"t1"}),
          scheduler::encode(scheduler::release_task{"t1"}),
          scheduler::encode(scheduler::end_task{"t1"}),
          scheduler::encode(scheduler::query_node{"n1"}),
          scheduler::encode(scheduler::query_task{"t1"}),
          scheduler::encode(scheduler::query_summary{})};
}

state_snapshot snapshot_of(authenticated_map& records) { return records.snapshot(); }

}  // namespace

TEST_CASE("free and used resources always add up to the capacity") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    resource_scheduler machine{few_buckets, small_bounds()};
    for (int step = 0; step < 1'500; ++step) {
      const auto result = run(machine, random_operation(random));
      CHECK(result.status != operation_status::malformed);
      if (step % 100 == 99) check_conservation(machine);
    }
  }
}

TEST_CASE("a restored scheduler has the same root and the same future, waiting tasks included") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    resource_scheduler original{few_buckets, small_bounds()};
    for (int step = 0; step < 1'000; ++step)
      run(original, random_operation(random));
    resource_scheduler restored{few_buckets, small_bounds()};
    add_node(restored, "forgotten", 1, 1);
    const auto done = restored.restore(original.snapshot());
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error()));
    CHECK(restored.root() == original.root());
    CHECK(restored.summary() == original.summary());
    for (int step = 0; step < 1'000; ++step) {
      const auto operation = random_operation(random);
      CHECK(run(original, operation) == run(restored, operation));
      if (step % 250 == 0) CHECK(restored.root() == original.root());
    }
    CHECK(restored.root() == original.root());
  }
}

TEST_CASE("two schedulers with the same operations agree, however often they are asked for a root") {
  splitmix64 random{3};
  resource_scheduler often{few_buckets};
  resource_scheduler once{few_buckets};
  for (int step = 0; step < 500; ++step) {
    const auto operation = random_operation(random);
    CHECK(run(often, operation) == run(once, operation));
    static_cast<void>(often.root());
  }
  CHECK(often.root() == once.root());
  CHECK(once.root() == state_root(once.snapshot()));
}

TEST_CASE("no truncation of a scheduler operation is accepted or changes anything") {
  for (const auto& whole : one_of_each()) {
    resource_scheduler machine{few_buckets};
    const auto root = machine.root();
    for (std::size_t length = 0; length < whole.size(); ++length) {
      CHECK(machine.apply({}, byte_span{whole}.first(length)).status == operation_status::malformed);
    }
    auto longer = whole;
    longer.push_back(std::byte{0});
    CHECK(machine.apply({}, longer).status == operation_status::malformed);
    CHECK(machine.root() == root);
  }
}

TEST_CASE("no mutation of a scheduler operation crashes it, and a refused one changes nothing") {
  splitmix64 random{5};
  const auto operations = one_of_each();
  resource_scheduler machine{few_buckets, small_bounds()};
  for (int step = 0; step < 10'000; ++step) {
    auto bytes = operations[random.below(operations.size())];
    for (auto changes = random.below(3); changes > 0; --changes) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    }
    if (random.below(8) == 0) bytes.resize(random.below(bytes.size() + 10));
    const auto root = machine.root();
    const auto result = machine.apply({}, bytes);
    if (result.status != operation_status::applied) CHECK(machine.root() == root);
    const auto decoded = scheduler::decode(bytes);
    CHECK(decoded.has_value() == (result.status != operation_status::malformed));
    if (decoded) CHECK(scheduler::encode(*decoded) == bytes);
  }
}

TEST_CASE("damaged results are distinguished from whole ones") {
  resource_scheduler machine{few_buckets};
  add_node(machine, "n1", 1'000, 1'000, 2, "G2");
  start(machine, "t1", {1, 1, 1, 100, {"G2"}});
  const auto node = run(machine, scheduler::query_node{"n1"}).payload;
  const auto task = run(machine, scheduler::query_task{"t1"}).payload;
  const auto totals = run(machine, scheduler::query_summary{}).payload;
  const auto placed = scheduler::encode_result(scheduler::placements{{"t1", "n1", 1}, {"t2", "n1", 2}});
  CHECK(scheduler::decode_placements(placed)->size() == 2);
  for (std::size_t length = 0; length < node.size(); ++length) {
    CHECK_FALSE(scheduler::decode_node_view(byte_span{node}.first(length)));
  }
  for (std::size_t length = 0; length < task.size(); ++length) {
    CHECK_FALSE(scheduler::decode_task_view(byte_span{task}.first(length)));
  }
  for (std::size_t length = 0; length < totals.size(); ++length) {
    CHECK_FALSE(scheduler::decode_summary_view(byte_span{totals}.first(length)));
  }
  for (std::size_t length = 0; length < placed.size(); ++length) {
    CHECK_FALSE(scheduler::decode_placements(byte_span{placed}.first(length)));
  }
}

TEST_CASE("restore refuses contradictory records and keeps the present state") {
  using scheduler::task_state;
  const demand half{500, 500, 0, 0, {}};
  const scheduler::node_record node{0, {"n", 1'000, 1'000, 1, "G2"}};
  const auto in_state = [&](task_state state, std::uint64_t ticket, scheduler::node_index where) {
    return scheduler::encode_record(scheduler::task_record{state, half, {}, ticket, where, 0});
  };
  const auto put = [](authenticated_map& into, const std::string& key, byte_vector value) {
    into.put(as_byte_span(key), value);
  };
  const auto attempt = [&](const std::vector<std::pair<std::string, byte_vector>>& more) {
    authenticated_map records{few_buckets};
    put(records, "h", scheduler::encode_record(scheduler::header_record{5, 1}));
    put(records, "nn", scheduler::encode_record(node));
    for (const auto& [key, value] : more)
      put(records, key, value);
    resource_scheduler machine{few_buckets};
    add_node(machine, "present", 1, 1);
    const auto root = machine.root();
    const auto done = machine.restore(snapshot_of(records));
    CHECK((machine.root() == root) != done.has_value());
    return done.has_value();
  };
  CHECK(attempt({{"ta", in_state(task_state::placed, 0, 0)}, {"tb", in_state(task_state::pending, 4, 0)}}));
  CHECK(attempt({{"ta", in_state(task_state::released, 4, 0)}}));
  // Three tasks that each take half of a GPU are placed on one node.
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 0, 0)},
                       {"tb", in_state(task_state::placed, 0, 0)},
                       {"tc", in_state(task_state::placed, 0, 0)}}));
  // The node does not exist; tickets are in the future or repeated; a second release was not counted.
  CHECK_FALSE(attempt({{"ta", in_state(task_state::placed, 0, 1)}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::pending, 5, 0)}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::pending, 1, 0)}, {"tb", in_state(task_state::pending, 1, 0)}}));
  CHECK_FALSE(attempt({{"ta", in_state(task_state::released, 1, 0)}, {"tb", in_state(task_state::released, 2, 0)}}));
  // Keys of no kind, empty and invalid names, a missing node number, records that end early.
  CHECK_FALSE(attempt({{"x", {}}}));
  CHECK_FALSE(attempt({{"hh", {}}}));
  CHECK_FALSE(attempt({{"t", in_state(task_state::submitted, 0, 0)}}));
  CHECK_FALSE(attempt({{"ta b", in_state(task_state::submitted, 0, 0)}}));
  CHECK_FALSE(attempt({{"nm", scheduler::encode_record(scheduler::node_record{2, {"m", 1, 1, 0, ""}})}}));
  CHECK_FALSE(attempt({{"nm", scheduler::encode_record(scheduler::node_record{0, {"m", 1, 1, 0, ""}})}}));
  CHECK_FALSE(attempt({{"ta", {}}}));
  CHECK_FALSE(attempt({{"h", {}}}));
}

TEST_CASE("a snapshot without the scheduler's header is refused") {
  resource_scheduler machine{few_buckets};
  CHECK_FALSE(machine.restore({}).has_value());
}

}  // namespace hypermesh::testing
