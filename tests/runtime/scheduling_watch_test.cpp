#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/scheduling/placement_watch.hpp"
#include "tests/runtime/scheduling_world.hpp"

namespace hypermesh::testing {

using scheduler::event_kind;
using scheduling::numbered_event;
using scheduling::placement_watch;

namespace {

scheduler_bounds small_bounds(std::size_t events) {
  scheduler_bounds bounds;
  bounds.events_known_min = events;
  bounds.released_known_max = 50;
  bounds.waiting_examined_max = 8;
  bounds.work_max = 8 * scheduler::work_costs::eviction(0);
  return bounds;
}

/// A random operation over few names. Most tasks have a lease.
scheduler::operation draw_operation(splitmix64& random) {
  const auto task = "t" + std::to_string(random.below(400));
  const auto node = "n" + std::to_string(random.below(12));
  switch (random.below(12)) {
    case 0:
      return scheduler::register_node{{node, 16'000, 32'000, 4, "G2"}};
    case 1:
      return scheduler::undrain_node{node};
    case 2:
      if (random.below(3) == 0) return scheduler::drain_node{node};
      return scheduler::remove_node{node, random.below(2) == 0};
    case 3:
      return scheduler::end_task{task};
    case 4:
      return scheduler::renew_lease{task, std::chrono::seconds{20}};
    case 5:
      return scheduler::place_task{task};
    default: {
      const auto share = static_cast<std::uint16_t>(100 * (1 + random.below(10)));
      const auto lease = std::chrono::seconds{random.below(4) == 0 ? 0 : 1 + random.below(40)};
      return scheduler::submit_task{{task, {500, 500, 1, share, {}}, {}}, lease, {}, random.below(8) != 0};
    }
  }
}

void run_some(scheduling_world& world, std::uint64_t count) {
  for (; count > 0; --count) {
    world.now += std::chrono::milliseconds{world.random().below(500)};
    (void)world.order(draw_operation(world.random()));
  }
}

/// Every event of a world whose events are all kept.
std::vector<numbered_event> all_events(const resource_scheduler& machine) {
  std::vector<numbered_event> all;
  for (;;) {
    const auto result =
        machine.query(scheduler::encode(scheduler::query_events{all.size(), scheduler::page_rows_max, 0}));
    const auto page = scheduler::decode_events_page(result.payload);
    REQUIRE(page);
    REQUIRE_FALSE(page->is_compacted);
    if (page->events.empty()) return all;
    for (const auto& each : page->events)
      all.push_back({all.size() + 1, each});
  }
}

/// What a service mesh knows from a watch: the placed tasks with their nodes, and the nodes.
struct mesh_model {
  std::map<std::string, std::string> placed;
  std::set<std::string> nodes;
  std::set<std::uint64_t> numbers;
  std::size_t snapshots = 0;
  /// The events that contradict the model: a second placement, an end without a placement, a number twice.
  std::size_t contradictions = 0;

  void adopt(const scheduling::watch_update& update) {
    if (update.is_snapshot) {
      ++snapshots;
      placed.clear();
      nodes.clear();
      for (const auto& each : update.placed)
        placed.emplace(each.name, each.node);
      for (const auto& each : update.nodes)
        nodes.insert(each.name);
    }
    for (const auto& each : update.events)
      adopt(each);
  }
  void adopt(const numbered_event& each) {
    const auto& what = each.what;
    const bool is_in_order = numbers.empty() || each.number > *numbers.rbegin();
    bool is_sound = is_in_order && numbers.insert(each.number).second;
    switch (what.kind) {
      case event_kind::node_registered:
        is_sound = is_sound && nodes.insert(what.node).second;
        break;
      case event_kind::node_removed:
        is_sound = is_sound && nodes.erase(what.node) == 1;
        break;
      case event_kind::task_placed:
        is_sound = is_sound && nodes.contains(what.node) && placed.emplace(what.task, what.node).second;
        break;
      case event_kind::task_released:
      case event_kind::task_expired:
      case event_kind::task_evicted:
        is_sound = is_sound && placed.contains(what.task) && placed.at(what.task) == what.node;
        placed.erase(what.task);
        break;
      default:
        break;
    }
    if (!is_sound) ++contradictions;
  }
};

/// A way on which the scheduler goes on before each answer, so the pages of a snapshot show different states.
struct busy_port final : scheduling::scheduler_port {
  explicit busy_port(scheduling_world& in) : world(&in), way(in) {}
  submit_outcome submit(byte_vector operation) override { return way.submit(std::move(operation)); }
  submit_outcome query(byte_vector operation) override {
    if (is_busy) run_some(*world, world->random().below(12));
    return way.query(std::move(operation));
  }

