#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <hypermesh/reports.hpp>

#include "runtime/audit/auditor.hpp"
#include "runtime/health/health.hpp"
#include "runtime/http/node_endpoint.hpp"
#include "runtime/links/links.hpp"
#include "runtime/metrics/self_report.hpp"
#include "runtime/node_condition.hpp"
#include "runtime/node_config.hpp"
#include "runtime/state_machines/contained_machine.hpp"
#include "runtime/wiring.hpp"

namespace hypermesh::runtime {

/// Adds the product's messages and the multiplexer to the configuration of a host's actor system.
void add_runtime_to(caf::actor_system_config& config);

/// The configuration of an actor system for nodes and clients. It has the product's messages, the multiplexer, and only
/// two to four workers, because a node mostly checks signatures and the host has other work. Other options of CAF can
/// be set as usual.
class runtime_system_config : public caf::actor_system_config {
 public:
  runtime_system_config();
};

/// Handlers for the observations and link events of a node. They run on the thread where the event happens. Each
/// handler may be empty. `node_log` (runtime/events) writes these events as lines of a log.
struct node_observers {
  observation_handler on_observation;
  link_event_handler on_link;
  /// Called with the first error after which the node takes no part.
  failure_handler on_failure;
};

/// One replica in the actor system of its host. Spawns the actors, opens the links, and stops both. `consensus_manager`
/// is the same with an actor system of its own, and `module` adds typed actors for hosts. All functions may be called
/// from any thread that runs no actor, but no other function may run at the same time as `stop`.
class hosted_replica {
 public:
  /// Starts a replica with the machine that the genesis names.
  [[nodiscard]] static or_error<std::unique_ptr<hosted_replica>> start(caf::actor_system& system, node_config config,
                                                                       node_observers observers = {});

  /// Starts a replica with the host's own machine. The machine must have the name that the genesis gives as
  /// `state_machine`.
  [[nodiscard]] static or_error<std::unique_ptr<hosted_replica>> start(caf::actor_system& system, node_config config,
                                                                       std::unique_ptr<state_machine> machine,
                                                                       node_observers observers = {});

  /// Stops the replica.
  ~hosted_replica();
  hosted_replica(const hosted_replica&) = delete;
  hosted_replica& operator=(const hosted_replica&) = delete;

  [[nodiscard]] replica_id self() const { return self_; }
  /// The port that the replica listens on. The system chooses this port when the configuration has port 0.
  [[nodiscard]] std::uint16_t port() const { return links_.port; }
  /// The address of the HTTP server, for example "http://127.0.0.1:8400"; empty if it is off.
  [[nodiscard]] std::string http_address() const { return endpoint_ ? endpoint_->address() : std::string{}; }
  /// A text for the log: the bounds that were lowered because the system allows too few open files; empty if none was.
  [[nodiscard]] const std::string& notice() const { return links_.notice; }

  /// Addresses of the genesis at which another replica answers than the replica listed there; empty after `stop`.
  [[nodiscard]] std::vector<misdirected_address> misdirected() const {
    return links_.counters ? links_.counters->misdirected() : std::vector<misdirected_address>{};
  }

  /// This node's report about itself; nothing when the node does not answer within `patience`. The root of the state in
  /// it costs the machine a hash of its state, so a caller that does not read it says so in `wanted`.
  [[nodiscard]] std::optional<node_report> report(std::chrono::milliseconds patience, report_wanted wanted = {});

  // --- The guard -----------------------------------------------------------------
  // Hosts that use actors send messages instead: `validation_wanted` and `release_wanted` to the fault detector,
  // `reputation_wanted` to the reputation tracker.

  /// Checks form, membership, rights, signatures and digests of a frame from `sender` (R11). Returns the reason for a
  /// rejection; nothing when the frame is valid. Does not check whether the frame fits the state of the protocol, which
  /// only the replica knows.
  [[nodiscard]] std::optional<rejection> validate_message(principal sender, byte_vector frame) const;

  /// The agreed standing of a replica and this node's own impression of the replica; nothing when the node does not
  /// answer within `patience` or there is no such replica.
  [[nodiscard]] std::optional<reputation> reputation_of(replica_id replica, std::chrono::milliseconds patience);

  /// The same of all replicas, by replica number.
  [[nodiscard]] std::optional<std::vector<reputation>> reputations(std::chrono::milliseconds patience);

