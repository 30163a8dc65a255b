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

/// What an actor system needs for nodes and clients: the product's messages, the multiplexer, and few threads, because
/// a node's work is signatures and a host has other work. Set other options of CAF on it as usual.
class runtime_system_config : public caf::actor_system_config {
 public:
  runtime_system_config();
};

/// Who is shown what happens in a node, on the thread where it happens; each may be empty. `node_news` makes lines for
/// a log of it.
struct node_observers {
  observation_handler on_observation;
  link_event_handler on_link;
};

/// One replica in a host application: the entry point of the product (R17). Spawns the actors into the host's
/// actor system, opens the links, and stops both. All functions may be called from any thread that is not one of the
/// actors'.
class consensus_manager {
 public:
  /// Starts a replica with the machine that the genesis names.
  [[nodiscard]] static or_error<std::unique_ptr<consensus_manager>> start(caf::actor_system& system, node_config config,
                                                                          node_observers observers = {});

  /// Starts a replica with the host's own machine; its name must be the genesis's `state_machine`.
  [[nodiscard]] static or_error<std::unique_ptr<consensus_manager>> start(caf::actor_system& system, node_config config,
                                                                          std::unique_ptr<state_machine> machine,
                                                                          node_observers observers = {});

  /// Stops the replica.
  ~consensus_manager();
  consensus_manager(const consensus_manager&) = delete;
  consensus_manager& operator=(const consensus_manager&) = delete;

  [[nodiscard]] replica_id self() const { return self_; }
  /// The port that the replica listens on; the system's choice when the configuration says 0.
  [[nodiscard]] std::uint16_t port() const { return links_.port; }
  /// For the log: what the node does with less of, because the system allows no more; mostly empty.
  [[nodiscard]] const std::string& notice() const { return links_.notice; }

  /// Addresses of the genesis at which this node found another replica than the one listed; empty when it is stopped.
  [[nodiscard]] std::vector<misdirected_address> misdirected() const {
    return links_.counters ? links_.counters->misdirected() : std::vector<misdirected_address>{};
  }

  /// This node's own word on where it stands; nothing when it does not answer in time.
  [[nodiscard]] std::optional<node_report> report(std::chrono::milliseconds patience);

  // --- The guard -----------------------------------------------------------------
  // As actor messages: `validation_wanted` and `pardon_wanted` to the fault detector, `reputation_wanted` to the
  // reputation tracker.

  /// Whether a frame of `sender` is one that this replica takes: form, membership, rights, signatures and digests
  /// (R11). The reason why not; nothing when it is. Whether it fits the state of the protocol only the replica knows.
  [[nodiscard]] std::optional<rejection> validate_message(principal sender, byte_vector frame) const;

  /// What is agreed about a replica, and this node's own impression; nothing when the node does not answer in time, or
  /// there is no such replica.
  [[nodiscard]] std::optional<reputation> reputation_of(replica_id replica, std::chrono::milliseconds patience);

  /// The replicas that are in quarantine by agreement, in ascending order; nothing when the node does not answer in
  /// time.
  [[nodiscard]] std::optional<std::vector<replica_id>> quarantined_nodes(std::chrono::milliseconds patience);

  /// This operator wants `replica` released: it is once the operators of f+1 replicas want it.
  void pardon(replica_id replica);

  /// Why the node had to stop taking part, if it had to.
  [[nodiscard]] std::optional<world_error> failure() const;

  /// Waits until the node fails or `patience` has passed; true when it failed.
  [[nodiscard]] bool wait_for_failure(std::chrono::milliseconds patience) const;

  /// Closes the links, then stops the actors. A second call does nothing.
  void stop();

  /// The actors, for hosts that speak to them.
  [[nodiscard]] const neighbours& actors() const { return actors_; }

 private:
  /// Shared with the monitor, which may outlive the manager by a moment.
  struct failure_record {
    mutable std::mutex guard;
    mutable std::condition_variable changed;
    std::optional<world_error> error;
  };

  consensus_manager(caf::actor_system& system, replica_id self) : system_(&system), self_(self) {}

  /// Of every replica, by number.
  [[nodiscard]] std::optional<std::vector<reputation>> reputations(std::chrono::milliseconds patience);
  /// Spawns the auditor and has `parts` tell it what happens; does nothing when no trail is wanted.
  [[nodiscard]] std::optional<world_error> start_audit(const node_config& config, node_parts& parts);
  /// After the other actors were told to stop.
  void stop_audit(const neighbours& stopped);

  caf::actor_system* system_;
  replica_id self_;
  node_identity identity_;
  neighbours actors_;
  replica_links links_;
  /// Empty without an audit trail.
  auditor_actor auditor_;
  std::shared_ptr<failure_record> failure_ = std::make_shared<failure_record>();
  bool stopped_ = false;
};

}  // namespace hypermesh
