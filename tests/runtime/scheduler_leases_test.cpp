#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/runtime/scheduler_steps.hpp"

namespace hypermesh::testing {

using namespace scheduler_steps;
using namespace scheduler;

namespace {

constexpr std::size_t small_leaves = 128;

submit_task leased(const std::string& name, std::int64_t seconds, const demand& needs = {100, 1, 0, 0, {}}) {
  return {{name, needs, {}}, std::chrono::seconds{seconds}, {}, true};
}

std::string reason(const operation_result& result) {
  return result.status == operation_status::refused ? std::string{as_text(result.payload)} : "not refused";
}

/// The events after `since`, as "kind name" each.
std::vector<std::string> events_of(const state_machine& machine, std::uint64_t since) {
  const auto page = decode_events_page(machine.query(encode(query_events{since, page_rows_max, 0})).payload);
  REQUIRE(page);
  std::vector<std::string> lines;
  for (const auto& each : page->events) {
    lines.push_back(std::string{to_string(each.kind)} + " " + (is_about_node(each.kind) ? each.node : each.task));
  }
  return lines;
}

std::uint64_t newest(const resource_scheduler& machine) { return machine.summary().event; }

}  // namespace

TEST_CASE("leases end in the order of deadline and placement, a bounded number by one write") {
  scheduler_bounds bounds;
  // One half of the budget is for leases: five ends.
  bounds.work_max = 10 * work_costs::move;
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  for (const auto* name : {"c", "e", "f"})
    run_at(machine, 100, leased(name, 30));
  for (const auto* name : {"b", "a", "d"})
    run_at(machine, 100, leased(name, 20));
  run_at(machine, 100, leased("g", 99));
  const auto before = newest(machine);
  const auto first = decode_expiry(run_at(machine, 130, expire_leases{}).payload);
  REQUIRE(first);
  CHECK(*first == expiry_result{before + 5, 5, 1, 0});
  CHECK(events_of(machine, before) ==
        std::vector<std::string>{"expired b", "expired a", "expired d", "expired c", "expired e"});
  // Any write does the rest, even one that is refused.
  CHECK(reason(run_at(machine, 130, place_task{"nobody"})) == "there is no task nobody");
  CHECK(events_of(machine, before + 5) == std::vector<std::string>{"expired f"});
  CHECK(machine.summary().placed == 1);
}

TEST_CASE("a waiting task gets the room of a lease that is over, and its own lease begins then") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  run_at(machine, 100, leased("first", 10, {1'000, 1, 0, 0, {}}));
  run_at(machine, 101, leased("second", 10, {1'000, 1, 0, 0, {}}));
  const auto before = newest(machine);
  run_at(machine, 115, expire_leases{});
  CHECK(events_of(machine, before) == std::vector<std::string>{"expired first", "placed second"});
  const auto view = decode_task_view(run(machine, query_task{"second"}).payload);
  REQUIRE(view);
  CHECK(view->deadline == ordered_time{std::chrono::seconds{125}});
}

TEST_CASE("time never goes back, and malformed operations and reads let no lease end") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  run_at(machine, 100, leased("t", 10));
  operation_context late{};
  late.ordered_time = ordered_time{std::chrono::seconds{500}};
  const auto root = machine.root();
  CHECK(machine.apply(late, byte_vector(1)).status == operation_status::malformed);
  CHECK(machine.apply(late, encode(query_task{"t"})).status == operation_status::applied);
  CHECK(machine.root() == root);
  run_at(machine, 50, expire_leases{});
  CHECK(machine.summary().time == 100'000);
  CHECK(machine.summary().placed == 1);
}

TEST_CASE("a lease is refused without ordered time, and renewed only while it runs") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  CHECK(reason(run(machine, leased("t", 10))) ==
        "the cluster has no ordered time yet, so a lease would never end; submit the task later");
  scheduler_bounds bounds;
  bounds.work_max = 10 * work_costs::move;
  resource_scheduler slow{small_leaves, bounds};
  add_node(slow, "n", 1'000, 1'000);
  for (const auto* name : {"1", "2", "3", "4", "5"})
    run_at(slow, 100, leased(name, 10));
  run_at(slow, 100, leased("b", 11));
  run_at(slow, 100, submit_task{{"free", {}, {}}, {}, {}, true});
  // All leases are over, one write ends five of them, and the other one cannot be renewed any more.
  CHECK(reason(run_at(slow, 200, renew_lease{"b", std::chrono::seconds{5}})) == "the lease of task b is over");
  CHECK(reason(run_at(slow, 200, renew_lease{"free", {}})) == "task free has no lease");
  CHECK(reason(run_at(slow, 200, renew_lease{"b", {}})) == "task b is released, not placed");
}

TEST_CASE("an absurd ordered time is no overflow") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  operation_context end_of_time{};
  end_of_time.ordered_time = ordered_time::max();
  CHECK(machine.apply(end_of_time, encode(leased("t", 1'000))).status == operation_status::applied);
  CHECK(machine.summary().placed == 1);
  const auto view = decode_task_view(run(machine, query_task{"t"}).payload);
  REQUIRE(view);
  CHECK(view->deadline == ordered_time_max + std::chrono::seconds{1'000});
  resource_scheduler restored{small_leaves};
  CHECK(restored.restore(machine.snapshot()).has_value());
  operation_context before_time{};
  before_time.ordered_time = ordered_time::min();
  resource_scheduler other{small_leaves};
  CHECK(other.apply(before_time, encode(expire_leases{})).status == operation_status::applied);
  CHECK(other.summary().time == 0);
}

TEST_CASE("a drained node keeps its tasks and gets none until it is undrained") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  start(machine, "a", {500, 1, 0, 0, {}});
  run(machine, drain_node{"n"});
  const auto drained = newest(machine);
  run(machine, drain_node{"n"});
  CHECK(newest(machine) == drained);
  CHECK(node_in(start(machine, "b", {100, 1, 0, 0, {}})) == "");
  CHECK(placed_by(release(machine, "a")) == "");
  CHECK(placed_by(run(machine, undrain_node{"n"})) == " b");
  CHECK(reason(run(machine, drain_node{"m"})) == "there is no node m");
}

TEST_CASE("a removed node keeps its name in released tasks, and a new node may have its name") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "first", 1'000, 1'000);
  add_node(machine, "n", 1'000, 1'000);
  start(machine, "a", {1'000, 1, 0, 0, {}});
  start(machine, "b", {500, 1, 0, 0, {}});
  release(machine, "b");
  CHECK(decode_removal(run(machine, remove_node{"n", false}).payload)->remaining == 0);
  CHECK(decode_task_view(run(machine, query_task{"b"}).payload)->node == "n");
  CHECK(machine.summary().nodes == 1);
  CHECK(add_node(machine, "n", 2'000, 2'000).status == operation_status::applied);
  resource_scheduler restored{small_leaves};
  REQUIRE(restored.restore(machine.snapshot()).has_value());
  CHECK(restored.root() == machine.root());
  CHECK(node_in(start(restored, "c", {1'500, 1, 0, 0, {}})) == "n");
}

TEST_CASE("a removal evicts a bounded number of tasks, in the order of their placement") {
  scheduler_bounds bounds;
  bounds.work_max = 4 * work_costs::eviction(0);
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  for (const auto* name : {"c", "a", "b", "f", "d", "e"})
    start(machine, name, {150, 1, 0, 0, {}});
  const auto before = newest(machine);
  const auto part = decode_removal(run(machine, remove_node{"n", true}).payload);
  REQUIRE(part);
  CHECK(part->evicted == 4);
  CHECK(part->remaining == 2);
  CHECK(events_of(machine, before) == std::vector<std::string>{"node-drained n", "evicted c", "waits c", "evicted a",
                                                               "waits a", "evicted b", "waits b", "evicted f",
                                                               "waits f"});
  CHECK(decode_removal(run(machine, remove_node{"n", true}).payload)->remaining == 0);
  CHECK(machine.summary().pending == 6);
  CHECK(placed_by(add_node(machine, "m", 1'000, 1'000)) == " c a b f d e");
}

TEST_CASE("the oldest keys are forgotten, and their tasks are then refused by name") {
  scheduler_bounds bounds;
  bounds.keys_known_max = 2;
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  const auto submission = [](const std::string& name) { return submit_task{{name, {}, {}}, {}, "key-" + name, true}; };
  const auto first = run(machine, submission("a"));
  CHECK(run(machine, submission("a")) == first);
  run(machine, submission("b"));
  CHECK(run(machine, submission("a")) == first);
  run(machine, submission("c"));
  CHECK(reason(run(machine, submission("a"))) == "task a already exists");
  CHECK(reason(run(machine, submit_task{{"d", {}, {}}, {}, std::string(65, 'k'), false})) ==
        "a key has at most 64 visible characters");
}

TEST_CASE("the log of events forgets whole pages, and says so") {
  scheduler_bounds bounds;
  bounds.events_known_min = 100;
  resource_scheduler machine{small_leaves, bounds};
  for (int number = 0; number < 300; ++number)
    submit(machine, "t" + std::to_string(number), {});
  const auto page_after = [&](std::uint64_t since) {
    const auto page = decode_events_page(machine.query(encode(query_events{since, page_rows_max, 0})).payload);
    REQUIRE(page);
    return *page;
  };
  CHECK(page_after(0).is_compacted);
  const auto oldest = page_after(0).oldest;
  CHECK(oldest == 192);
  CHECK(page_after(oldest - 2).is_compacted);
  CHECK(page_after(oldest - 1).events.size() == 109);
  CHECK(page_after(300).events.empty());
  CHECK(reason(machine.query(encode(query_events{301, 1, 0}))) == std::string{behind_reason});
  CHECK(reason(machine.query(encode(query_summary{301}))) == std::string{behind_reason});
  CHECK(machine.query(encode(query_summary{300})).status == operation_status::applied);
}

TEST_CASE("the pages of tasks show each task once, although tasks come and go meanwhile") {
  resource_scheduler machine{small_leaves};
  for (int number = 0; number < 500; ++number)
    submit(machine, "t" + std::to_string(number), {});
  std::vector<int> seen(500);
  std::string after;
  int more = 0;
  do {
    const auto page = decode_tasks_page(machine.query(encode(list_tasks{after, 7, 0})).payload);
    REQUIRE(page);
    for (const auto& each : page->rows) {
      if (each.name[0] == 't') ++seen.at(static_cast<std::size_t>(std::stoi(each.name.substr(1))));
    }
    after = page->next;
    submit(machine, "x" + std::to_string(++more), {});
    if (more > 1) run(machine, end_task{"x" + std::to_string(more - 1)});
  } while (!after.empty());
  CHECK(seen == std::vector<int>(500, 1));
}

}  // namespace hypermesh::testing
