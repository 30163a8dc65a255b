#include "tests/support/simulated_world.hpp"

#include <algorithm>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/require.hpp"
#include "tests/support/virtual_actor.hpp"

namespace hypermesh::testing {

namespace {

/// The state inside of an actor. The pointer is valid while the actor lives.
template <class State, class Handle>
State* state_of(const Handle& actor) {
  using pointer = typename Handle::template stateful_pointer<State>;
  auto* typed = dynamic_cast<pointer>(caf::actor_cast<caf::abstract_actor*>(actor));
  require(typed != nullptr, "the actor has the state that its name says");
  return &typed->state;
}

}  // namespace

simulated_world::simulated_world(world_settings settings, splitmix64& chance, world_watcher& watcher)
    : settings_(std::move(settings)),
      chance_(chance),
      watcher_(watcher),
      keys_(settings_.key_seed, settings_.cluster.replicas, settings_.cluster.clients),
      network_(scheduler_, chance) {
  require(settings_.cluster.is_valid() && settings_.machine != nullptr, "a world is of a possible cluster");
  network_.set_faults(settings_.faults);
  network_.on_sent([this](const frame_transit& transit) { watcher_.on_sent(transit); });
  network_.on_delivered([this](const frame_transit& transit) { watcher_.on_delivered(transit); });
  clients_.resize(settings_.cluster.clients * (settings_.clients_run_twice ? 2 : 1));
  for (std::uint32_t number = 0; number < settings_.cluster.replicas; ++number) {
    const replica_id id{number};
    nodes_[principal::of(id)] = {};
    if (has_node(id)) require(start_node(principal::of(id)), "an empty disk is trusted");
  }
  for (std::uint32_t number = 0; number < processes(); ++number)
    start_client(client_id{number});
  for (const auto& [machine, each] : nodes_) {
    if (each.replica != nullptr) connect_node(each.actors);
  }
  // CAF creates an actor's behaviour when the actor first runs, and our state is created with it.
  scheduler_.run_all();
}

simulated_world::~simulated_world() {
  // From now on the acts of ending actors are ignored, because their observer may be partly destroyed.
  ending_ = true;
  network_.on_sent(nullptr);
  network_.on_delivered(nullptr);
  network_.set_judge(nullptr);
  for (const auto& [machine, each] : nodes_) {
    if (each.replica != nullptr) stop_node(each.actors);
  }
  for (const auto& each : dead_)
    stop_node(each);
  for (const auto& each : clients_)
    caf::anon_send_exit(each.actor, caf::exit_reason::user_shutdown);
  scheduler_.run_all();
}

bool simulated_world::start_node(endpoint machine) {
  const auto self = machine.who;
  const replica_id id{self.number};
  auto& node = nodes_[machine];
  if (node.storage == nullptr) node.storage = new_disk();
  node_parts parts;
  parts.identity = {settings_.cluster, id, keys_.of(self), clock_of(machine)};
  parts.settings = settings_.node;
  parts.storage = node.storage;
  auto restored = restore_node(parts.identity, *node.storage, settings_.machine());
  if (!restored) {
    // The node starts again when its disk works again.
    if (troubled_.contains(machine)) return false;
    if (node.storage->was_refused_for_damage()) watcher_.on_faulty(self, faulty_because::its_disk_is_damaged);
    watcher_.on_start_refused(machine, restored.error());
    return false;
  }
  parts.restored = std::move(*restored);
  auto& past = parts.restored.past.replica;
  past.on_probation = node.is_learner && !past.readmitted;
  watcher_.on_started(machine, past);
  parts.monitor =
      spawn_virtual<monitor_actor>(scheduler_.system(), [this, machine](const caf::type_erased_tuple& content) {
        const auto* seen = message_if<observed>(content);
        const bool lives = !ending_ && !is_down(machine) && !dying_.contains(machine) && !removed_.contains(machine);
        if (seen != nullptr && lives && !fails_as_expected(machine, seen->what)) {
          watcher_.on_observed(machine, seen->what);
        }
      });
  node.actors = spawn_node(scheduler_.system(), std::move(parts));
  for (std::uint32_t other = 0; other < settings_.cluster.replicas; ++other) {
    if (other != id.value) node.actors.peers[other] = network_.link(machine, principal::of(replica_id{other}));
  }
  node.replica = state_of<replica_state>(node.actors.replica);
  node.executor = state_of<executor_state>(node.actors.executor);
  network_.attach(machine, [with = node.actors](const incoming_frame& frame) {
    caf::anon_send(frame.sender.is_client() ? with.client_ingress : with.ingress, frame);
  });
  const auto& actors = node.actors;
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.ingress));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.client_ingress));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.batcher));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.replica));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.coordinator));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.fault_detector));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.reputation_tracker));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.executor));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.checkpointer));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.state_transfer));
  watch_death(machine, caf::actor_cast<caf::strong_actor_ptr>(actors.journal));
  return true;
}

