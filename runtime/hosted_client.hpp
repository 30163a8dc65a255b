#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>

#include <caf/actor_system.hpp>
#include <hypermesh/receipt.hpp>
#include <hypermesh/settings.hpp>

#include "actors/interfaces.hpp"
#include "runtime/links/links.hpp"
#include "runtime/node_config.hpp"

namespace hypermesh::runtime {

/// A client in the actor system of its host: futures and callbacks. `consensus_client` is the same with an actor system
/// of its own. All functions may be called from any thread. Memory:
/// at most `client_settings::operations_pending_max` operations.
class hosted_client {
 public:
  /// Opens links to all replicas. Operations may be submitted at once; they wait until the links are up.
  [[nodiscard]] static or_error<std::unique_ptr<hosted_client>> connect(caf::actor_system& system,
                                                                        const client_config& config,
                                                                        client_settings settings = {});

  /// Fails all pending operations with `client_error::stopped`, and closes the links.
  ~hosted_client();
  hosted_client(const hosted_client&) = delete;
  hosted_client& operator=(const hosted_client&) = delete;

  /// Orders and executes an operation. The future always becomes ready, either with a result that f+1 replicas gave or
  /// with an error.
  [[nodiscard]] std::future<submit_outcome> submit(byte_vector operation);

  /// Like the function above, but with a callback. The callback runs on the thread of the client's actor and must not
  /// block. An exception of it is dropped, so that it does not end the client for all others.
  void submit(byte_vector operation, completion done);

  /// Like `submit`, and then collects a receipt. The future becomes ready when a quorum has signed, or at the deadline
  /// of the operation.
  [[nodiscard]] std::future<receipted_outcome> submit_with_receipt(byte_vector operation);

  /// Reads the replicated state; see `read_mode`.
  [[nodiscard]] std::future<submit_outcome> query(byte_vector operation, read_mode mode = read_mode::linearizable);

  /// A linearizable read with a callback, as in `submit`. It is not ordered behind operations of this client that have
  /// no result, so a caller with several users keeps the order of each of them itself.
  void read(byte_vector operation, completion done);

  /// The report of one replica about itself, unverified; nothing when the replica does not answer.
  [[nodiscard]] std::future<std::optional<node_report>> report(replica_id replica);

  /// This client's report about itself; nothing when the client does not answer within `patience`.
  [[nodiscard]] std::optional<client_report> own_report(std::chrono::milliseconds patience);

  /// Addresses of the genesis at which another replica answers than the replica listed there.
  [[nodiscard]] std::vector<misdirected_address> misdirected() const { return links_.counters->misdirected(); }

  /// Sends a frame that proves itself, such as a RELEASE, to all replicas whose links are open. Replicas do not answer
  /// it.
  void tell_replicas(frame_ptr frame);

  /// For hosts that use actors: the actor answers `ordered_operation` with an `operation_outcome`.
  [[nodiscard]] const client_actor& actor() const { return actor_; }

 private:
  explicit hosted_client(caf::actor_system& system) : system_(&system) {}

  caf::actor_system* system_;
  client_actor actor_;
  client_links_handle links_;
  group_size group_{limits::replicas_min};
};

}  // namespace hypermesh::runtime
