#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "runtime/state_machines/resource_scheduler.hpp"
#include "tests/runtime/scheduler_steps.hpp"

namespace hypermesh::testing {

using namespace scheduler_steps;
using scheduler::demand;

namespace {

constexpr std::size_t small_leaves = 128;

std::string reason(const operation_result& result) {
  return result.status == operation_status::refused ? std::string{as_text(result.payload)} : "not refused";
}

std::string words(state_machine& machine, const std::vector<std::string>& line) {
  const auto encoded = scheduler::parse_operation(line);
  REQUIRE(encoded);
  return scheduler::interpret(*encoded, machine.apply({}, *encoded)).line;
}

}  // namespace

TEST_CASE("a task goes to the node that is left with the least capacity") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "large", 64'000, 65'536);
  add_node(machine, "small", 8'000, 8'192);
  add_node(machine, "medium", 16'000, 16'384);
  CHECK(node_in(start(machine, "a", {4'000, 4'096, 0, 0, {}})) == "small");
  CHECK(node_in(start(machine, "b", {8'000, 4'096, 0, 0, {}})) == "medium");
  CHECK(node_in(start(machine, "c", {4'000, 4'096, 0, 0, {}})) == "small");
  CHECK(node_in(start(machine, "d", {4'000, 40'000, 0, 0, {}})) == "large");
}

TEST_CASE("the first registered of equal nodes gets the task") {
  resource_scheduler machine{small_leaves};
  for (const auto* name : {"zebra", "ant", "mole"})
    add_node(machine, name, 1'000, 1'000);
  const demand whole_node{1'000, 1'000, 0, 0, {}};
  CHECK(node_in(start(machine, "1", whole_node)) == "zebra");
  CHECK(node_in(start(machine, "2", whole_node)) == "ant");
  CHECK(node_in(start(machine, "3", whole_node)) == "mole");
  CHECK(node_in(start(machine, "4", whole_node)) == "");
}

TEST_CASE("a task without GPUs goes to a node with GPUs only if no other fits") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "gpus", 32'000, 65'536, 8, "G2");
  add_node(machine, "plain", 64'000, 131'072);
  CHECK(node_in(start(machine, "a", {32'000, 1'024, 0, 0, {}})) == "plain");
}

TEST_CASE("a share goes to the GPU with the smallest sufficient remainder") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 64'000, 65'536, 3, "G2");
  CHECK(gpus_in(start(machine, "a", {1, 1, 1, 500, {}})) == 0b001);
  CHECK(gpus_in(start(machine, "b", {1, 1, 1, 700, {}})) == 0b010);
  CHECK(gpus_in(start(machine, "c", {1, 1, 1, 300, {}})) == 0b010);
  CHECK(gpus_in(start(machine, "d", {1, 1, 1, 400, {}})) == 0b001);
  CHECK(gpus_in(start(machine, "e", {1, 1, 1, 200, {}})) == 0b100);
}

