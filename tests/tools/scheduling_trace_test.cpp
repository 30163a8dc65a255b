#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "messages/time.hpp"
#include "runtime/scheduling/placement_watch.hpp"
#include "tests/runtime/scheduling_world.hpp"
#include "tests/tools/trace_folder.hpp"
#include "tools/hypermesh/traces/trace.hpp"

namespace hypermesh::testing {

using scheduler::event_kind;
using scheduling::numbered_event;

namespace {

/// A history that runs through the contract of a service mesh: the end of a task in the history is the end of a lease,
/// and a watcher that reconnects before each poll learns of every event.
class mesh_run {
 public:
  explicit mesh_run(const cluster_trace& trace) : trace_(&trace) {}

  void run() {
    for (const auto& each : events_of(*trace_)) {
      world_.now = scheduler::ordered_time{1s} + std::chrono::seconds{each.time};
      step(each);
      if (++steps_ % 500 == 0) poll();
    }
    world_.now += 24h * 300;
    for (bool is_due = true; is_due;) {
      const auto expired = api_.expire_leases();
      REQUIRE(expired);
      is_due = expired->due > 0;
    }
    while (poll() > 0) {
    }
  }

  [[nodiscard]] const std::vector<numbered_event>& events() const { return events_; }
  [[nodiscard]] resource_scheduler& machine() { return world_.front(); }

 private:
  void step(const trace_event& each) {
    if (each.kind == trace_event_kind::register_node) {
      REQUIRE(api_.register_node(trace_->nodes[each.subject]));
      return;
    }
    const auto& task = trace_->tasks[each.subject];
    const auto& name = task.spec.name;
    const auto placed = std::max(task.place_time.value_or(task.submit_time), task.submit_time);
    const auto released = std::max(task.release_time.value_or(placed), placed);
    const std::chrono::seconds lease{task.release_time ? std::max<std::uint64_t>(released - placed, 1) : 0};
    // Every second lease is submitted too short, and is renewed to its length.
    const bool is_renewed = lease > 1s && each.subject % 2 == 1;
    switch (each.kind) {
      case trace_event_kind::submit:
        REQUIRE(api_.submit({task.spec, is_renewed ? 1s : lease, "key-" + name, false}));
        return;
      case trace_event_kind::place: {
        const auto change = api_.place(name);
        REQUIRE(change);
        if (is_renewed && !change->placed.empty()) REQUIRE(api_.renew_lease(name, lease));
        return;
      }
      default: {
        // A task that still waits is withdrawn. A placed task ends with its lease.
        const auto view = api_.task(name);
        if (view && view->state == scheduler::task_state::pending) REQUIRE(api_.end(name));
        return;
      }
    }
  }

  std::size_t poll() {
    scheduling::placement_watch watch{[&] { return std::make_shared<connection>(world_); }, position_};
    const auto update = watch.poll();
    REQUIRE(update);
    REQUIRE_FALSE(update->is_snapshot);
    position_ = watch.position();
    events_.insert(events_.end(), update->events.begin(), update->events.end());
    return update->events.size();
  }

  const cluster_trace* trace_;
  scheduling_world world_{1};
  connection api_{world_};
  std::size_t steps_ = 0;
  std::uint64_t position_ = 0;
  std::vector<numbered_event> events_;
};

/// The placements of a single scheduler without leases, which is told of the end of each task when the watcher learned
/// of it. Only the order of beginnings and ends comes from the watcher; the scheduler chooses the nodes.
std::vector<scheduler::placement> placements_without_leases(const cluster_trace& trace,
                                                            const std::vector<numbered_event>& events) {
  std::map<std::string, const scheduler::task_spec*> specs;
  std::map<std::string, const scheduler::node_spec*> nodes;
  for (const auto& task : trace.tasks)
    specs.emplace(task.spec.name, &task.spec);
  for (const auto& node : trace.nodes)
    nodes.emplace(node.name, &node);
  resource_scheduler machine;
  std::vector<scheduler::placement> made;
  std::set<std::string> placed;
  const auto execute = [&](const scheduler::operation& operation) {
    const auto change = scheduler::decode_change(machine.apply({}, scheduler::encode(operation)).payload);
    REQUIRE(change);
    for (const auto& each : change->placed) {
      placed.insert(each.task);
      made.push_back(each);
    }
  };
  for (const auto& [number, what] : events) {
    switch (what.kind) {
      case event_kind::node_registered:
        execute(scheduler::register_node{*nodes.at(what.node)});
        break;
      case event_kind::task_submitted:
        execute(scheduler::submit_task{*specs.at(what.task), {}, {}, false});
        break;
      case event_kind::task_waits:
        execute(scheduler::place_task{what.task});
        break;
      case event_kind::task_placed:
        // A task that waited is placed already, by the end of another one.
        if (!placed.contains(what.task)) execute(scheduler::place_task{what.task});
        break;
      default:
        execute(scheduler::end_task{what.task});
        break;
    }
  }
  return made;
}

/// Returns the number of placements of tasks that waited.
std::size_t check_trace(const cluster_trace& trace) {
  mesh_run mesh{trace};
  mesh.run();
  std::vector<scheduler::placement> watched;
  std::size_t expired = 0;
  std::size_t released = 0;
  std::size_t waited = 0;
  std::set<std::string> waiting;
  for (std::size_t index = 0; index < mesh.events().size(); ++index) {
    const auto& [number, what] = mesh.events()[index];
    CHECK(number == index + 1);
    if (what.kind == event_kind::task_placed) watched.push_back({what.task, what.node, what.gpus});
    if (what.kind == event_kind::task_expired) ++expired;
    if (what.kind == event_kind::task_released) ++released;
    if (what.kind == event_kind::task_waits) waiting.insert(what.task);
    if (what.kind == event_kind::task_placed) waited += waiting.erase(what.task);
  }
  const auto totals = mesh.machine().summary();
  CHECK(totals.event == mesh.events().size());
  // A task that the mesh saw waiting may be placed by the very write that ends it, and is then released.
  CHECK(expired + released == totals.released);
  CHECK(released < trace.tasks.size() / 100);
  CHECK(expired > trace.tasks.size() / 4);
  CHECK(watched == placements_without_leases(trace, mesh.events()));
  MESSAGE("tasks, placements, placements after waiting, expired leases, events: "
          << trace.tasks.size() << ", " << watched.size() << ", " << waited << ", " << expired << ", " << totals.event);
  return waited;
}

}  // namespace

TEST_CASE("a synthetic trace through leases and a watch gives the placements of a scheduler that is told of each end") {
  // Most machines are missing, so that many tasks wait for the end of a lease.
  auto trace = synthetic_trace(9, 30, 3'000);
  trace.nodes.resize(12);
  const auto waited = check_trace(trace);
  CHECK(waited > 100);
}

TEST_CASE("the real trace through leases and a watch gives the placements of a scheduler that is told of each end") {
  const auto folder = trace_folder();
  if (!folder) {
    MESSAGE("not run: the trace is not at ../shared/data of the repository");
    return;
  }
  const auto trace = read_trace(*folder / nodes_file_name, *folder / pods_file_name);
  REQUIRE(trace);
  check_trace(*trace);
}

}  // namespace hypermesh::testing