endpoint simulated_world::machine_of(client_id process) const {
  const auto clients = settings_.cluster.clients;
  return {principal::of(client_id{process.value % clients}), process.value >= clients};
}

void simulated_world::start_client(client_id process) {
  const auto self = machine_of(process);
  const client_id id{self.who.number};
  auto& started = clients_[process.value];
  auto settings = settings_.client;
  // The two processes of a client try the same session first, as if both randomness and clock had failed.
  settings.sampling_seed += process.value;
  client_identity identity{settings_.cluster, id, keys_.of(self.who), timestamp{1}, settings_.first_session};
  started.actor = scheduler_.system().spawn(client, std::move(identity), settings);
  started.state = state_of<client_state>(started.actor);
  watch_death(self.who, caf::actor_cast<caf::strong_actor_ptr>(started.actor));
  network_.attach(self, [actor = started.actor](const incoming_frame& frame) { caf::anon_send(actor, frame); });
  auto peers = std::make_shared<std::vector<peer_actor>>();
  for (std::uint32_t number = 0; number < settings_.cluster.replicas; ++number) {
    const auto replica = principal::of(replica_id{number});
    peers->push_back(network_.link(self, replica));
    const auto& node = nodes_.at(replica);
    if (node.replica == nullptr) continue;
    caf::anon_send(node.actors.executor, client_link_opened{id, network_.link(replica, self)});
  }
  caf::anon_send(started.actor, client_links{std::move(peers)});
}

void simulated_world::watch_death(endpoint machine, const caf::strong_actor_ptr& actor) {
  const std::string name = static_cast<caf::monitorable_actor*>(actor->get())->name();
  actor->get()->attach_functor([this, machine, name](const caf::error& reason) {
    if (!ending_ && !removed_.contains(machine)) {
      watcher_.on_actor_died(machine.who, name + ": " + caf::to_string(reason));
    }
  });
}

std::optional<moment> simulated_world::next_event() const {
  auto earliest = scheduler_.next_timer();
  const auto consider = [&](std::optional<moment> time) {
    if (time && (!earliest || *time < *earliest)) earliest = time;
  };
  consider(network_.next_arrival());
  if (!plans_.empty()) consider(plans_.begin()->first);
  return earliest;
}

/// Makes one of the events happen that are due now.
void simulated_world::happen_next() {
  if (!plans_.empty() && plans_.begin()->first <= now()) {
    const auto what = std::move(plans_.begin()->second);
    plans_.erase(plans_.begin());
    what();
  } else if (network_.next_arrival().value_or(now() + 1us) <= now()) {
    network_.deliver_next();
  } else {
    scheduler_.advance_to(now());
  }
}

void simulated_world::find_runnable() {
  runnable_.clear();
  for (std::size_t index = 0; index < scheduler_.jobs(); ++index) {
    if (paused_.empty() || !paused_.contains(scheduler_.actor_of(index))) runnable_.push_back(index);
  }
}

bool simulated_world::is_busy() {
  find_runnable();
  return !runnable_.empty() || next_event().value_or(now() + 1us) <= now();
}

bool simulated_world::step() {
  ++steps_;
  find_runnable();
  if (runnable_.empty()) {
    const auto next = next_event();
    if (!next) return false;
    if (*next > now()) scheduler_.advance_to(*next);
    find_runnable();
    if (runnable_.empty()) happen_next();
    return true;
  }
  if (!settings_.shuffles && paused_.empty()) {
    scheduler_.run_next();
    bury();
    return true;
  }
  // A frame that is due may arrive before or after any of the waiting messages is handled.
  const bool arrives = network_.next_arrival().value_or(now() + 1us) <= now();
  const auto choices = runnable_.size() + (arrives ? 1 : 0);
  const auto chosen = settings_.shuffles ? chance_.below(choices) : 0;
  if (chosen == runnable_.size()) {
    network_.deliver_next();
  } else {
    scheduler_.run_job(runnable_[chosen]);
  }
  bury();
  return true;
}

void simulated_world::settle() {
  while (is_busy())
    step();
}

void simulated_world::run_until(moment time) {
  while (is_busy() || next_event().value_or(time + 1us) <= time)
    step();
  if (now() < time) scheduler_.advance_to(time);
}

void simulated_world::plan(moment time, std::function<void()> what) {
  require(time >= now(), "what is planned lies ahead");
  plans_.emplace(time, std::move(what));
}

void simulated_world::query(client_id client, byte_vector operation, read_mode mode, completion done) {
  caf::anon_send(
      clients_.at(client.value).actor,
      query_operation{std::move(operation), std::make_shared<const completion>(std::move(done)), mode, false});
}

void simulated_world::submit(client_id client, byte_vector operation, completion done) {
  caf::anon_send(clients_.at(client.value).actor,
                 submit_operation{std::move(operation), std::make_shared<const completion>(std::move(done))});
}

}  // namespace hypermesh::testing
