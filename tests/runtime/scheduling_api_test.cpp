#include <doctest/doctest.h>

#include <string>

#include "messages/time.hpp"
#include "tests/runtime/scheduling_contract.hpp"
#include "tests/runtime/scheduling_world.hpp"

namespace hypermesh::testing {

using scheduling::failure_kind;
using scheduling::removal_mode;
using scheduling::submit_task;

namespace {

submit_task small_task(const std::string& name, std::chrono::milliseconds lease = 0ms, const std::string& key = "") {
  return {{name, {100, 100, 1, 250, {}}, {}}, lease, key, true};
}

/// A cluster with one node of four GPUs.
struct small_mesh {
  scheduling_world world{3};
  connection api{world};

  small_mesh() { REQUIRE(api.register_node({"n", 16'000, 32'000, 4, "G2"})); }
};

}  // namespace

TEST_CASE("the scheduler's contract holds over one process, whether the replicas lag or not") {
  for (const std::uint64_t stale : {0U, 60U}) {
    CAPTURE(stale);
    scheduling_world world{17};
    world.faults.stale = stale;
    faulty_port first{world};
    faulty_port second{world};
    check_scheduling_contract(first, second);
  }
}

TEST_CASE("a client reads its own writes, although most replicas that it asks lag") {
  scheduling_world world{11};
  connection api{world};
  REQUIRE(api.register_node({"n", 64'000, 64'000, 16, "G2"}));
  world.faults.stale = 90;
  for (int number = 0; number < 60; ++number) {
    const auto name = "t" + std::to_string(number);
    REQUIRE(api.submit(small_task(name)));
    const auto view = api.task(name);
    REQUIRE(view);
    CHECK(view->state == scheduler::task_state::placed);
    const auto totals = api.summary();
    REQUIRE(totals);
    CHECK(totals->placed == static_cast<std::uint64_t>(number) + 1);
    // Another process that was told of the event sees the write as well.
    connection other{world, api.seen()};
    CHECK(other.task(name).has_value());
  }
}

TEST_CASE("a submission with a key is executed once, however often its answer is lost") {
  scheduling_world world{12};
  connection api{world};
  REQUIRE(api.register_node({"n", 64'000, 64'000, 16, "G2"}));
  world.faults = {60, 30, 0};
  for (int number = 0; number < 40; ++number) {
    const auto task = small_task("t" + std::to_string(number), 0ms, "key-" + std::to_string(number));
    auto first = api.submit(task);
    for (int attempt = 0; attempt < 100 && !first; ++attempt) {
      CHECK(first.error().kind == failure_kind::unreachable);
      first = api.submit(task);
    }
    REQUIRE(first);
    REQUIRE(first->placed.size() == 1);
    auto again = api.submit(task);
    while (!again)
      again = api.submit(task);
    CHECK(*again == *first);
  }
  CHECK(world.front().summary().placed == 40);
}

TEST_CASE_FIXTURE(small_mesh, "a key with another content is refused, and a refusal does not use a key up") {
  REQUIRE(api.submit(small_task("t", 0ms, "k")));
  const auto other = api.submit(small_task("u", 0ms, "k"));
  REQUIRE_FALSE(other);
  CHECK(other.error() == scheduling::failure{failure_kind::refused, "key k belongs to another submission"});
  CHECK_FALSE(api.submit(small_task("t", 0ms, "l")));
  CHECK(api.submit(small_task("v", 0ms, "l")));
  // Another client has its own keys.
  CHECK(world.order(scheduler::encode(small_task("w", 0ms, "k")), client_id{1}).status == operation_status::applied);
}

TEST_CASE_FIXTURE(small_mesh, "a lease ends at the first write at its deadline, and a renewal moves the deadline") {
  REQUIRE(api.submit(small_task("short", 10s)));
  REQUIRE(api.submit(small_task("long", 10s)));
  world.now += 9s;
  const auto renewed = api.renew_lease("long", 0ms);
  REQUIRE(renewed);
  CHECK(renewed->deadline == world.now + 10s);
  world.now += 999ms;
  CHECK(api.expire_leases()->expired == 0);
  world.now += 1ms;
  // A read changes nothing, even if the lease is over.
  CHECK(api.task("short")->state == scheduler::task_state::placed);
  const auto expired = api.expire_leases();
  REQUIRE(expired);
  CHECK(expired->expired == 1);
  CHECK(api.task("short")->state == scheduler::task_state::released);
  CHECK(api.task("long")->state == scheduler::task_state::placed);
  CHECK_FALSE(api.renew_lease("short", 10s));
  const auto events = api.events(expired->event - 1, 10);
  REQUIRE(events);
  REQUIRE(events->events.size() == 1);
  CHECK(events->events[0].kind == scheduler::event_kind::task_expired);
  CHECK(events->events[0].task == "short");
}

TEST_CASE_FIXTURE(small_mesh, "an evicted task moves to another node or waits") {
  for (const auto* name : {"a", "b", "c"})
    REQUIRE(api.submit({{name, {100, 100, 2, 1'000, {}}, {}}, 0ms, {}, true}));
  CHECK(api.task("c")->state == scheduler::task_state::pending);
  REQUIRE(api.drain_node("n"));
  REQUIRE(api.register_node({"m", 16'000, 32'000, 4, "G2"}));
  CHECK(api.task("c")->node == "m");
  const auto kept = api.remove_node("n", removal_mode::only_if_empty);
  REQUIRE_FALSE(kept);
  CHECK(kept.error().reason == "node n has 2 tasks; end them, or evict them with the removal");
  const auto removed = api.remove_node("n", removal_mode::evict);
  REQUIRE(removed);
  CHECK(removed->evicted == 2);
  CHECK(removed->remaining == 0);
  REQUIRE(removed->placed.size() == 1);
  CHECK(removed->placed[0].task == "a");
  CHECK(api.task("b")->state == scheduler::task_state::pending);
  CHECK_FALSE(api.node("n"));
  const auto why = api.explain("b");
  REQUIRE(why);
  CHECK(why->nodes == 1);
  CHECK(why->only_blocker[static_cast<std::size_t>(scheduler::fit_blocker::gpu)] == 1);
  CHECK(why->fitting_when_empty == 1);
}

TEST_CASE("names and amounts out of bounds never leave the process") {
  struct counting_port final : scheduling::scheduler_port {
    submit_outcome submit(byte_vector) override { return ++calls, client_error::stopped; }
    submit_outcome query(byte_vector) override { return ++calls, client_error::stopped; }
    int calls = 0;
  };
  counting_port port;
  scheduling::scheduler_client api{port};
  const std::string long_name(300, 'x');
  scheduling::demand many_models{1, 1, 1, 100, {}};
  many_models.models.assign(300, "G2");
  const auto is_refused = [](const auto& result) { return !result && result.error().kind == failure_kind::refused; };
  CHECK(is_refused(api.register_node({long_name, 1, 1, 0, ""})));
  CHECK(is_refused(api.register_node({"n", 0, 1, 0, ""})));
  CHECK(is_refused(api.drain_node(long_name)));
  CHECK(is_refused(api.undrain_node(long_name)));
  CHECK(is_refused(api.remove_node(long_name, removal_mode::evict)));
  CHECK(is_refused(api.submit(small_task(long_name))));
  CHECK(is_refused(api.submit({{"t", many_models, {}}, {}, {}, true})));
  CHECK(is_refused(api.submit(small_task("t", -1ms))));
  CHECK(is_refused(api.submit(small_task("t", 0ms, long_name))));
  CHECK(is_refused(api.place(long_name)));
  CHECK(is_refused(api.release(long_name)));
  CHECK(is_refused(api.end(long_name)));
  CHECK(is_refused(api.renew_lease("t", scheduler::lease_max + 1ms)));
  CHECK(is_refused(api.renew_lease("t", -1ms)));
  CHECK(is_refused(api.node(long_name)));
  CHECK(is_refused(api.task(long_name)));
  CHECK(is_refused(api.explain(long_name)));
  CHECK(is_refused(api.explain_demand(many_models)));
  CHECK(is_refused(api.nodes(long_name, 1)));
  CHECK(is_refused(api.tasks(long_name, 1)));
  CHECK(port.calls == 0);
  CHECK(api.place("t").error().kind == failure_kind::unreachable);
  CHECK(port.calls == 1);
}

TEST_CASE("an answer that is none of the scheduler is a failure of its own") {
  struct foreign_port final : scheduling::scheduler_port {
    submit_outcome submit(byte_vector) override { return operation_result{operation_status::applied, byte_vector(3)}; }
    submit_outcome query(byte_vector) override { return operation_result{operation_status::malformed, {}}; }
  };
  foreign_port port;
  scheduling::scheduler_client api{port};
  CHECK(api.place("t").error().kind == failure_kind::foreign);
  CHECK(api.summary().error().kind == failure_kind::foreign);
}

namespace {

/// Gives the answers of a machine that are set, and counts what it is asked.
struct scripted_port final : scheduling::scheduler_port {
  submit_outcome submit(byte_vector) override { return ++orders, ordered; }
  submit_outcome query(byte_vector) override { return ++queries, unordered; }

  submit_outcome unordered = client_error::timed_out;
  submit_outcome ordered = client_error::timed_out;
  int queries = 0;
  int orders = 0;
};

/// The answer of a state whose newest event is `event`.
operation_result summary_at(std::uint64_t event) {
  scheduler::summary_view view;
  view.event = event;
  return {operation_status::applied, scheduler::encode_result(view)};
}

}  // namespace

TEST_CASE("a read never returns an older state than one before, whatever the answers") {
  scripted_port port;
  scheduling::scheduler_client api{port, 7};
  port.unordered = summary_at(9);
  CHECK(api.summary()->event == 9);
  CHECK(api.seen() == 9);
  CHECK(port.orders == 0);
  // A replica that does not keep its promise, and an ordered read that helps.
  port.unordered = summary_at(8);
  port.ordered = summary_at(10);
  CHECK(api.summary()->event == 10);
  CHECK(port.orders == 1);
  port.ordered = summary_at(9);
  const auto old = api.summary();
  REQUIRE_FALSE(old);
  CHECK(old.error().kind == failure_kind::behind);
  CHECK(api.seen() == 10);
}

TEST_CASE("a read is ordered only if that can help") {
  scripted_port port;
  scheduling::scheduler_client api{port};
  port.ordered = summary_at(1);
  const auto orders_after = [&](const submit_outcome& unordered) {
    port.unordered = unordered;
    port.orders = 0;
    (void)api.summary();
    return port.orders;
  };
  CHECK(orders_after(client_error::timed_out) == 1);
  CHECK(orders_after(operation_result{operation_status::refused, to_byte_vector(scheduler::behind_reason)}) == 1);
  CHECK(orders_after(summary_at(1)) == 0);
  CHECK(orders_after(operation_result{operation_status::refused, to_byte_vector("no")}) == 0);
  CHECK(orders_after(operation_result{operation_status::malformed, {}}) == 0);
  for (const auto error : {client_error::stopped, client_error::overloaded, client_error::too_many_pending,
                           client_error::too_large, client_error::session_ended}) {
    CHECK(orders_after(error) == 0);
  }
}

TEST_CASE("an explanation adds up all pages of nodes, and ends although pages do not") {
  scheduling_world world{1};
  connection api{world};
  for (int number = 0; number < 1'100; ++number)
    REQUIRE(api.register_node({"n" + std::to_string(number), 1'000, 1'000, 0, ""}));
  const auto why = api.explain_demand({2'000, 1, 0, 0, {}});
  REQUIRE(why);
  CHECK(why->nodes == 1'100);
  CHECK(why->first_blocker[static_cast<std::size_t>(scheduler::fit_blocker::cpu)] == 1'100);
  CHECK(why->next.empty());
  scripted_port port;
  scheduler::fit_view endless;
  endless.next = "n";
  port.unordered = operation_result{operation_status::applied, scheduler::encode_result(endless)};
  scheduling::scheduler_client misled{port};
  CHECK(misled.explain_demand({}).error().kind == failure_kind::foreign);
  CHECK(port.queries == 2);
}

}  // namespace hypermesh::testing
