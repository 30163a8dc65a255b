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
#include "tests/support/simulated_wall_clock.hpp"
#include "tests/support/virtual_scheduler.hpp"

namespace hypermesh::testing {

class simulated_adversary;

/// The kind of disk that the nodes of a world use.
enum class world_disk : std::uint8_t {
  /// The model `simulated_storage`.
  model,
  /// The product's storage in one of its modes, with its files in memory.
  rocksdb_sync,
  rocksdb_async,
};

struct world_settings {
  /// The seed of the keys. `cluster.signing` is one of the settings.
  std::uint64_t key_seed = 1;
  cluster_parameters cluster;
  node_settings node;
  client_settings client;
  /// Two processes use each client's key at once. With c clients, process p belongs to client p mod c.
  bool clients_run_twice = false;
  /// The session that every process tries first. With 0, all clients work as in §4.1, without sessions.
  session_id first_session{1};
  network_faults faults;
  world_disk disk = world_disk::model;
  /// Makes the machine of each replica.
  std::function<std::unique_ptr<state_machine>()> machine;
  /// Whether the machines have wall clocks. Without them, batches have no time.
  bool has_wall_clocks = true;
  /// Whether any actor with messages may run next. If not, the actors run in the order of their messages.
  bool shuffles = true;
  /// Replicas without a node. Frames to them are dropped, and a test that has their keys can send in their name.
  std::set<replica_id> without_node;
};

/// The parts of a node: its actors.
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

/// The reason why a member counts as faulty although it runs the product's actors.
enum class faulty_because : std::uint8_t {
  /// Its disk lost changes that it had reported as durable.
  it_forgot,
  /// Two machines have its key.
  it_was_copied,
  /// An adversary controls its frames.
  it_misbehaves,
  /// Bytes of its disk changed. The node has detected this and does not start.
  its_disk_is_damaged
};

/// Receives every event of the world in the step in which the event happens.
class world_watcher {
 public:
  virtual ~world_watcher() = default;

  virtual void on_observed(endpoint machine, const observation& what) = 0;
  virtual void on_sent(const frame_transit& transit) = 0;
  virtual void on_delivered(const frame_transit& transit) = 0;
  /// A node starts with the content of its disk, for the first time or after a crash.
  virtual void on_started(endpoint, const recovered_replica&) {}
  /// A node does not start, because the recovery refuses the content of its disk: `why`.
  virtual void on_start_refused(endpoint machine, const world_error& why) = 0;
  /// From now on the member may send anything. A replica counts as one of the f faulty replicas.
  virtual void on_faulty(principal, faulty_because) {}
  /// An actor ended before the world did, because of an exception or an unhandled error.
  virtual void on_actor_died(principal who, const std::string& reason) = 0;
};

/// One node of the world. The states belong to its actors and may only be read.
struct simulated_node {
  node_actors actors;
  std::shared_ptr<inspected_storage> storage;
  /// The disk was lost once, so the node starts on probation until the new disk records the end of the probation.
  bool is_learner = false;
  const replica_state* replica = nullptr;
  executor_state* executor = nullptr;
};

/// A whole cluster with its clients, network and disks on one thread. It runs the product's actors; only the ports are
/// replaced. All events are a function of the settings and of `chance`.
class simulated_world {
 public:
  /// `chance` and `watcher` must outlive the world.
  simulated_world(world_settings settings, splitmix64& chance, world_watcher& watcher);
  ~simulated_world();
  simulated_world(const simulated_world&) = delete;
  simulated_world& operator=(const simulated_world&) = delete;

  /// Runs one message of one actor, delivers one frame, runs one planned call, or moves the time to the next of these
  /// events. Returns false when no event is left.
  bool step();
  /// Makes steps without moving the time until nothing is left to do now.
  void settle();
  /// Makes steps until everything before `time` has happened, and stops at `time`.
  void run_until(moment time);

  /// Stops the node of a replica at once, like a killed process. The content of its disk remains; its messages and its
  /// memory are lost. Its links close.
  void crash(replica_id id);
  /// Crashes the node in its next write to disk. The frames that wait for this write do not leave.
  void crash_in_write(replica_id id, write_fate fate);
  /// Starts a crashed node again from its disk. If the disk refuses to open, the node stays down.
  void restart(replica_id id);
  /// Kills the node and removes its disk. The node starts again on probation with an empty disk.
  void lose_disk(replica_id id);
  /// The machine of a replica loses power, so its disk loses the unsynced changes.
  void lose_power(replica_id id);
  /// From now on the disk of a replica has this trouble. A node that notices the trouble stops.
  void trouble_disk(replica_id id, disk_trouble trouble);
  /// Kills the node and changes bytes of its disk. After the restart, either the node detects the change, or it does
  /// not need the changed bytes.
  void damage_disk(replica_id id);
  /// From now on the disk reports its last `changes` as durable too early, so a kill loses them. With 0, all reports
  /// are true.
  void let_disk_lie(replica_id id, std::size_t changes);
  [[nodiscard]] bool is_down(endpoint machine) const { return down_.contains(machine); }

  /// Starts a second machine with the replica's key in addition to the first machine. The new machine has its own disk,
  /// which is empty or has the same content. Further faults of the replica apply to both machines.
  void add_copy(replica_id id, bool with_its_disk);
  /// Stops one of the two machines of a replica for good.
  void remove_machine(endpoint machine);

