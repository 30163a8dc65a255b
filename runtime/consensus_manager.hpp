#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "runtime/audit/auditor.hpp"
#include "runtime/links/links.hpp"
#include "runtime/node_config.hpp"
#include "runtime/wiring.hpp"

namespace hypermesh {

/// The configuration of an actor system for nodes and clients. It has the product's messages, the multiplexer, and only
/// two to four workers, because a node mostly checks signatures and the host has other work. Other options of CAF can
/// be set as usual.
class runtime_system_config : public caf::actor_system_config {
 public:
  runtime_system_config();
};

/// Handlers for the observations and link events of a node. They run on the thread where the event happens. Each
/// handler may be empty. `node_news` and `link_news` turn these events into lines of a log.
struct node_observers {
  runtime::observation_handler on_observation;
  links::link_event_handler on_link;
};

/// One replica in a host application: the entry point of the product (R17). Spawns the actors into the host's actor
/// system, opens the links, and stops both. All functions may be called from any thread that runs no actor, but no
/// other function may run at the same time as `stop`.
class consensus_manager {
 public:
  /// Starts a replica with the machine that the genesis names.
  [[nodiscard]] static or_error<std::unique_ptr<consensus_manager>> start(caf::actor_system& system, node_config config,
                                                                          node_observers observers = {});

  /// Starts a replica with the host's own machine. The machine must have the name that the genesis gives as
  /// `state_machine`.
  [[nodiscard]] static or_error<std::unique_ptr<consensus_manager>> start(caf::actor_system& system, node_config config,
                                                                          std::unique_ptr<state_machine> machine,
                                                                          node_observers observers = {});

  /// Stops the replica.
  ~consensus_manager();
  consensus_manager(const consensus_manager&) = delete;
  consensus_manager& operator=(const consensus_manager&) = delete;

  [[nodiscard]] replica_id self() const { return self_; }
  /// The port that the replica listens on. The system chooses this port when the configuration has port 0.
  [[nodiscard]] std::uint16_t port() const { return links_.port; }
  /// A text for the log: the bounds that were lowered because the system allows too few open files; empty if none was.
  [[nodiscard]] const std::string& notice() const { return links_.notice; }

  /// Addresses of the genesis at which another replica answers than the replica listed there; empty after `stop`.
  [[nodiscard]] std::vector<links::misdirected_address> misdirected() const {
    return links_.counters ? links_.counters->misdirected() : std::vector<links::misdirected_address>{};
  }

  /// This node's report about itself; nothing when the node does not answer within `patience`.
  [[nodiscard]] std::optional<messages::node_report> report(std::chrono::milliseconds patience);

  // --- The guard -----------------------------------------------------------------
  // Hosts that use actors send messages instead: `validation_wanted` and `release_wanted` to the fault detector,
  // `reputation_wanted` to the reputation tracker.

  /// Checks form, membership, rights, signatures and digests of a frame from `sender` (R11). Returns the reason for a
  /// rejection; nothing when the frame is valid. Does not check whether the frame fits the state of the protocol, which
  /// only the replica knows.
  [[nodiscard]] std::optional<messages::rejection> validate_message(principal sender, byte_vector frame) const;

  /// The agreed standing of a replica and this node's own impression of the replica; nothing when the node does not
  /// answer within `patience` or there is no such replica.
  [[nodiscard]] std::optional<protocol::reputation> reputation_of(replica_id replica,
                                                                  std::chrono::milliseconds patience);

  /// The replicas that are in quarantine by agreement, in ascending order; nothing when the node does not answer within
  /// `patience`.
  [[nodiscard]] std::optional<std::vector<replica_id>> quarantined_nodes(std::chrono::milliseconds patience);

  /// Asks in the name of this operator to release `replica` from quarantine. The group releases the replica when the
  /// operators of f+1 replicas have asked for it.
  void release(replica_id replica);

  /// The error that made the node stop taking part in the protocol, if there was an error.
  [[nodiscard]] or_error<void> health() const;

  /// Waits until the node fails or `patience` has passed. Returns true when the node failed.
  [[nodiscard]] bool wait_for_failure(std::chrono::milliseconds patience) const;

  /// Closes the links, then stops the actors. A second call does nothing.
  void stop();

  /// The actors, for hosts that send messages to them.
  [[nodiscard]] const runtime::node_actors& actors() const { return actors_; }

 private:
  /// Shared with the monitor, which may live slightly longer than the manager.
  struct failure_record {
    mutable std::mutex guard;
    mutable std::condition_variable changed;
    or_error<void> health;
  };

  consensus_manager(caf::actor_system& system, replica_id self) : system_(&system), self_(self) {}

  /// The reputations of all replicas. The replica number is the index.
  [[nodiscard]] std::optional<std::vector<protocol::reputation>> reputations(std::chrono::milliseconds patience);
  /// Spawns the auditor and makes `parts` report records and observations to it. Does nothing when the configuration
  /// disables the trail.
  [[nodiscard]] or_error<void> start_audit(const node_config& config, runtime::node_parts& parts);
  /// Closes the audit trail. Call this after the other actors were asked to stop.
  void stop_audit(const runtime::node_actors& stopped);

  caf::actor_system* system_;
  replica_id self_;
  actors::node_identity identity_;
  runtime::node_actors actors_;
  links::replica_links links_;
  /// An empty handle if there is no audit trail.
  audit::auditor_actor auditor_;
  std::shared_ptr<failure_record> failure_ = std::make_shared<failure_record>();
  bool stopped_ = false;
};

}  // namespace hypermesh
