#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hypermesh/expected.hpp>
#include <hypermesh/reports.hpp>
#include <hypermesh/settings.hpp>
#include <hypermesh/state_machine.hpp>
#include <hypermesh/types.hpp>

namespace hypermesh {

/// One replica in a host application: the entry point of the product (R17). Owns the threads, links and files of the
/// replica. All functions may be called from any thread, but no function may run at the same time as `stop`, `drain` or
/// the destructor. Functions with a `patience` return nothing when the replica does not answer within that time, of
/// which a year is the most.
///
///     auto replica = hypermesh::consensus_manager::start({"replica-0/node.toml"}, std::make_unique<my_machine>());
///     if (!replica) return report(replica.error());
///
/// Threads: two to four workers, the network, and one each for the journal and the audit trail. Memory: the section
/// "Memory of a node" in the documentation of the runtime, and 17 MiB for subscribers: 16 MiB of operations and 1 MiB
/// of events.
class consensus_manager {
 public:
  /// Starts a replica. Without a machine it runs the machine of the product that the genesis names. The host's own
  /// machine must have the name that the genesis gives as `state_machine`.
  [[nodiscard]] static or_error<std::unique_ptr<consensus_manager>> start(
      const configuration& config, std::unique_ptr<state_machine> machine = nullptr);

  /// Stops the replica.
  ~consensus_manager();
  consensus_manager(const consensus_manager&) = delete;
  consensus_manager& operator=(const consensus_manager&) = delete;

  [[nodiscard]] replica_id self() const;
  /// The port that the replica listens on.
  [[nodiscard]] std::uint16_t port() const;
  /// A text for the log: the bounds that were lowered because the system allows too few open files; empty if none was.
  [[nodiscard]] const std::string& notice() const;

  // --- Ending ------------------------------------------------------------------

  /// Ends the replica without harm to clients, for a planned restart:
  /// 1. If the replica is the primary, it hands the view over to the next one.
  /// 2. It refuses new requests; clients try the other replicas.
  /// 3. It waits until the requests that it had admitted are executed.
  /// 4. It closes the links and the storage, as `stop` does. Everything that it promised is on disk.
  ///
  /// Returns an error if 1 or 3 took longer than `patience`; the replica has stopped then too. No acknowledged
  /// operation is lost in any case.
  [[nodiscard]] or_error<void> drain(std::chrono::milliseconds patience);

  /// Closes the links, then stops the replica. A second call does nothing.
  void stop();

  // --- Reports -----------------------------------------------------------------

  /// Costs the root of the state, if the state changed since the last call (`state_machine::root`).
  [[nodiscard]] std::optional<node_state> state(std::chrono::milliseconds patience);

  /// Answers at once, even if the state machine blocks. A machine that has been in one function for `machine_patience`
  /// counts as blocked. It is not killed, because nothing in C++ can kill it safely: restart the process.
  [[nodiscard]] node_health health(std::chrono::milliseconds machine_patience = std::chrono::seconds{10}) const;

  /// Waits until the replica fails or `patience` has passed. Returns true when it failed.
  [[nodiscard]] bool wait_for_failure(std::chrono::milliseconds patience) const;

  /// All counters and gauges. Does not ask the machine.
  [[nodiscard]] std::optional<std::vector<metric>> metrics(std::chrono::milliseconds patience);

  /// The events from now on.
  [[nodiscard]] std::unique_ptr<event_stream> events();

  /// The operations from a place on; from the next operation on if there is none.
  [[nodiscard]] std::unique_ptr<operation_stream> operations(std::optional<operation_position> from = std::nullopt);

  // --- The guard -----------------------------------------------------------------

  /// Checks form, membership, rights, signatures and digests of a frame from `sender` (R11). The error is the name of
  /// the rejection. Does not check whether the frame fits the state of the protocol.
  [[nodiscard]] or_reason<void> validate_message(principal sender, byte_vector frame) const;

  /// Nothing also when there is no such replica.
  [[nodiscard]] std::optional<replica_reputation> reputation_of(replica_id replica, std::chrono::milliseconds patience);

  /// The replicas that are in quarantine by agreement, in ascending order.
  [[nodiscard]] std::optional<std::vector<replica_id>> quarantined_nodes(std::chrono::milliseconds patience);

  /// Asks in the name of this operator to release `replica` from quarantine. The group releases the replica when the
  /// operators of f+1 replicas have asked for it.
  void release(replica_id replica);

 private:
  struct parts;
  explicit consensus_manager(std::unique_ptr<parts> of);

  std::unique_ptr<parts> parts_;
};

}  // namespace hypermesh
