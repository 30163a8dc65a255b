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
#include "tests/support/simulated_rocksdb.hpp"
#include "tests/support/simulated_storage.hpp"
#include "tests/support/virtual_scheduler.hpp"

namespace hypermesh::testing {

class simulated_adversary;

/// The kind of disk that the nodes of a world use.
enum class world_disk : std::uint8_t {
  /// `simulated_storage`.
  model,
  /// The product's storage in one of its modes, with its files in memory.
  rocksdb_sync,
  rocksdb_async,
};

struct world_settings {
  /// Seeds the keys; `cluster.signing` is part of the settings.
  std::uint64_t key_seed = 1;
  cluster_parameters cluster;
  node_settings node;
  client_settings client;
  /// Each client's key is used by two processes at once. Process p is of client p mod c, of c clients.
  bool clients_run_twice = false;
  /// The session that every process tries first; 0: all are clients as in §4.1, which need no session.
  session_id first_session{1};
  network_faults faults;
  world_disk disk = world_disk::model;
  /// Makes the machine of each replica.
  std::function<std::unique_ptr<state_machine>()> machine;
  /// Whether any actor with mail may run next; otherwise first come, first served.
  bool shuffles = true;
  /// Replicas without a node: frames to them are dropped, and a holder of their keys can send in their name.
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

/// Why a member counts as faulty although its actors are the product's.
enum class faulty_because : std::uint8_t {
  /// Its disk lost changes that it had reported as durable.
  it_forgot,
  /// Two machines have its key.
  it_was_copied,
  /// An adversary has its frames in hand.
  it_misbehaves,
  /// Bytes of its disk changed, and it noticed and does not start.
  its_disk_is_damaged
};

/// Receives every event of the world in the step in which it occurs.
class world_watcher {
 public:
  virtual ~world_watcher() = default;

  virtual void on_observed(endpoint machine, const observation& what) = 0;
  virtual void on_sent(const frame_transit& transit) = 0;
  virtual void on_delivered(const frame_transit& transit) = 0;
  /// A node starts, for the first time or after a crash, with the content of its disk.
  virtual void on_started(endpoint, const recovered_replica&) {}
  /// A node does not start, because its disk cannot be trusted.
  virtual void on_start_refused(endpoint machine, const world_error& why) = 0;
  /// From now on the member may send anything; a replica is one of the f.
  virtual void on_faulty(principal, faulty_because) {}
  /// An actor ended before the world did: an exception or an unhandled error.
  virtual void on_actor_died(principal who, const std::string& reason) = 0;
};

/// One node of the world. The states are those of its actors, for looking only.
struct simulated_node {
  node_actors actors;
  std::shared_ptr<inspected_storage> storage;
  /// Its disk was lost once, so it starts on probation until the new disk records the end of it.
  bool is_learner = false;
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

  /// The node of a replica stops at once, like a killed process: the content of its disk stays, its mail and its
  /// memory are gone. Its links close.
  void crash(replica_id id);
  /// The same in its next write to disk: the frames that wait for that write do not leave.
  void crash_in_write(replica_id id, write_fate fate);
  /// A crashed node starts again from its disk. A node with a disk that refuses to open stays down.
  void restart(replica_id id);
  /// The node is killed and its disk is gone; it starts again with an empty one, on probation.
  void lose_disk(replica_id id);
  /// The machine of a replica loses power, and its disk the unsynced changes.
  void lose_power(replica_id id);
  /// From now on the disk of a replica is in this trouble; a node that meets it stops.
  void trouble_disk(replica_id id, disk_trouble trouble);
  /// The node is killed, and bytes of its disk change. After the restart it notices that, or it does not need those
  /// bytes.
  void damage_disk(replica_id id);
  /// From now on the disk reports its last `changes` as durable too early: a kill loses them. 0: none.
  void let_disk_lie(replica_id id, std::size_t changes);
  [[nodiscard]] bool is_down(endpoint machine) const { return down_.contains(machine); }

  /// A second machine starts with the replica's key, beside the first: with a disk of its own, which is empty or holds
  /// the same. Further faults of the replica apply to both machines.
  void add_copy(replica_id id, bool with_its_disk);
  /// One of the two machines of a replica ends for good.
  void remove_machine(endpoint machine);

