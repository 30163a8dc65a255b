#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/runtime/scheduler_steps.hpp"

namespace hypermesh::testing {

using namespace scheduler_steps;
using namespace scheduler;

namespace {

constexpr std::size_t small_leaves = 128;

std::uint64_t newest(const resource_scheduler& machine) { return machine.summary().event; }

demand cores(std::uint32_t cpu_milli) { return {cpu_milli, 1, 0, 0, {}}; }

submit_task leased(const std::string& name, std::int64_t seconds, const demand& needs) {
  return {{name, needs, {}}, std::chrono::seconds{seconds}, {}, true};
}

expiry_result tick(resource_scheduler& machine, std::int64_t seconds) {
  const auto result = decode_expiry(run_at(machine, seconds, expire_leases{}).payload);
  REQUIRE(result);
  return *result;
}

template <class View>
View read(const state_machine& machine, const operation& question, std::optional<View> (*decode)(byte_span)) {
  const auto view = decode(machine.query(encode(question)).payload);
  REQUIRE(view);
  return *view;
}

task_view task_named(const state_machine& machine, const std::string& name) {
  return read(machine, query_task{name}, decode_task_view);
}

/// A demand whose models take as many bytes as possible.
demand largest_demand(std::size_t number) {
  demand needs{1, 1, 1, 1, {}};
  for (std::size_t model = 0; model < model_alternatives_max; ++model) {
    auto name = std::to_string(number * model_alternatives_max + model);
    needs.models.push_back(name + std::string(name_bytes_max - name.size(), 'm'));
  }
  return needs;
}

}  // namespace

TEST_CASE("one write does a bounded number of steps, although 128 leases end at once and 16,384 tasks wait") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 128'000, 1'000'000);
  for (int number = 0; number < 128; ++number)
    run_at(machine, 100, leased("leased-" + std::to_string(number), 10, cores(1'000)));
  CHECK(machine.summary().placed == 128);
  // Each end of a lease leaves room for 128 of these.
  for (int number = 0; number < 16'384; ++number)
    run_at(machine, 100, submit_task{{"w" + std::to_string(number), cores(7), {}}, {}, {}, true});
  CHECK(machine.summary().pending == 16'384);
  const auto moves_max = scheduler_bounds{}.work_max / work_costs::move;
  std::size_t writes = 0;
  for (; machine.summary().pending > 0 && writes < 3'000; ++writes) {
    const auto before = newest(machine);
    const auto result = tick(machine, 110);
    CHECK(newest(machine) - before <= moves_max);
    // The client is told to go on as long as something is left.
    CHECK((result.due > 0 || result.untried > 0) == (machine.summary().pending > 0));
  }
  CHECK(machine.summary().pending == 0);
  CHECK(machine.summary().released == 128);
  // The work is spread over many writes, and each does a good part of what it may.
  CHECK(writes >= 16'512 / moves_max);
  CHECK(writes <= 16'512 / 8);
}

TEST_CASE("tasks that fit nowhere do not keep others from being placed, however many there are at the head") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  add_node(machine, "other", 10, 1'000);
  start(machine, "full", cores(1'000));
  for (int number = 0; number < 1'000; ++number)
    start(machine, "impossible-" + std::to_string(number), cores(50'000));
  start(machine, "possible", cores(1'000));
  run(machine, release_task{"full"});
  CHECK(task_named(machine, "possible").state == task_state::pending);
  // Any writes help, also those of other clients that have nothing to do with the task.
  int writes = 0;
  for (; writes < 1'000 && task_named(machine, "possible").state == task_state::pending; ++writes)
    submit(machine, "unrelated-" + std::to_string(writes), cores(1));
  CHECK(task_named(machine, "possible").node == "n");
  CHECK(writes < 100);
  // Once every waiting task was tried, the sweep rests.
  for (; tick(machine, 0).untried > 0; ++writes) {
  }
  CHECK(writes < 200);
  const auto root = machine.root();
  (void)tick(machine, 0);
  CHECK(machine.root() == root);
}

TEST_CASE("room that comes again and again leaves no waiting task untried") {
  scheduler_bounds bounds;
  bounds.waiting_examined_max = 4;
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  start(machine, "blinker-0", cores(900));
  for (int number = 0; number < 200; ++number)
    start(machine, "impossible-" + std::to_string(number), cores(5'000));
  for (int number = 0; number < 5; ++number)
    start(machine, "w" + std::to_string(number), cores(180));
  // Each release begins a new round of the sweep, and the next task takes the room again.
  int rounds = 0;
  for (; rounds < 200 && task_named(machine, "w0").state == task_state::pending; ++rounds) {
    run(machine, release_task{"blinker-" + std::to_string(rounds)});
    start(machine, "blinker-" + std::to_string(rounds + 1), cores(900));
    if (task_named(machine, "blinker-" + std::to_string(rounds + 1)).state != task_state::placed) break;
  }
  for (int number = 0; number < 100 && machine.summary().pending > 201; ++number)
    (void)tick(machine, 0);
  CHECK(rounds < 100);
  CHECK(task_named(machine, "w0").state == task_state::placed);
}

TEST_CASE("a write does fewer searches if there are more nodes, and each write at least one") {
  resource_scheduler machine{small_leaves};
  // Every other node has the processors and every other one the memory, with one weight, so a search reads each node.
  for (std::size_t number = 0; number < nodes_max; ++number) {
    const bool has_cores = number % 2 == 0;
    add_node(machine, std::to_string(number), has_cores ? 1'000'000 : 250, has_cores ? 1'000 : 4'000'000);
  }
  for (int number = 0; number < 200; ++number)
    start(machine, "w" + std::to_string(number), {500'000, 2'000'000, 0, 0, {}});
  start(machine, "small", cores(1));
  release(machine, "small");
  auto untried = tick(machine, 0).untried;
  CHECK(untried > 50);
  int writes = 0;
  for (; untried > 0 && writes < 200; ++writes) {
    const auto left = tick(machine, 0).untried;
    CHECK(left < untried);
    CHECK(untried - left <= 2);
    untried = left;
  }
  CHECK(untried == 0);
  // An eviction is a search too.
  for (int number = 0; number < 20; ++number)
    start(machine, "t" + std::to_string(number), {1, 1, 0, 0, {}});
  const auto node = task_named(machine, "t0").node;
  const auto removed = decode_removal(run(machine, remove_node{node, true}).payload);
  REQUIRE(removed);
  CHECK(removed->evicted > 0);
  CHECK(removed->evicted <= scheduler_bounds{}.work_max / work_costs::eviction(nodes_max));
}

TEST_CASE("the memory of tasks is bounded by the bytes of their records, also when each names 16 models of 64 bytes") {
  scheduler_bounds bounds;
  bounds.content_bytes_max = 20'000;
  resource_scheduler machine{small_leaves, bounds};
  std::size_t tasks = 1;
  operation_result result;
  for (; tasks < 1'000; ++tasks) {
    result = run(machine, submit_task{{"t" + std::to_string(tasks), largest_demand(tasks), {}}, {}, {}, true});
    if (result.status != operation_status::applied) break;
  }
  CHECK(as_text(result.payload) == "the tasks of the scheduler take the maximum of memory");
  CHECK(tasks > 10);
  CHECK(tasks < 20);
  // The end of a task makes room for another one, and a restored scheduler has the same room.
  resource_scheduler restored{small_leaves, bounds};
  REQUIRE(restored.restore(machine.snapshot()));
  for (auto* each : {&machine, &restored}) {
    CHECK(submit(*each, "more", largest_demand(0)).status == operation_status::refused);
    CHECK(run(*each, end_task{"t1"}).status == operation_status::applied);
    CHECK(submit(*each, "more", largest_demand(0)).status == operation_status::applied);
    CHECK(submit(*each, "again", largest_demand(0)).status == operation_status::refused);
  }
  CHECK(restored.root() == machine.root());
}

TEST_CASE("forgotten tasks and keys give their bytes back") {
  scheduler_bounds bounds;
  bounds.content_bytes_max = 4'000;
  bounds.released_known_max = 2;
  bounds.keys_known_max = 2;
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  for (int number = 0; number < 1'000; ++number) {
    const auto name = std::to_string(number);
    REQUIRE(run(machine, submit_task{{name, cores(1), {}}, {}, "key-" + name, true}).status ==
            operation_status::applied);
    REQUIRE(run(machine, end_task{name}).status == operation_status::applied);
  }
}

TEST_CASE("an eviction does not shorten a lease that was renewed, also if the task has to wait") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "first", 1'000, 1'000);
  run_at(machine, 100, leased("moves", 10, cores(600)));
  run_at(machine, 100, leased("waits", 10, cores(300)));
  run_at(machine, 100, renew_lease{"moves", std::chrono::seconds{900}});
  run_at(machine, 100, renew_lease{"waits", std::chrono::seconds{900}});
  add_node(machine, "second", 600, 1'000);
  run_at(machine, 105, remove_node{"first", true});
  const ordered_time promised{std::chrono::seconds{1'000}};
  CHECK(task_named(machine, "moves").node == "second");
  CHECK(task_named(machine, "moves").deadline == promised);
  CHECK(task_named(machine, "waits").state == task_state::pending);
  CHECK(task_named(machine, "waits").deadline == ordered_time{});
  resource_scheduler restored{small_leaves};
  REQUIRE(restored.restore(machine.snapshot()));
  run_at(restored, 110, register_node{{"third", 1'000, 1'000, 0, ""}});
  CHECK(task_named(restored, "waits").node == "third");
  CHECK(task_named(restored, "waits").deadline == promised);
  // A lease that begins anew is not shorter than the one of the submission either.
  run_at(machine, 995, register_node{{"third", 1'000, 1'000, 0, ""}});
  CHECK(task_named(machine, "waits").deadline == ordered_time{std::chrono::seconds{1'005}});
}

TEST_CASE("a node with many tasks is emptied by several removals, each with bounded work") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 100'000, 1'000'000);
  add_node(machine, "m", 50'000, 1'000'000);
  for (int number = 0; number < 100; ++number)
    run(machine, submit_task{{"t" + std::to_string(number), cores(1'000), {}}, {}, {}, true});
  const auto on_n = read(machine, query_node{"n"}, decode_node_view).tasks;
  std::size_t evicted = 0;
  std::size_t removals = 0;
  for (bool is_left = true; is_left; ++removals) {
    const auto result = decode_removal(run(machine, remove_node{"n", true}).payload);
    REQUIRE(result);
    CHECK(result->evicted <= scheduler_bounds{}.work_max / work_costs::eviction(0));
    evicted += result->evicted;
    is_left = result->remaining > 0;
  }
  CHECK(evicted == on_n);
  CHECK(removals > 1);
  CHECK(machine.summary().nodes == 1);
}

TEST_CASE("the pages of placed tasks show each placement once, and no other task") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 100'000, 1'000'000);
  std::vector<int> seen(500);
  for (int number = 0; number < 500; ++number) {
    submit(machine, "submitted-" + std::to_string(number), cores(1));
    start(machine, "t" + std::to_string(number), cores(1));
  }
  std::uint64_t after = 0;
  for (int page_number = 0;; ++page_number) {
    const auto page = read(machine, list_placed{after, 7, 0}, decode_placed_page);
    CHECK(page.event == newest(machine));
    for (const auto& each : page.rows) {
      CHECK(each.state == task_state::placed);
      if (each.name[0] == 't') ++seen.at(static_cast<std::size_t>(std::stoi(each.name.substr(1))));
    }
    if (!page.next) break;
    CHECK(page.rows.size() == 7);
    after = *page.next;
    // Tasks come and go meanwhile, also the one at the end of the page.
    release(machine, page.rows.back().name);
    start(machine, "x" + std::to_string(page_number), cores(1));
  }
  CHECK(seen == std::vector<int>(500, 1));
}

TEST_CASE("every answer to a read begins with the number of the newest event") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000, 1, "G2");
  start(machine, "t", cores(1));
  submit(machine, "s", cores(1));
  const std::vector<operation> reads = {
      query_node{"n"},  query_task{"t"}, query_summary{}, query_capacity{}, explain_task{"s", {}, 0},
      explain_demand{}, list_nodes{},    list_tasks{},    list_placed{},    query_events{},
  };
  CHECK(reads.size() == std::variant_size_v<operation> - operation{query_node{}}.index());
  for (int change = 0; change < 2; ++change) {
    for (const auto& each : reads) {
      const auto result = machine.query(encode(each));
      REQUIRE(result.status == operation_status::applied);
      CHECK(byte_reader{result.payload}.number<std::uint64_t>() == newest(machine));
    }
    submit(machine, "later", cores(1));
  }
}

TEST_CASE("every read is refused by a replica that has not reached the event that the client has seen") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  submit(machine, "s", cores(1));
  const auto behind = newest(machine) + 1;
  const std::vector<operation> reads = {
      query_node{"n", behind},    query_task{"s", behind},       query_summary{behind},
      query_capacity{behind},     explain_task{"s", {}, behind}, explain_demand{{}, {}, behind},
      list_nodes{{}, 1, behind},  list_tasks{{}, 1, behind},     list_placed{0, 1, behind},
      query_events{0, 1, behind},
  };
  CHECK(reads.size() == std::variant_size_v<operation> - operation{query_node{}}.index());
  for (const auto& each : reads)
    CHECK(as_text(machine.query(encode(each)).payload) == behind_reason);
}

TEST_CASE("the pages of an explanation cover each node once") {
  resource_scheduler machine{small_leaves};
  for (int number = 0; number < 2'500; ++number)
    add_node(machine, "n" + std::to_string(number), number < 1'000 ? 1'000 : 10'000, 1'000);
  fit_view sum;
  std::string after;
  std::size_t pages = 0;
  do {
    const auto page = read(machine, explain_demand{cores(5'000), after, 0}, decode_fit);
    CHECK(page.nodes <= nodes_explained_max);
    sum.nodes += page.nodes;
    sum.fitting += page.fitting;
    after = page.next;
    ++pages;
  } while (!after.empty());
  CHECK(pages == 3);
  CHECK(sum.nodes == 2'500);
  CHECK(sum.fitting == 1'500);
}

}  // namespace hypermesh::testing