  /// The replicas that are in quarantine by agreement, in ascending order; nothing when the node does not answer within
  /// `patience`.
  [[nodiscard]] std::optional<std::vector<replica_id>> quarantined_nodes(std::chrono::milliseconds patience);

  /// Asks in the name of this operator to release `replica` from quarantine. The group releases the replica when the
  /// operators of f+1 replicas have asked for it.
  void release(replica_id replica);

  // --- Condition and ending --------------------------------------------------------

  /// Whether the node is live and ready, how many faults the group still tolerates, and which replicas are safe to
  /// restart, as this node sees it. Answers at once, even if the state machine blocks. A machine that has been in one
  /// function for `machine_patience` counts as blocked.
  [[nodiscard]] node_health health(
      std::chrono::milliseconds machine_patience = shared_health_watch::blocked_after) const;

  /// The same as a function that may outlive this object.
  [[nodiscard]] std::function<node_health()> health_source() const;
  /// The report behind `health()`.
  [[nodiscard]] health::health_report health_report() const { return watch_->report(std::chrono::steady_clock::now()); }

  /// Waits until the node fails or `patience` has passed. Returns true when the node failed.
  [[nodiscard]] bool wait_for_failure(std::chrono::milliseconds patience) const;

  /// See `consensus_manager::drain`. A replica that is not live stops without waiting.
  [[nodiscard]] or_error<void> drain(std::chrono::milliseconds patience);

  /// Ends the waits of a `drain` that runs on another thread, or begins later: the replica stops at once.
  void hurry();

  /// Whether this replica is the primary of the view that it has entered or waits for.
  [[nodiscard]] bool is_primary() const;

  /// Closes the links, then stops the actors. A second call does nothing.
  void stop();

  /// The actors, for hosts that send messages to them.
  [[nodiscard]] const node_actors& actors() const { return actors_; }

 private:
  /// The actors that fall silent when the node fails. Shared with the handler of failures, which may be called before
  /// `start` has returned.
  struct silencer;

  hosted_replica(caf::actor_system& system, replica_id self);

  /// Opens the disk, and restores the node from it.
  [[nodiscard]] or_error<void> restore(const node_config& config, std::unique_ptr<state_machine> machine,
                                       node_parts& parts);
  /// Spawns the actors and opens the links.
  [[nodiscard]] or_error<void> run(node_parts parts, link_settings links, const replica_address& listen);
  /// Gives up the primaryship before `deadline`, if this replica has it.
  [[nodiscard]] bool hand_over(std::chrono::steady_clock::time_point deadline);
  /// Spawns the auditor and makes `parts` report records and observations to it. Does nothing when the configuration
  /// disables the trail.
  [[nodiscard]] or_error<void> start_audit(const node_config& config, node_parts& parts);
  /// Makes the observations, link events and failures of the node known to `watch_`.
  void watch_health(const node_config& config, node_parts& parts, link_settings& links);
  /// Makes `parts` and `links` report to the hub of the metrics, and to the tap of the HTTP server if the configuration
  /// has one.
  void prepare_metrics(const node_config& config, node_parts& parts, link_settings& links);
  /// Starts the HTTP server of the connected node.
  [[nodiscard]] or_error<void> start_http(const node_config& config);
  /// Waits until the storage is closed, but only for a limited time, because a disk may hang.
  void wait_for_journal(const node_actors& stopped);
  /// Closes the audit trail. Call this after the journal has ended, because the last seal must cover its last records.
  void stop_audit();

  caf::actor_system* system_;
  replica_id self_;
  node_identity identity_;
  node_actors actors_;
  replica_links links_;
  /// An empty handle if there is no audit trail.
  auditor_actor auditor_;
  /// The judge of the health of this node.
  std::shared_ptr<shared_health_watch> watch_;
  /// Whether the disk of the node survives a restart.
  bool keeps_disk_ = true;
  health::health_actor health_actor_;
  /// Both are null if the HTTP server is off.
  std::shared_ptr<const http::node_tap> tap_;
  std::unique_ptr<http::node_endpoint> endpoint_;
  std::shared_ptr<node_condition> condition_ = std::make_shared<node_condition>();
  std::shared_ptr<machine_watch> machine_ = std::make_shared<machine_watch>();
  std::shared_ptr<silencer> silencer_;
  std::shared_ptr<metrics::metric_hub> hub_;
  metrics::self_report_actor self_report_;
  bool stopped_ = false;
};

}  // namespace hypermesh::runtime
