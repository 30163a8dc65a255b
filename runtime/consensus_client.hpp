#pragma once

#include <chrono>
#include <future>
#include <memory>
#include <optional>

#include <caf/actor_system.hpp>

#include "actors/interfaces.hpp"
#include "runtime/links/links.hpp"
#include "runtime/node_config.hpp"

namespace hypermesh {

/// How fresh a read must be.
enum class read_mode {
  /// Ordered like a write: reflects every operation that was acknowledged before the read began.
  linearizable,
  /// What f+1 replicas agree on, without ordering: a committed state, perhaps an older one. One round trip.
  committed,
};

/// The plain C++ face of a client (R18): futures and callbacks, no actor. All functions may be called from any
/// thread. Memory: `client_settings::operations_pending_max` operations.
class consensus_client {
 public:
  /// Opens links to all replicas; operations may be submitted at once and wait for the links.
  [[nodiscard]] static or_error<std::unique_ptr<consensus_client>> connect(caf::actor_system& system,
                                                                           const client_config& config,
                                                                           client_settings settings = {});

  /// Fails what is pending with `client_error::stopped`, and closes the links.
  ~consensus_client();
  consensus_client(const consensus_client&) = delete;
  consensus_client& operator=(const consensus_client&) = delete;

  /// Orders and executes an operation; the future always becomes ready, with a result that f+1 replicas gave
  /// or an error.
  [[nodiscard]] std::future<submit_outcome> submit(byte_vector operation);

  /// The same with a callback, which runs on the client's thread and must not block.
  void submit(byte_vector operation, completion done);

  /// Reads the replicated state; see `read_mode`.
  [[nodiscard]] std::future<submit_outcome> query(byte_vector operation, read_mode mode = read_mode::linearizable);

  /// One replica's own word on where it stands, unverified; nothing when it does not answer.
  [[nodiscard]] std::future<std::optional<node_report>> report(replica_id replica);

  /// What this client itself saw; nothing when it does not answer in time.
  [[nodiscard]] std::optional<client_report> own_report(std::chrono::milliseconds patience);

  /// Addresses of the genesis at which this client found another replica than the one listed.
  [[nodiscard]] std::vector<misdirected_address> misdirected() const { return links_.counters->misdirected(); }

  /// Hands a frame that proves itself, such as a PARDON, to all replicas whose links are open. Nobody answers.
  void tell_replicas(frame_ptr frame);

  /// For hosts that are actors themselves: `ordered_operation` is answered with an `operation_outcome`.
  [[nodiscard]] const client_actor& actor() const { return actor_; }

 private:
  explicit consensus_client(caf::actor_system& system) : system_(&system) {}

  caf::actor_system* system_;
  client_actor actor_;
  client_links_handle links_;
};

}  // namespace hypermesh