TEST_CASE("a whole GPU is allocated only where no other task uses it") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 64'000, 65'536, 4, "G2");
  CHECK(gpus_in(start(machine, "share", {1, 1, 1, 10, {}})) == 0b0001);
  CHECK(node_in(start(machine, "four", {1, 1, 4, 1'000, {}})) == "");
  CHECK(gpus_in(start(machine, "two", {1, 1, 2, 1'000, {}})) == 0b0110);
  CHECK(gpus_in(start(machine, "one", {1, 1, 1, 1'000, {}})) == 0b1000);
  CHECK(node_in(start(machine, "more", {1, 1, 1, 1'000, {}})) == "");
  CHECK(gpus_in(start(machine, "rest", {1, 1, 1, 990, {}})) == 0b0001);
}

TEST_CASE("a task that names GPU models gets one of them or waits") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "t4", 8'000, 8'192, 2, "T4");
  add_node(machine, "g2", 64'000, 65'536, 8, "G2");
  CHECK(node_in(start(machine, "any", {1, 1, 1, 100, {}})) == "t4");
  CHECK(node_in(start(machine, "g2-or-g3", {1, 1, 1, 100, {"G3", "G2"}})) == "g2");
  CHECK(node_in(start(machine, "p100", {1, 1, 1, 100, {"P100"}})) == "");
  CHECK(placed_by(add_node(machine, "late", 8'000, 8'192, 1, "P100")) == " p100");
}

TEST_CASE("waiting tasks are placed in the order of their arrival when a task is released") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  start(machine, "first", {1'000, 1, 0, 0, {}});
  for (const auto* name : {"w3", "w1", "w2"})
    CHECK(node_in(start(machine, name, {400, 1, 0, 0, {}})) == "");
  CHECK(placed_by(release(machine, "first")) == " w3 w1");
  CHECK(placed_by(release(machine, "w1")) == " w2");
  CHECK(machine.summary().pending == 0);
}

TEST_CASE("a large task at the head of the queue does not hold up smaller ones") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  start(machine, "a", {600, 1, 0, 0, {}});
  start(machine, "b", {400, 1, 0, 0, {}});
  start(machine, "huge", {5'000, 1, 0, 0, {}});
  start(machine, "small", {300, 1, 0, 0, {}});
  CHECK(placed_by(release(machine, "b")) == " small");
  CHECK(placed_by(add_node(machine, "big", 8'000, 8'000)) == " huge");
}

TEST_CASE("a release tries a bounded number of waiting tasks") {
  scheduler_bounds bounds;
  bounds.waiting_examined_max = 3;
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  start(machine, "full", {1'000, 1, 0, 0, {}});
  start(machine, "too-big", {2'000, 1, 0, 0, {}});
  for (int index = 0; index < 6; ++index)
    start(machine, "w" + std::to_string(index), {100, 1, 0, 0, {}});
  CHECK(placed_by(release(machine, "full")) == " w0 w1");
  CHECK(machine.summary().pending == 5);
  // The next write tries the others, whatever it does itself.
  CHECK(placed_by(submit(machine, "other", {1, 1, 0, 0, {}})) == "");
  CHECK(machine.summary().pending == 1);
}

TEST_CASE("a repeated request for a waiting task tries every node, and the task keeps its turn otherwise") {
  scheduler_bounds bounds;
  bounds.waiting_examined_max = 1;
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  start(machine, "full", {1'000, 1, 0, 0, {}});
  for (int number = 0; number < 50; ++number)
    start(machine, "large-" + std::to_string(number), {2'000, 1, 0, 0, {}});
  start(machine, "last", {1'000, 1, 0, 0, {}});
  CHECK(node_in(run(machine, scheduler::place_task{"large-0"})) == "");
  CHECK(placed_by(release(machine, "full")) == "");
  CHECK(node_in(run(machine, scheduler::place_task{"last"})) == "n");
  CHECK(placed_by(add_node(machine, "m", 2'000, 1'000)) == " large-0");
}

TEST_CASE("an operation that breaks a rule is refused with a reason and changes nothing") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000, 1, "G2");
  start(machine, "placed", {1, 1, 0, 0, {}});
  submit(machine, "submitted", {1, 1, 0, 0, {}});
  start(machine, "waiting", {2'000, 1, 0, 0, {}});
  start(machine, "done", {1, 1, 0, 0, {}});
  release(machine, "done");
  const auto root = machine.root();
  CHECK(reason(add_node(machine, "n", 1, 1)) == "a node with this name is already registered");
  CHECK(reason(submit(machine, "placed", {})) == "task placed already exists");
  CHECK(reason(submit(machine, "done", {})) == "task done already exists");
  CHECK(reason(run(machine, scheduler::place_task{"nobody"})) == "there is no task nobody");
  CHECK(reason(run(machine, scheduler::place_task{"placed"})) == "task placed is already placed");
  CHECK(reason(run(machine, scheduler::place_task{"done"})) == "task done is already released");
  CHECK(reason(release(machine, "submitted")) == "task submitted is submitted, not placed");
  CHECK(reason(release(machine, "waiting")) == "task waiting is pending, not placed");
  CHECK(reason(release(machine, "done")) == "task done is released, not placed");
  CHECK(reason(release(machine, "nobody")) == "there is no task nobody");
  CHECK(reason(run(machine, scheduler::end_task{"done"})) == "task done is already released");
  CHECK(reason(run(machine, scheduler::query_node{"m"})) == "there is no node m");
  CHECK(reason(run(machine, scheduler::query_task{""})) == "a name has 1 to 64 visible characters");
  CHECK(machine.root() == root);
}

TEST_CASE("amounts and names out of bounds are refused and change nothing") {
  resource_scheduler machine{small_leaves};
  const auto root = machine.root();
  const auto most = std::numeric_limits<std::uint32_t>::max();
  CHECK(add_node(machine, "n", most, 1).status == operation_status::refused);
  CHECK(add_node(machine, "n", 1, most).status == operation_status::refused);
  CHECK(add_node(machine, "n", 0, 1).status == operation_status::refused);
  CHECK(add_node(machine, "n", 1, 1, 17, "G2").status == operation_status::refused);
  CHECK(add_node(machine, "n", 1, 1, 1, "").status == operation_status::refused);
  CHECK(add_node(machine, "n", 1, 1, 0, "G2").status == operation_status::refused);
  CHECK(add_node(machine, "", 1, 1).status == operation_status::refused);
  CHECK(add_node(machine, "a b", 1, 1).status == operation_status::refused);
  CHECK(add_node(machine, std::string(65, 'n'), 1, 1).status == operation_status::refused);
  const std::vector<demand> wrong = {{most, 1, 0, 0, {}},   {1, most, 0, 0, {}},  {1, 1, 0, 1, {}},
                                     {1, 1, 1, 0, {}},      {1, 1, 1, 1'001, {}}, {1, 1, 2, 500, {}},
                                     {1, 1, 17, 1'000, {}}, {1, 1, 0, 0, {"G2"}}, {1, 1, 1, 1, {""}}};
  for (const auto& needs : wrong)
    CHECK(submit(machine, "t", needs).status == operation_status::refused);
  CHECK(machine.root() == root);
}

TEST_CASE("the end of a task returns its resources, whatever its state") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 1'000);
  submit(machine, "submitted", {1, 1, 0, 0, {}});
  start(machine, "placed", {1'000, 1, 0, 0, {}});
  start(machine, "waiting", {1'000, 1, 0, 0, {}});
  start(machine, "next", {1'000, 1, 0, 0, {}});
  CHECK(placed_by(run(machine, scheduler::end_task{"submitted"})) == "");
  CHECK(placed_by(run(machine, scheduler::end_task{"waiting"})) == "");
  CHECK(placed_by(run(machine, scheduler::end_task{"placed"})) == " next");
  CHECK(reason(run(machine, scheduler::end_task{"waiting"})) == "there is no task waiting");
  const auto totals = machine.summary();
  CHECK(totals.submitted == 0);
  CHECK(totals.pending == 0);
  CHECK(totals.placed == 1);
  CHECK(totals.released == 1);
}

TEST_CASE("the number of live tasks is bounded") {
  scheduler_bounds bounds;
  bounds.live_tasks_max = 3;
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  start(machine, "placed", {1'000, 1, 0, 0, {}});
  start(machine, "waiting", {1, 1, 0, 0, {}});
  submit(machine, "submitted", {1, 1, 0, 0, {}});
  CHECK(reason(submit(machine, "more", {1, 1, 0, 0, {}})) == "the scheduler has the maximum number of tasks");
  release(machine, "placed");
  CHECK(submit(machine, "more", {1, 1, 0, 0, {}}).status == operation_status::applied);
}

TEST_CASE("the oldest released tasks are forgotten by name and stay counted") {
  scheduler_bounds bounds;
  bounds.released_known_max = 2;
  resource_scheduler machine{small_leaves, bounds};
  add_node(machine, "n", 1'000, 1'000);
  for (const auto* name : {"c", "a", "b"}) {
    start(machine, name, {1, 1, 0, 0, {}});
    release(machine, name);
  }
  CHECK(reason(run(machine, scheduler::query_task{"c"})) == "there is no task c");
  CHECK(run(machine, scheduler::query_task{"a"}).status == operation_status::applied);
  CHECK(machine.summary().released == 3);
  CHECK(submit(machine, "c", {1, 1, 0, 0, {}}).status == operation_status::applied);
}

TEST_CASE("queries show the node of a task and the free resources") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 2'000, 2, "G2");
  start(machine, "t", {100, 200, 1, 250, {"G2"}});
  const auto node = scheduler::decode_node_view(run(machine, scheduler::query_node{"n"}).payload);
  REQUIRE(node);
  CHECK(node->cpu_milli_free == 900);
  CHECK(node->memory_mib_free == 1'800);
  CHECK(node->gpu_milli_free == std::vector<std::uint16_t>{750, 1'000});
  CHECK(node->tasks == 1);
  const auto task = scheduler::decode_task_view(run(machine, scheduler::query_task{"t"}).payload);
  REQUIRE(task);
  CHECK(task->state == scheduler::task_state::placed);
  CHECK(task->node == "n");
  CHECK(task->gpus == 1);
  CHECK(task->spec.needs == demand{100, 200, 1, 250, {"G2"}});
  const auto totals = scheduler::decode_summary_view(run(machine, scheduler::query_summary{}).payload);
  REQUIRE(totals);
  CHECK(*totals == machine.summary());
  CHECK(totals->gpu_milli_used == 250);
  CHECK(totals->cpu_milli_total == 1'000);
}

TEST_CASE("a query answers like the ordered read and refuses to write") {
  resource_scheduler machine{small_leaves};
  add_node(machine, "n", 1'000, 2'000);
  start(machine, "t", {1, 1, 0, 0, {}});
  const auto root = machine.root();
  for (const auto& read : std::vector<scheduler::operation>{scheduler::query_node{"n"}, scheduler::query_task{"t"},
                                                            scheduler::query_task{"u"}, scheduler::query_summary{}}) {
    CHECK(scheduler::is_read(read));
    CHECK(machine.query(scheduler::encode(read)) == run(machine, read));
  }
  for (const auto& write : std::vector<scheduler::operation>{scheduler::register_node{{"m", 1, 1, 0, ""}},
                                                             scheduler::submit_task{}, scheduler::place_task{"t"},
                                                             scheduler::release_task{"t"}, scheduler::end_task{"t"}}) {
    CHECK(machine.query(scheduler::encode(write)).status == operation_status::refused);
  }
  CHECK(machine.query({}).status == operation_status::malformed);
  CHECK(machine.root() == root);
}

TEST_CASE("the scheduler can be driven with commands") {
  resource_scheduler machine{small_leaves};
  CHECK(words(machine, {"register-node", "n", "8000", "16384", "2", "G2"}) == "registered");
  CHECK(words(machine, {"submit-task", "t", "1000", "1024", "1", "500", "G2|P100", "LS"}) == "submitted");
  CHECK(words(machine, {"place-task", "t"}) == "t placed on n gpu 0");
  CHECK(words(machine, {"task", "t"}) ==
        "t: placed, cpu_milli 1000, memory_mib 1024, gpus 1 of gpu_milli 500, models G2|P100, LS, node n gpu 0");
  CHECK(words(machine, {"node", "n"}) ==
        "n: cpu_milli 7000 free of 8000, memory_mib 15360 free of 16384, tasks 1, 2 gpus G2, gpu_milli free 500,1000");
  CHECK(words(machine, {"submit-task", "big", "8000", "1"}) == "submitted");
  CHECK(words(machine, {"place-task", "big"}) == "pending: no node has room for the task now");
  CHECK(words(machine, {"release-task", "t"}) == "released\nbig placed on n");
  CHECK(words(machine, {"end-task", "big"}) == "ended");
  CHECK(words(machine, {"end-task", "big"}) == "refused: task big is already released");
}

TEST_CASE("a command that shows a part says how to read the rest, and a placement says where") {
  resource_scheduler machine{small_leaves};
  words(machine, {"register-node", "n", "2000", "1000"});
  CHECK(words(machine, {"submit-task", "a", "1000", "1", "place"}) == "a placed on n");
  CHECK(words(machine, {"submit-task", "b", "1000", "1", "place"}) == "b placed on n");
  CHECK(words(machine, {"submit-task", "c", "1000", "1", "place"}) == "pending: no node has room for the task now");
  CHECK(words(machine, {"placed-tasks", "limit=1"}) ==
        "1 placed tasks as of event 7\na: placed, node n\nmore: repeat the command with after=1");
  CHECK(words(machine, {"placed-tasks", "after=1", "limit=1"}) == "1 placed tasks as of event 7\nb: placed, node n");
  CHECK(words(machine, {"events", "0", "limit=1"}) == "1 events; the newest is 7\n1 node-registered n\nmore: events 1");
  CHECK(words(machine, {"events", "6"}) == "1 events; the newest is 7\n7 waits c");
  CHECK(words(machine, {"expire-leases"}) == "0 leases expired, 0 more are over");
  CHECK(words(machine, {"explain", "c", "after=m"}).starts_with("0 of 1 nodes have room\n"));
  CHECK(words(machine, {"explain", "c", "after=n"}).starts_with("0 of 0 nodes have room"));
  CHECK(words(machine, {"nodes", "after=n"}) == "0 nodes as of event 7");
  CHECK_FALSE(scheduler::parse_operation(std::vector<std::string>{"placed-tasks", "after=a"}));
  CHECK_FALSE(scheduler::parse_operation(std::vector<std::string>{"tasks", "limit=129"}));
  CHECK_FALSE(scheduler::parse_operation(std::vector<std::string>{"tasks", "placed"}));
}

TEST_CASE("an unknown command gets a list of the scheduler's operations") {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"place-task"},
                                                       {"place-task", "a", "b"},
                                                       {"launch", "t"},
                                                       {"register-node", "n", "many", "1"},
                                                       {"register-node", "n", "1", "1", "300", "G2"},
                                                       {"register-node", "n", "0", "1"},
                                                       {"submit-task", "t", "1", "1", "1"},
                                                       {"submit-task", "t", "1", "1", "1", "100", "-", "Best"},
                                                       {"submit-task", "a b", "1", "1"},
                                                       {"submit-task", "t", "-1", "1"}};
  for (const auto& line : wrong) {
    const auto parsed = scheduler::parse_operation(line);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().find("register-node NAME") != std::string::npos);
  }
}

}  // namespace hypermesh::testing