  /// From now on an adversary stands between a member and its links. `strategy` has the syntax of `make_adversary`. The
  /// second machine of a replica is not affected.
  void misbehave(principal who, const std::string& strategy);
  /// The adversary leaves. Its effects remain.
  void behave(principal who);

  /// Ends the node of a replica for good. From now on, a test that has its keys can send in its name.
  void remove_node(replica_id id);

  /// From now on an actor handles no message, like an actor whose disk or processor is slow. Its messages wait. The
  /// actor continues when each of its pauses has ended.
  void pause(replica_id id, node_part part);
  void resume(replica_id id, node_part part);

  /// The wall clock of a replica steps. The time-outs of the node do not notice it.
  void step_wall_clock(replica_id id, duration by);
  /// The wall clock of the first machine of a replica.
  [[nodiscard]] const simulated_wall_clock& wall_clock_of(replica_id id) const {
    return *wall_clocks_.at(principal::of(id));
  }

  /// Calls `what` at `time`, which must not be in the past.
  void plan(moment time, std::function<void()> what);
  /// Gives an operation to a process of a client. `done` receives the outcome.
  void submit(client_id process, byte_vector operation, completion done);
  /// Like `submit`, for a read in this mode. It is not ordered behind unfinished operations of the process, so that
  /// more reads are answered without being ordered.
  void query(client_id process, byte_vector operation, read_mode mode, completion done);

  [[nodiscard]] moment now() const { return scheduler_.now(); }
  [[nodiscard]] const world_settings& settings() const { return settings_; }
  [[nodiscard]] simulated_network& network() { return network_; }
  [[nodiscard]] const key_ring& keys() const { return keys_; }
  /// The node of a replica; the first node if there are two.
  [[nodiscard]] const simulated_node& node(replica_id id) const { return nodes_.at(principal::of(id)); }
  /// The second node of a replica; null when there is only one.
  [[nodiscard]] const simulated_node* copy_of(replica_id id) const;
  [[nodiscard]] bool has_node(replica_id id) const { return !settings_.without_node.contains(id); }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] const client_core& core_of(client_id process) const { return *clients_.at(process.value).state->core; }
  /// The number of processes of all clients.
  [[nodiscard]] std::uint32_t processes() const { return static_cast<std::uint32_t>(clients_.size()); }

 private:
  struct simulated_client {
    client_actor actor;
    const client_state* state = nullptr;
  };

  /// Starts the node. Returns false when the recovery refuses its disk.
  bool start_node(endpoint machine);
  /// Gives a started node its links.
  void connect(endpoint machine);
  void crash(endpoint machine, bool power_lost = false);
  [[nodiscard]] std::shared_ptr<inspected_storage> new_disk();
  [[nodiscard]] std::shared_ptr<const wall_clock> clock_of(endpoint machine);
  /// Handles a node's report that it failed. Returns true if the failure was expected, so the node only ends.
  bool fails_as_expected(endpoint machine, const observation& what);
  void crash_in_write(endpoint machine, write_fate fate);
  void restart(endpoint machine);
  /// The existing machines of the replica.
  [[nodiscard]] std::vector<endpoint> machines_of(replica_id id) const;
  void tell_links(replica_id id, bool up);
  void bury();
  void tick_adversary(const std::weak_ptr<simulated_adversary>& who);
  void start_client(client_id process);
  [[nodiscard]] endpoint machine_of(client_id process) const;
  void watch_death(endpoint machine, const caf::strong_actor_ptr& actor);
  void happen_next();
  /// Whether anything can happen now without moving the time.
  [[nodiscard]] bool is_busy();
  /// Puts the jobs whose actors are not paused into `runnable_`.
  void find_runnable();
  [[nodiscard]] std::optional<moment> next_event() const;

  world_settings settings_;
  splitmix64& chance_;
  world_watcher& watcher_;
  key_ring keys_;
  virtual_scheduler scheduler_;
  simulated_network network_;
  /// One node for each replica, and a second node for each copied replica.
  std::map<endpoint, simulated_node> nodes_;
  /// The wall clock of each machine. It goes on while the node is down.
  std::map<endpoint, std::shared_ptr<simulated_wall_clock>> wall_clocks_;
  /// One client for each process.
  std::vector<simulated_client> clients_;
  std::multimap<moment, std::function<void()>> plans_;
  /// The number of active pauses of each actor.
  std::map<caf::actor_id, std::size_t> paused_;
  std::set<endpoint> down_;
  /// The machines that ended for good.
  std::set<endpoint> removed_;
  std::map<principal, std::shared_ptr<simulated_adversary>> adversaries_;
  /// Replicas that misbehave or have misbehaved.
  std::shared_ptr<std::set<replica_id>> accomplices_ = std::make_shared<std::set<replica_id>>();
  /// Machines that crashed inside a write in the present step.
  std::set<endpoint> dying_;
  /// Machines whose disks are in trouble.
  std::set<endpoint> troubled_;
  /// The number of the next disk.
  std::uint64_t disks_ = 0;
  /// The machines in `dying_` that also lose power.
  std::set<endpoint> without_power_;
  /// Actors of crashed nodes. They never run again.
  std::vector<node_actors> dead_;
  std::vector<std::size_t> runnable_;
  std::uint64_t steps_ = 0;
  bool ending_ = false;
};

}  // namespace hypermesh::testing
