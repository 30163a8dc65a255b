#include "tests/support/simulated_world.hpp"

#include <algorithm>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/require.hpp"
#include "tests/support/virtual_actor.hpp"

namespace hypermesh::testing {

namespace {

/// The state inside of an actor; valid while the actor lives.
template <class State, class Handle>
State* state_of(const Handle& actor) {
  using pointer = typename Handle::template stateful_pointer<State>;
  auto* typed = dynamic_cast<pointer>(caf::actor_cast<caf::abstract_actor*>(actor));
  require(typed != nullptr, "the actor has the state that its name says");
  return &typed->state;
}

/// No timestamp of a simulated client was used before the world began.
constexpr timestamp first_timestamp{1};

caf::actor_id id_of(const neighbours& actors, node_part part) {
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
  nodes_.resize(settings_.cluster.replicas);
  clients_.resize(settings_.cluster.clients);
  for (std::uint32_t number = 0; number < settings_.cluster.replicas; ++number) {
    if (has_node(replica_id{number})) start_node(replica_id{number});
  }
  for (std::uint32_t number = 0; number < settings_.cluster.clients; ++number)
    start_client(client_id{number});
  for (const auto& each : nodes_) {
    if (each.replica != nullptr) connect_node(each.actors);
  }
  // CAF makes an actor's behaviour, and with it our state, when the actor first runs.
  scheduler_.run_all();
}

simulated_world::~simulated_world() {
  // What actors still do while they end is of no interest, and whoever watched may be half gone.
  ending_ = true;
  network_.on_sent(nullptr);
  network_.on_delivered(nullptr);
  network_.set_judge(nullptr);
  for (const auto& each : nodes_) {
    if (each.replica != nullptr) stop_node(each.actors);
  }
  for (const auto& each : dead_)
    stop_node(each);
  for (const auto& each : clients_)
    caf::anon_send_exit(each.actor, caf::exit_reason::user_shutdown);
  scheduler_.run_all();
}

void simulated_world::start_node(replica_id id) {
  const auto self = principal::of(id);
  auto& node = nodes_[id.value];
  if (node.storage == nullptr) node.storage = std::make_shared<simulated_storage>();
  node_parts parts;
  parts.identity = {settings_.cluster, id, keys_.of(self)};
  parts.settings = settings_.node;
  parts.storage = node.storage;
  auto restored = restore_node(parts.identity, *node.storage, settings_.machine());
  if (const auto* error = std::get_if<world_error>(&restored)) return watcher_.on_actor_died(self, error->what);
  parts.restored = std::move(std::get<restored_node>(restored));
  watcher_.on_started(id, parts.restored.past.replica);
  parts.monitor = spawn_virtual<monitor_actor>(scheduler_.system(), [this, id](const caf::type_erased_tuple& content) {
    const auto* seen = message_if<observed>(content);
    if (seen != nullptr && !ending_ && !is_down(id) && !dying_.contains(id)) watcher_.on_observed(id, seen->what);
  });
  node.actors = spawn_node(scheduler_.system(), std::move(parts));
  for (std::uint32_t other = 0; other < settings_.cluster.replicas; ++other) {
    if (other != id.value) node.actors.peers[other] = network_.link(self, principal::of(replica_id{other}));
  }
  node.replica = state_of<replica_state>(node.actors.replica);
  node.executor = state_of<executor_state>(node.actors.executor);
  network_.attach(self, [with = node.actors](const incoming_frame& frame) {
    caf::anon_send(frame.sender.is_client() ? with.client_ingress : with.ingress, frame);
  });
  const auto& actors = node.actors;
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.ingress));
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.client_ingress));
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.batcher));
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.replica));
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.coordinator));
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.executor));
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.checkpointer));
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.state_transfer));
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(actors.journal));
}

void simulated_world::start_client(client_id id) {
  const auto self = principal::of(id);
  auto& started = clients_[id.value];
  client_identity identity{settings_.cluster, id, keys_.of(self), first_timestamp};
  started.actor = scheduler_.system().spawn(client, std::move(identity), settings_.client);
  started.state = state_of<client_state>(started.actor);
  watch_death(self, caf::actor_cast<caf::strong_actor_ptr>(started.actor));
  network_.attach(self, [actor = started.actor](const incoming_frame& frame) { caf::anon_send(actor, frame); });
  auto peers = std::make_shared<std::vector<peer_actor>>();
  for (std::uint32_t number = 0; number < settings_.cluster.replicas; ++number) {
    const auto replica = principal::of(replica_id{number});
    peers->push_back(network_.link(self, replica));
    if (nodes_[number].replica == nullptr) continue;
    caf::anon_send(nodes_[number].actors.executor, session_opened{id, network_.link(replica, self)});
  }
  caf::anon_send(started.actor, client_links{std::move(peers)});
}

