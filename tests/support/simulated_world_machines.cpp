// The faults of the machines of a world: crashes, lost and lying disks, pauses, copies.
#include <algorithm>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/require.hpp"
#include "tests/support/simulated_world.hpp"

namespace hypermesh::testing {

namespace {

/// The largest difference between two wall clocks without a fault, as in a data centre whose NTP works badly.
constexpr duration clock_difference_max = 200ms;

caf::actor_id id_of(const node_actors& actors, node_part part) {
  switch (part) {
    case node_part::ingress:
      return actors.ingress.id();
    case node_part::client_ingress:
      return actors.client_ingress.id();
    case node_part::batcher:
      return actors.batcher.id();
    case node_part::replica:
      return actors.replica.id();
    case node_part::executor:
      return actors.executor.id();
    case node_part::checkpointer:
      return actors.checkpointer.id();
    case node_part::state_transfer:
      return actors.state_transfer.id();
    case node_part::coordinator:
      return actors.coordinator->id();
    case node_part::journal:
      return actors.journal.id();
  }
  return caf::invalid_actor_id;
}

}  // namespace

std::vector<endpoint> simulated_world::machines_of(replica_id id) const {
  std::vector<endpoint> all;
  if (!has_node(id)) return all;
  for (const bool is_copy : {false, true}) {
    const endpoint machine{principal::of(id), is_copy};
    if (nodes_.contains(machine) && !removed_.contains(machine)) all.push_back(machine);
  }
  return all;
}

const simulated_node* simulated_world::copy_of(replica_id id) const {
  const auto found = nodes_.find({principal::of(id), true});
  return found == nodes_.end() ? nullptr : &found->second;
}

void simulated_world::remove_node(replica_id id) {
  require(has_node(id) && copy_of(id) == nullptr, "a node is removed once");
  settings_.without_node.insert(id);
  removed_.insert(principal::of(id));
  network_.attach(principal::of(id), nullptr);
  auto& node = nodes_.at(principal::of(id));
  stop_node(node.actors);
  scheduler_.run_all();
  node = {};
}

// --- Crashes -----------------------------------------------------------------------

void simulated_world::crash(replica_id id) {
  for (const auto& each : machines_of(id))
    crash(each);
}

void simulated_world::crash(endpoint machine, bool power_lost) {
  if (is_down(machine)) return;
  const replica_id id{machine.who.number};
  auto& node = nodes_.at(machine);
  down_.insert(machine);
  network_.attach(machine, nullptr);
  for (std::size_t part = 0; part < node_parts_count; ++part)
    ++paused_[id_of(node.actors, static_cast<node_part>(part))];
  dead_.push_back(std::move(node.actors));
  node.actors = {};
  node.replica = nullptr;
  node.executor = nullptr;
  node.storage->on_write(nullptr);
  node.storage->on_killed(power_lost && settings_.disk != world_disk::rocksdb_async);
  if (node.storage->lose_lies() > 0) watcher_.on_faulty(principal::of(id), faulty_because::it_forgot);
  const auto machines = machines_of(id);
  if (std::ranges::all_of(machines, [this](const endpoint& each) { return is_down(each); })) tell_links(id, false);
}

void simulated_world::lose_power(replica_id id) {
  for (const auto& each : machines_of(id))
    crash(each, true);
}

void simulated_world::crash_in_write(replica_id id, write_fate fate) {
  for (const auto& each : machines_of(id))
    crash_in_write(each, fate);
}

void simulated_world::crash_in_write(endpoint machine, write_fate fate) {
  if (is_down(machine)) return;
  nodes_.at(machine).storage->on_write([this, machine, fate](std::size_t count) -> std::size_t {
    // An earlier write of this step has already killed the node.
    if (!dying_.insert(machine).second) return 0;
    // The frames that waited for this write must not leave.
    network_.silence(machine, true);
    if (fate == write_fate::kept) return count;
    if (fate == write_fate::torn) without_power_.insert(machine);
    return fate == write_fate::torn && count > 1 ? 1 + chance_.below(count - 1) : 0;
  });
}

void simulated_world::bury() {
  if (dying_.empty()) return;
  for (const auto& each : std::exchange(dying_, {}))
    crash(each, without_power_.erase(each) > 0);
}

void simulated_world::restart(replica_id id) {
  for (const auto& each : machines_of(id))
    restart(each);
}

void simulated_world::restart(endpoint machine) {
  if (!is_down(machine)) {
    // The planned crash inside a write is removed, because the write never came.
    if (const auto& disk = nodes_.at(machine).storage) disk->on_write(nullptr);
    return;
  }
  if (!start_node(machine)) return;
  down_.erase(machine);
  network_.silence(machine, false);
  connect(machine);
}

void simulated_world::connect(endpoint machine) {
  const auto& actors = nodes_.at(machine).actors;
  connect_node(actors);
  for (std::uint32_t number = 0; number < processes(); ++number) {
    const auto client = machine_of(client_id{number});
    caf::anon_send(actors.executor, client_link_opened{client_id{client.who.number}, network_.link(machine, client)});
  }
  tell_links(replica_id{machine.who.number}, true);
}

/// Tells the coordinators of the other replicas and all clients that links have closed or opened.
void simulated_world::tell_links(replica_id id, bool up) {
  for (const auto& [machine, each] : nodes_) {
    if (each.actors.coordinator) caf::anon_send(each.actors.coordinator, link_changed{id, up});
  }
  for (const auto& each : clients_)
    caf::anon_send(each.actor, link_changed{id, up});
}

// --- Wall clocks -------------------------------------------------------------------

std::shared_ptr<const wall_clock> simulated_world::clock_of(endpoint machine) {
  if (!settings_.has_wall_clocks) return nullptr;
  auto& clock = wall_clocks_[machine];
  if (clock != nullptr) return clock;
  // The clocks of the replicas differ by at most `clock_difference_max`. The seed of the keys draws the errors, so the
  // scheduling of a world does not depend on them.
  const auto number = 2 * std::uint64_t{machine.who.number} + (machine.is_copy ? 1 : 0);
  const auto drawn = splitmix64{settings_.key_seed ^ ((1 + number) << 40U)}.next();
  const duration error{static_cast<std::int64_t>(drawn % clock_difference_max.count())};
  clock = std::make_shared<simulated_wall_clock>([this] { return now(); }, error);
  return clock;
}

void simulated_world::step_wall_clock(replica_id id, duration by) {
  for (const auto& each : machines_of(id))
    wall_clocks_.at(each)->step(by);
}

// --- Disks -------------------------------------------------------------------------

void simulated_world::lose_disk(replica_id id) {
  for (const auto& each : machines_of(id)) {
    crash(each);
    auto& node = nodes_.at(each);
    node.storage = new_disk();
    node.is_learner = true;
  }
}

std::shared_ptr<inspected_storage> simulated_world::new_disk() {
  if (settings_.disk == world_disk::model) return std::make_shared<simulated_storage>();
  rocksdb_disk_settings wanted;
  wanted.mode = settings_.disk == world_disk::rocksdb_sync ? durability::sync : durability::async;
  wanted.seed = splitmix64{settings_.key_seed ^ (++disks_ << 32U)}.next();
  wanted.clock = [this] { return now(); };
  return std::make_shared<simulated_rocksdb>(std::move(wanted));
}

void simulated_world::trouble_disk(replica_id id, disk_trouble trouble) {
  for (const auto& each : machines_of(id)) {
    nodes_.at(each).storage->set_trouble(trouble);
    if (trouble != disk_trouble::none) {
      troubled_.insert(each);
    } else {
      troubled_.erase(each);
    }
  }
}

bool simulated_world::fails_as_expected(endpoint machine, const observation& what) {
  if (!std::holds_alternative<node_failed>(what) || !troubled_.contains(machine)) return false;
  // The product stops a node whose disk fails.
  dying_.insert(machine);
  network_.silence(machine, true);
  return true;
}

void simulated_world::damage_disk(replica_id id) {
  for (const auto& each : machines_of(id)) {
    crash(each);
    (void)nodes_.at(each).storage->damage(chance_.next());
  }
}

void simulated_world::let_disk_lie(replica_id id, std::size_t changes) {
  for (const auto& each : machines_of(id))
    nodes_.at(each).storage->lie_about(changes);
}

// --- Copies ------------------------------------------------------------------------

void simulated_world::add_copy(replica_id id, bool with_its_disk) {
  const endpoint first{principal::of(id)};
  const endpoint second{principal::of(id), true};
  if (!has_node(id) || nodes_.contains(second)) return;
  watcher_.on_faulty(principal::of(id), faulty_because::it_was_copied);
  if (with_its_disk) nodes_[second].storage = nodes_.at(first).storage->copy();
  if (start_node(second)) return connect(second);
  // The recovery refuses the copied disk, so the second machine never runs.
  removed_.insert(second);
}

void simulated_world::remove_machine(endpoint machine) {
  if (!nodes_.contains(machine)) return;
  crash(machine);
  removed_.insert(machine);
}

// --- Pauses ------------------------------------------------------------------------

void simulated_world::pause(replica_id id, node_part part) {
  for (const auto& each : machines_of(id)) {
    if (!is_down(each)) ++paused_[id_of(nodes_.at(each).actors, part)];
  }
}

void simulated_world::resume(replica_id id, node_part part) {
  for (const auto& each : machines_of(id)) {
    if (is_down(each)) continue;
    const auto found = paused_.find(id_of(nodes_.at(each).actors, part));
    if (found != paused_.end() && --found->second == 0) paused_.erase(found);
  }
}

}  // namespace hypermesh::testing
