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

constexpr std::size_t small_leaves = 128;
const std::vector<std::string> models = {"G2", "T4", "P100"};

scheduler_bounds small_bounds() {
  scheduler_bounds bounds;
  bounds.waiting_examined_max = 4;
  bounds.released_known_max = 10;
  bounds.live_tasks_max = 60;
  bounds.keys_known_max = 8;
  bounds.content_bytes_max = 8'000;
  bounds.events_known_min = 100;
  bounds.work_max = 4 * scheduler::work_costs::eviction(0);
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

/// A submission, every other one with a lease, with a key, or to be placed at once.
scheduler::submit_task random_submission(splitmix64& random, const std::string& task) {
  scheduler::submit_task made{{task, random_demand(random), scheduler::service_class::guaranteed}, {}, {}, false};
  if (random.below(2) == 0) made.lease = std::chrono::seconds{1 + random.below(20)};
  if (random.below(2) == 0) made.key = "key-" + std::to_string(random.below(20));
  made.places = random.below(2) == 0;
  return made;
}

/// The place of an operation in the order. The ordered time goes on by 0 to 2 seconds a step.
operation_context context_at(std::uint64_t step, splitmix64& random) {
  operation_context context{};
  context.client = client_id{static_cast<std::uint32_t>(random.below(2))};
  context.ordered_time = scheduler::ordered_time{std::chrono::seconds{1'000 + step + random.below(2)}};
  return context;
}

/// Draws mostly valid operations with few names, so that every state and every refusal occurs.
scheduler::operation random_operation(splitmix64& random) {
  const auto task = "t" + std::to_string(random.below(80));
  const auto node = "n" + std::to_string(random.below(8));
  switch (random.below(18)) {
    case 0: {
      const auto gpus = static_cast<std::uint8_t>(random.below(5));
      const auto model = gpus == 0 ? std::string{} : models[random.below(3)];
      const auto cpu = static_cast<std::uint32_t>(1'000 * (1 + random.below(8)));
      return scheduler::register_node{{node, cpu, 8'000, gpus, model}};
    }
    case 1:
    case 2:
    case 3:
      return random_submission(random, task);
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
    case 11:
      return scheduler::drain_node{node};
    case 12:
    case 13:
      return scheduler::undrain_node{node};
    case 14:
      return scheduler::remove_node{node, random.below(2) == 0};
    case 15:
    case 16:
      return scheduler::renew_lease{task, std::chrono::seconds{random.below(10)}};
    default:
      return scheduler::query_task{task};
  }
}

operation_result run_random(state_machine& machine, std::uint64_t step, splitmix64& random) {
  const auto operation = scheduler::encode(random_operation(random));
  return machine.apply(context_at(step, random), operation);
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
  const std::vector<scheduler::operation> all = {
      scheduler::register_node{{"n1", 1'000, 1'000, 2, "G2"}},
      scheduler::drain_node{"n1"},
      scheduler::undrain_node{"n1"},
      scheduler::remove_node{"n1", true},
      scheduler::submit_task{task, std::chrono::seconds{5}, "key", true},
      scheduler::place_task{"t1"},
      scheduler::release_task{"t1"},
      scheduler::end_task{"t1"},
      scheduler::renew_lease{"t1", std::chrono::seconds{5}},
      scheduler::expire_leases{},
      scheduler::query_node{"n1", 0},
      scheduler::query_task{"t1", 0},
      scheduler::query_summary{},
      scheduler::query_capacity{},
      scheduler::explain_task{"t1", "n0", 0},
      scheduler::explain_demand{task.needs, "n0", 0},
      scheduler::list_nodes{"n0", 10, 0},
      scheduler::list_tasks{"t0", 10, 0},
      scheduler::list_placed{0, 10, 0},
      scheduler::query_events{0, 10, 0},
  };
  std::vector<byte_vector> encoded;
  for (const auto& each : all)
    encoded.push_back(scheduler::encode(each));
  REQUIRE(encoded.size() == std::variant_size_v<scheduler::operation>);
  return encoded;
}

/// The waiting tasks that the sweep of the machine has not tried yet, according to its header.
std::uint64_t untried_in(resource_scheduler& machine) {
  authenticated_map records{small_leaves};
  REQUIRE(records.restore(machine.snapshot()));
  const auto header = scheduler::decode_header(*records.find(as_byte_span(scheduler::header_key)));
  REQUIRE(header);
  return header->sweep_left;
}

}  // namespace

TEST_CASE("free and used resources always add up to the capacity") {
  std::uint64_t placed = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    resource_scheduler machine{small_leaves, small_bounds()};
    for (int step = 0; step < 1'500; ++step) {
      const auto result = run_random(machine, static_cast<std::uint64_t>(step), random);
      CHECK(result.status != operation_status::malformed);
      if (step % 100 != 99) continue;
      check_conservation(machine);
      placed += machine.summary().placed;
    }
  }
  // Of empty nodes the sums would always be right.
  CHECK(placed > 500);
}

TEST_CASE("a restored scheduler has the same root and the same future, waiting tasks included") {
  std::uint64_t waiting = 0;
  std::uint64_t swept = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    resource_scheduler original{small_leaves, small_bounds()};
    std::uint64_t now = 0;
    for (; now < 1'000; ++now)
      run_random(original, now, random);
    waiting += original.summary().pending;
    swept += untried_in(original);
    resource_scheduler restored{small_leaves, small_bounds()};
    add_node(restored, "forgotten", 1, 1);
    const auto done = restored.restore(original.snapshot());
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error()));
    CHECK(restored.root() == original.root());
    CHECK(restored.summary() == original.summary());
    for (; now < 2'000; ++now) {
      auto same = random;
      CHECK(run_random(original, now, random) == run_random(restored, now, same));
      if (now % 250 == 0) CHECK(restored.root() == original.root());
    }
    CHECK(restored.root() == original.root());
  }
  // The cases are there that a restored scheduler could get wrong.
  CHECK(waiting > 50);
  CHECK(swept > 0);
}

TEST_CASE("two schedulers with the same operations agree, however often they are asked for a root") {
  splitmix64 random{3};
  resource_scheduler often{small_leaves, small_bounds()};
  resource_scheduler once{small_leaves, small_bounds()};
  int full = 0;
  for (std::uint64_t step = 0; step < 1'500; ++step) {
    auto same = random;
    const auto result = run_random(often, step, random);
    CHECK(result == run_random(once, step, same));
    if (as_text(result.payload) == "the tasks of the scheduler take the maximum of memory") ++full;
    static_cast<void>(often.root());
  }
  CHECK(often.root() == once.root());
  CHECK(once.root() == state_root(once.snapshot()));
  // Neither the bound of memory nor the events that are forgotten depend on how often the state is stored.
  CHECK(full > 0);
  CHECK(once.summary().event > 300);
}

TEST_CASE("no truncation of a scheduler operation is accepted or changes anything") {
  for (const auto& whole : one_of_each()) {
    resource_scheduler machine{small_leaves};
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
  resource_scheduler machine{small_leaves, small_bounds()};
  int applied = 0;
  int refused = 0;
  for (int step = 0; step < 10'000; ++step) {
    auto bytes = operations[random.below(operations.size())];
    for (auto changes = random.below(3); changes > 0; --changes) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    }
    if (random.below(8) == 0) bytes.resize(random.below(bytes.size() + 10));
    const auto root = machine.root();
    const auto result = machine.apply({}, bytes);
    if (result.status != operation_status::applied) CHECK(machine.root() == root);
    applied += result.status == operation_status::applied ? 1 : 0;
    refused += result.status == operation_status::refused ? 1 : 0;
    const auto decoded = scheduler::decode(bytes);
    CHECK(decoded.has_value() == (result.status != operation_status::malformed));
    if (decoded) CHECK(scheduler::encode(*decoded) == bytes);
  }
  CHECK(applied > 1'000);
  CHECK(refused > 1'000);
}

/// Whether `decode` accepts the whole payload, and no part of it and nothing longer.
template <class Decode>
bool accepts_only_whole(const byte_vector& payload, const Decode& decode) {
  auto longer = payload;
  longer.push_back(std::byte{0});
  bool accepted = !payload.empty() && decode(byte_span{payload}).has_value() && !decode(byte_span{longer}).has_value();
  for (std::size_t length = 0; length < payload.size(); ++length)
    accepted = accepted && !decode(byte_span{payload}.first(length)).has_value();
  return accepted;
}

TEST_CASE("damaged results are distinguished from whole ones") {
  using namespace scheduler;
  resource_scheduler machine{small_leaves};
  add_node(machine, "n1", 1'000, 1'000, 2, "G2");
  start(machine, "t1", {1, 1, 1, 100, {"G2"}});
  start(machine, "t2", {1, 1, 2, 1'000, {"G2"}});
  const auto ask = [&](const operation& question) {
    const auto result = machine.query(encode(question));
    REQUIRE(result.status == operation_status::applied);
    return result.payload;
  };
  CHECK(accepts_only_whole(ask(query_node{"n1"}), decode_node_view));
  CHECK(accepts_only_whole(ask(query_task{"t1"}), decode_task_view));
  CHECK(accepts_only_whole(ask(query_summary{}), decode_summary_view));
  CHECK(accepts_only_whole(ask(query_capacity{}), decode_capacity));
  CHECK(accepts_only_whole(ask(explain_task{"t2", {}, 0}), decode_fit));
  CHECK(accepts_only_whole(ask(list_nodes{}), decode_nodes_page));
  CHECK(accepts_only_whole(ask(list_tasks{}), decode_tasks_page));
  CHECK(accepts_only_whole(ask(list_placed{}), decode_placed_page));
  CHECK(accepts_only_whole(encode_result(placed_page{3, {}, 7}), decode_placed_page));
  CHECK(accepts_only_whole(ask(query_events{}), decode_events_page));
  CHECK(accepts_only_whole(encode_result(change_result{3, {{"t1", "n1", 1}, {"t2", "n1", 2}}}), decode_change));
  CHECK(accepts_only_whole(encode_result(removal_result{3, 2, 1, {{"t1", "n1", 1}}}), decode_removal));
  CHECK(accepts_only_whole(encode_result(renewal_result{3, {}}), decode_renewal));
  CHECK(accepts_only_whole(encode_result(expiry_result{3, 2, 1, 4}), decode_expiry));
}

}  // namespace hypermesh::testing
