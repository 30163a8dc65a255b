#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "runtime/scheduling/placement_watch.hpp"
#include "runtime/scheduling/scheduler_client.hpp"

/// The contract suite of `scheduler_port`: what `scheduler_client` and `placement_watch` rely on. It runs over the way
/// of the tests to machines in one process, and over a real cluster.
namespace hypermesh::testing {

inline scheduling::submit_task contract_task(const std::string& name, const std::string& key = {}) {
  return {{name, {100, 100, 1, 100, {}}, {}}, std::chrono::hours{1}, key, true};
}

/// All events that a watch learns, with a new connection for each poll.
inline std::vector<scheduling::numbered_event> watched_events(scheduling::scheduler_port& port, std::uint64_t last) {
  std::vector<scheduling::numbered_event> events;
  for (std::uint64_t position = 0; position < last;) {
    scheduling::placement_watch watch{[&] { return std::make_shared<scheduling::scheduler_client>(port); }, position};
    const auto update = watch.poll(7);
    REQUIRE(update);
    REQUIRE_FALSE(update->is_snapshot);
    events.insert(events.end(), update->events.begin(), update->events.end());
    position = watch.position();
  }
  return events;
}

/// Runs the suite on an empty scheduler, to which two ports lead.
inline void check_scheduling_contract(scheduling::scheduler_port& first, scheduling::scheduler_port& second) {
  using scheduling::failure_kind;
  scheduling::scheduler_client mesh{first};
  scheduling::scheduler_client other{second};

  // A write is executed once for each key, and refused with its reason.
  REQUIRE(mesh.register_node({"n", 16'000, 32'000, 4, "G2"}));
  const auto placed = mesh.submit(contract_task("t", "key"));
  REQUIRE(placed);
  REQUIRE(placed->placed.size() == 1);
  CHECK(placed->placed[0].node == "n");
  CHECK(mesh.submit(contract_task("t", "key")) == placed);
  const auto doubled = mesh.submit(contract_task("u", "key"));
  REQUIRE_FALSE(doubled);
  CHECK(doubled.error() == scheduling::failure{failure_kind::refused, "key key belongs to another submission"});

  // A lease ends by ordered time, which a renewal reads as well.
  const auto before = mesh.task("t");
  REQUIRE(before);
  const auto renewed = mesh.renew_lease("t", std::chrono::hours{2});
  REQUIRE(renewed);
  CHECK(renewed->deadline >= before->deadline + std::chrono::hours{1});
  CHECK(mesh.expire_leases()->expired == 0);

  // Every process reads what it has seen, and what another one told it.
  for (int number = 0; number < 20; ++number) {
    const auto name = "t" + std::to_string(number);
    REQUIRE(mesh.submit(contract_task(name)));
    other.note_seen(mesh.seen());
    const auto view = other.task(name);
    REQUIRE(view);
    CHECK(view->state == scheduling::task_state::placed);
    CHECK(view->event >= mesh.seen());
    CHECK(other.summary()->placed == static_cast<std::uint64_t>(number) + 2);
  }
  const auto page = other.placed(0, 5);
  REQUIRE(page);
  CHECK(page->rows.size() == 5);
  CHECK(page->next.has_value());
  CHECK(other.explain_demand({1, 1, 4, 1'000, {}})->nodes == 1);

  // A removed node gives its tasks back.
  const auto removed = mesh.remove_node("n", scheduling::removal_mode::evict);
  REQUIRE(removed);
  CHECK(removed->evicted > 0);

  // A watch learns each event once, also over another port.
  const auto events = watched_events(second, mesh.seen());
  REQUIRE(events.size() == mesh.seen());
  for (std::size_t index = 0; index < events.size(); ++index)
    CHECK(events[index].number == index + 1);
  CHECK(watched_events(first, mesh.seen()) == events);

  // An event that the cluster never had is no reason to wait.
  mesh.note_seen(mesh.seen() + 1'000'000);
  CHECK(mesh.summary().error().kind == failure_kind::behind);
}

}  // namespace hypermesh::testing