  scheduling_world* world;
  faulty_port way;
  bool is_busy = true;
};

mesh_model truth_of(const resource_scheduler& machine) {
  mesh_model truth;
  for (std::uint64_t after = 0;;) {
    const auto page =
        scheduler::decode_placed_page(machine.query(scheduler::encode(scheduler::list_placed{after, 100, 0})).payload);
    REQUIRE(page);
    for (const auto& each : page->rows)
      truth.placed.emplace(each.name, each.node);
    if (!page->next) break;
    after = *page->next;
  }
  const auto nodes = scheduler::decode_nodes_page(machine.query(scheduler::encode(scheduler::list_nodes{})).payload);
  REQUIRE(nodes);
  for (const auto& each : nodes->rows)
    truth.nodes.insert(each.spec.name);
  return truth;
}

/// Polls until nothing is new. Failures of the way only delay.
void catch_up(placement_watch& watch, mesh_model& model, const resource_scheduler& machine) {
  for (int attempt = 0; attempt < 10'000 && watch.position() < machine.summary().event; ++attempt) {
    if (const auto update = watch.poll(97)) model.adopt(*update);
  }
  CHECK(watch.position() == machine.summary().event);
}

}  // namespace

TEST_CASE("a watcher that reconnects 100 times misses no event and sees none twice") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    scheduling_world world{seed, small_bounds(1'000'000)};
    world.faults = {10, 10, 50};
    std::vector<numbered_event> got;
    std::size_t connections = 0;
    std::uint64_t position = 0;
    for (int life = 0; life < 100; ++life) {
      // Each life of the watcher begins where the last one stored its position.
      placement_watch watch{[&] {
                              ++connections;
                              return world.draw(20) ? nullptr : std::make_shared<connection>(world);
                            },
                            position};
      for (auto polls = 1 + world.random().below(3); polls > 0; --polls) {
        run_some(world, world.random().below(40));
        const auto update = watch.poll(static_cast<std::uint16_t>(1 + world.random().below(60)));
        if (!update) continue;
        CHECK_FALSE(update->is_snapshot);
        got.insert(got.end(), update->events.begin(), update->events.end());
      }
      position = watch.position();
    }
    world.faults = {};
    placement_watch last{[&] { return std::make_shared<connection>(world); }, position};
    for (bool is_new = true; is_new;) {
      const auto update = last.poll();
      REQUIRE(update);
      is_new = !update->events.empty();
      got.insert(got.end(), update->events.begin(), update->events.end());
    }
    CHECK(connections >= 100);
    CHECK(got.size() > 1'000);
    const auto all = all_events(world.front());
    CHECK(got.size() == all.size());
    CHECK(got == all);
  }
}

TEST_CASE("a watcher that was away too long gets a snapshot, and then every further change once, despite crashes") {
  std::size_t snapshots = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    scheduling_world world{seed, small_bounds(100)};
    mesh_model model;
    world.faults = {5, 0, 50};
    busy_port way{world};
    const auto connect = [&] { return std::make_shared<scheduling::scheduler_client>(way); };
    std::uint64_t position = 0;
    for (int round = 0; round < 40; ++round) {
      run_some(world, world.random().below(8) == 0 ? 300 : 20);
      // Each life of the watcher begins where the last one stored its position, also after a snapshot.
      placement_watch life{connect, position};
      if (const auto update = life.poll(50)) {
        CHECK((!update->is_snapshot || update->events.empty()));
        model.adopt(*update);
      }
      position = life.position();
    }
    way.is_busy = false;
    placement_watch watch{connect, position};
    catch_up(watch, model, world.front());
    const auto truth = truth_of(world.front());
    CHECK(model.placed == truth.placed);
    CHECK(model.nodes == truth.nodes);
    CHECK(model.contradictions == 0);
    snapshots += model.snapshots;
  }
  CHECK(snapshots >= 10);
}

TEST_CASE("a watch at an event that the cluster never had fails, and says why") {
  scheduling_world world{1};
  placement_watch watch{[&] { return std::make_shared<connection>(world); }, 7};
  const auto update = watch.poll();
  REQUIRE_FALSE(update);
  CHECK(update.error().kind == scheduling::failure_kind::behind);
  CHECK(watch.position() == 7);
}

}  // namespace hypermesh::testing
