#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/client.hpp"
#include "actors/executor.hpp"
#include "actors/interfaces.hpp"
#include "actors/replica.hpp"
#include "runtime/wiring.hpp"
#include "tests/support/keyed_authenticator.hpp"
#include "tests/support/simulated_network.hpp"
#include "tests/support/simulated_storage.hpp"
#include "tests/support/virtual_scheduler.hpp"

namespace hypermesh::testing {

struct world_settings {
  /// Seeds the keys; `cluster.signing` is part of the settings.
  std::uint64_t key_seed = 1;
  cluster_parameters cluster;
  node_settings node;
  client_settings client;
  network_faults faults;
  /// Makes the machine of each replica.
  std::function<std::unique_ptr<state_machine>()> machine;
  /// Whether any actor with mail may run next; otherwise first come, first served.
  bool shuffles = true;
  /// Replicas without a node: frames to them end, and whoever holds their keys speaks for them.
  std::set<replica_id> without_node;
};

/// The actors of a node that work for it.
enum class node_part : std::uint8_t {
  ingress,
  client_ingress,
  batcher,
  replica,
  executor,
  checkpointer,
  state_transfer,
  journal,
  coordinator
};
inline constexpr std::size_t node_parts_count = 9;

/// Learns of everything that happens, in the step in which it happens.
class world_watcher {
 public:
  virtual ~world_watcher() = default;

  virtual void on_observed(replica_id replica, const observation& what) = 0;
  virtual void on_sent(const frame_transit& transit) = 0;
  virtual void on_delivered(const frame_transit& transit) = 0;
  /// A node starts, for the first time or after a crash, with what its disk remembers.
  virtual void on_started(replica_id, const recovered_replica&) {}
  /// An actor ended before the world did: an exception or an unhandled error.
  virtual void on_actor_died(principal who, const std::string& reason) = 0;
};

/// One node of the world. The states are those of its actors, for looking only.
struct simulated_node {
  neighbours actors;
  std::shared_ptr<simulated_storage> storage;
  const replica_state* replica = nullptr;
  executor_state* executor = nullptr;
};

/// A whole cluster with its clients, network and disks on one thread: the product's actors, with nothing
/// replaced but the ports. Everything that happens is a function of the settings and of `chance`.
class simulated_world {
 public:
  /// `chance` and `watcher` outlive the world.
  simulated_world(world_settings settings, splitmix64& chance, world_watcher& watcher);
  ~simulated_world();
  simulated_world(const simulated_world&) = delete;
  simulated_world& operator=(const simulated_world&) = delete;

  /// Runs one message of one actor, or delivers one frame, or makes one plan happen, or moves time to the next
  /// of them. False when nothing will ever happen again.
  bool step();
  /// Steps without moving time until nothing is left to do now.
  void settle();
  /// Steps until everything before `time` has happened, and stops at `time`.
  void run_until(microseconds_t time);

  /// The node of a replica stops this moment, like a process that is killed: what its disk holds stays, its mail and
  /// its memory are gone. Its links close.
  void crash(replica_id id);
  /// The same in its next write to disk, before or after it is durable: what should leave behind it does not.
  void crash_in_write(replica_id id, bool becomes_durable);
  /// A crashed node starts again from its disk.
  void restart(replica_id id);
  [[nodiscard]] bool is_down(replica_id id) const { return down_.contains(id); }

  /// Ends the node of a replica for good; whoever holds its keys speaks for it from now on.
  void remove_node(replica_id id);

  /// From now on an actor handles nothing, like one whose disk or processor is slow; its mail waits.
  void pause(replica_id id, node_part part);
  void resume(replica_id id, node_part part);

  /// Calls `what` at `time`, which is not past.
  void plan(microseconds_t time, std::function<void()> what);
  /// Hands an operation to a client; `done` gets its outcome.
  void submit(client_id client, byte_vector operation, completion done);

  [[nodiscard]] microseconds_t now() const { return scheduler_.now(); }
  [[nodiscard]] const world_settings& settings() const { return settings_; }
  [[nodiscard]] simulated_network& network() { return network_; }
  [[nodiscard]] const key_ring& keys() const { return keys_; }
  [[nodiscard]] const simulated_node& node(replica_id id) const { return nodes_.at(id.value); }
  [[nodiscard]] bool has_node(replica_id id) const { return !settings_.without_node.contains(id); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] const client_core& core_of(client_id id) const { return *clients_.at(id.value).state->core; }

 private:
  struct simulated_client {
    client_actor actor;
    const client_state* state = nullptr;
  };

  void start_node(replica_id id);
  void tell_links(replica_id id, bool up);
  void bury();
  void start_client(client_id id);
  void watch_death(principal who, const caf::strong_actor_ptr& actor);
  void happen_next();
  /// Whether there is anything to do now without moving time.
  [[nodiscard]] bool is_busy();
  /// The jobs whose actors are not paused, into `runnable_`.
  void find_runnable();
  [[nodiscard]] std::optional<microseconds_t> next_event() const;

  world_settings settings_;
  splitmix64& chance_;
  world_watcher& watcher_;
  key_ring keys_;
  virtual_scheduler scheduler_;
  simulated_network network_;
  std::vector<simulated_node> nodes_;
  std::vector<simulated_client> clients_;
  std::multimap<microseconds_t, std::function<void()>> plans_;
  std::set<caf::actor_id> paused_;
  std::set<replica_id> down_;
  /// Crashed inside a write, in the present step.
  std::set<replica_id> dying_;
  /// Actors of nodes that crashed: they never run again.
  std::vector<neighbours> dead_;
  std::vector<std::size_t> runnable_;
  std::uint64_t steps_ = 0;
  bool ending_ = false;
};

}  // namespace hypermesh::testing