  /// From now on an adversary stands between a member and its links: `strategy` as `make_adversary` understands it. The
  /// second machine of a replica is left alone.
  void misbehave(principal who, const std::string& strategy);
  /// The adversary leaves; its effects stay.
  void behave(principal who);

  /// Ends the node of a replica for good; a holder of its keys can send in its name from now on.
  void remove_node(replica_id id);

  /// From now on an actor handles nothing, like one whose disk or processor is slow; its mail waits. It
  /// continues when each of its pauses has ended.
  void pause(replica_id id, node_part part);
  void resume(replica_id id, node_part part);

  /// Calls `what` at `time`, which must not be past.
  void plan(microseconds_t time, std::function<void()> what);
  /// Hands an operation to a process of a client; `done` gets its outcome.
  void submit(client_id process, byte_vector operation, completion done);
  /// The same for a read that is not ordered.
  void query(client_id process, byte_vector operation, completion done);

  [[nodiscard]] microseconds_t now() const { return scheduler_.now(); }
  [[nodiscard]] const world_settings& settings() const { return settings_; }
  [[nodiscard]] simulated_network& network() { return network_; }
  [[nodiscard]] const key_ring& keys() const { return keys_; }
  /// The node of a replica; of two, the first one.
  [[nodiscard]] const simulated_node& node(replica_id id) const { return nodes_.at(principal::of(id)); }
  /// The second node; null when there is one only.
  [[nodiscard]] const simulated_node* copy_of(replica_id id) const;
  [[nodiscard]] bool has_node(replica_id id) const { return !settings_.without_node.contains(id); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] const client_core& core_of(client_id process) const { return *clients_.at(process.value).state->core; }
  /// Of all clients.
  [[nodiscard]] std::uint32_t processes() const { return static_cast<std::uint32_t>(clients_.size()); }

 private:
  struct simulated_client {
    client_actor actor;
    const client_state* state = nullptr;
  };

  /// False when its disk cannot be trusted.
  bool start_node(endpoint machine);
  /// A node that started gets its links.
  void connect(endpoint machine);
  void crash(endpoint machine, bool power_lost = false);
  [[nodiscard]] std::shared_ptr<inspected_storage> new_disk();
  /// A node reports that it failed; true if that was expected, so that it just ends.
  bool fails_as_expected(endpoint machine, const observation& what);
  void crash_in_write(endpoint machine, write_fate fate);
  void restart(endpoint machine);
  /// Those that the replica has.
  [[nodiscard]] std::vector<endpoint> machines_of(replica_id id) const;
  void tell_links(replica_id id, bool up);
  void bury();
  void tick_adversary(const std::weak_ptr<simulated_adversary>& who);
  void start_client(client_id process);
  [[nodiscard]] endpoint machine_of(client_id process) const;
  void watch_death(endpoint machine, const caf::strong_actor_ptr& actor);
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
  /// One for each replica, and one more for each that was copied.
  std::map<endpoint, simulated_node> nodes_;
  /// One for each process.
  std::vector<simulated_client> clients_;
  std::multimap<microseconds_t, std::function<void()>> plans_;
  /// How many hold up each actor.
  std::map<caf::actor_id, std::size_t> paused_;
  std::set<endpoint> down_;
  /// Ended for good.
  std::set<endpoint> removed_;
  std::map<principal, std::shared_ptr<simulated_adversary>> adversaries_;
  /// Replicas that misbehave or did so.
  std::shared_ptr<std::set<replica_id>> accomplices_ = std::make_shared<std::set<replica_id>>();
  /// Crashed inside a write, in the present step.
  std::set<endpoint> dying_;
  /// Their disks are in trouble.
  std::set<endpoint> troubled_;
  /// Number of the next disk.
  std::uint64_t disks_ = 0;
  /// Those of them whose machine loses power with it.
  std::set<endpoint> without_power_;
  /// Actors of nodes that crashed: they never run again.
  std::vector<node_actors> dead_;
  std::vector<std::size_t> runnable_;
  std::uint64_t steps_ = 0;
  bool ending_ = false;
};

}  // namespace hypermesh::testing