void simulated_world::watch_death(principal who, const caf::strong_actor_ptr& actor) {
  const std::string name = static_cast<caf::monitorable_actor*>(actor->get())->name();
  actor->get()->attach_functor([this, who, name](const caf::error& reason) {
    const bool was_removed = who.is_replica() && !has_node(replica_id{who.number});
    if (!ending_ && !was_removed) watcher_.on_actor_died(who, name + ": " + caf::to_string(reason));
  });
}

void simulated_world::remove_node(replica_id id) {
  require(has_node(id), "a node is removed once");
  settings_.without_node.insert(id);
  network_.attach(principal::of(id), nullptr);
  stop_node(nodes_[id.value].actors);
  scheduler_.run_all();
  nodes_[id.value] = {};
}

void simulated_world::crash(replica_id id) {
  if (!has_node(id) || is_down(id)) return;
  auto& node = nodes_[id.value];
  down_.insert(id);
  network_.attach(principal::of(id), nullptr);
  for (std::size_t part = 0; part < node_parts_count; ++part)
    paused_.insert(id_of(node.actors, static_cast<node_part>(part)));
  dead_.push_back(std::move(node.actors));
  node.actors = {};
  node.replica = nullptr;
  node.executor = nullptr;
  node.storage->on_write(nullptr);
  tell_links(id, false);
}

void simulated_world::crash_in_write(replica_id id, bool becomes_durable) {
  if (!has_node(id) || is_down(id)) return;
  nodes_[id.value].storage->on_write([this, id, becomes_durable] {
    // Nothing that the write would have let out leaves any more.
    network_.silence(principal::of(id), true);
    dying_.insert(id);
    return becomes_durable;
  });
}

void simulated_world::bury() {
  for (const auto id : std::exchange(dying_, {}))
    crash(id);
}

void simulated_world::restart(replica_id id) {
  if (!is_down(id)) {
    // A crash that waited for a write which never came.
    if (has_node(id)) nodes_[id.value].storage->on_write(nullptr);
    return;
  }
  down_.erase(id);
  network_.silence(principal::of(id), false);
  start_node(id);
  if (nodes_[id.value].replica == nullptr) return;
  connect_node(nodes_[id.value].actors);
  for (std::uint32_t number = 0; number < settings_.cluster.clients; ++number) {
    const auto link = network_.link(principal::of(id), principal::of(client_id{number}));
    caf::anon_send(nodes_[id.value].actors.executor, session_opened{client_id{number}, link});
  }
  tell_links(id, true);
}

/// Closed links are noticed: the others' coordinators and all clients hear of it.
void simulated_world::tell_links(replica_id id, bool up) {
  for (const auto& each : nodes_) {
    if (each.actors.coordinator) caf::anon_send(each.actors.coordinator, link_changed{id, up});
  }
  for (const auto& each : clients_)
    caf::anon_send(each.actor, link_changed{id, up});
}

std::optional<microseconds_t> simulated_world::next_event() const {
  auto earliest = scheduler_.next_timer();
  const auto consider = [&](std::optional<microseconds_t> time) {
    if (time && (!earliest || *time < *earliest)) earliest = time;
  };
  consider(network_.next_arrival());
  if (!plans_.empty()) consider(plans_.begin()->first);
  return earliest;
}

/// Makes one of the things happen that are due now.
void simulated_world::happen_next() {
  if (!plans_.empty() && plans_.begin()->first <= now()) {
    const auto what = std::move(plans_.begin()->second);
    plans_.erase(plans_.begin());
    what();
  } else if (network_.next_arrival().value_or(now() + 1) <= now()) {
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
  return !runnable_.empty() || next_event().value_or(now() + 1) <= now();
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
  const bool arrives = network_.next_arrival().value_or(now() + 1) <= now();
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

void simulated_world::run_until(microseconds_t time) {
  while (is_busy() || next_event().value_or(time + 1) <= time)
    step();
  if (now() < time) scheduler_.advance_to(time);
}

void simulated_world::pause(replica_id id, node_part part) {
  if (has_node(id) && !is_down(id)) paused_.insert(id_of(node(id).actors, part));
}

void simulated_world::resume(replica_id id, node_part part) {
  if (has_node(id) && !is_down(id)) paused_.erase(id_of(node(id).actors, part));
}

void simulated_world::plan(microseconds_t time, std::function<void()> what) {
  require(time >= now(), "what is planned lies ahead");
  plans_.emplace(time, std::move(what));
}

void simulated_world::submit(client_id client, byte_vector operation, completion done) {
  caf::anon_send(clients_.at(client.value).actor,
                 submit_operation{std::move(operation), std::make_shared<const completion>(std::move(done))});
}

}  // namespace hypermesh::testing
