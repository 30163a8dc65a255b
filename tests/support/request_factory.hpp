#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"
#include "tests/support/keyed_authenticator.hpp"

namespace hypermesh::testing {

/// The parameters of a cluster of `replicas` and `clients` with checkpoint period `period` and window `window`.
[[nodiscard]] cluster_parameters small_cluster(std::uint32_t replicas, std::uint32_t clients = 4,
                                               std::uint32_t period = 4, std::uint32_t window = 8);

/// A digest for tests. Equal names give equal digests.
[[nodiscard]] digest named_digest(std::string_view name);

/// Makes genuine messages of any principal of a cluster. The factory has every key, so it is only for tests, never for
/// a node.
class request_factory {
 public:
  explicit request_factory(const cluster_parameters& cluster, std::uint64_t seed = 1);

  [[nodiscard]] const cluster_parameters& cluster() const { return cluster_; }
  [[nodiscard]] const key_ring& keys() const { return keys_; }
  /// The authenticator of `who`. It lives as long as the factory.
  [[nodiscard]] const authenticator& keys_of(principal who) const;
  [[nodiscard]] const authenticator& keys_of(replica_id id) const { return keys_of(principal::of(id)); }
  [[nodiscard]] const authenticator& keys_of(client_id id) const { return keys_of(principal::of(id)); }

  // --- Clients ---------------------------------------------------------------

  [[nodiscard]] request request_of(client_id client, timestamp when, std::string_view operation) const;
  [[nodiscard]] request request_of(client_id client, timestamp when, const std::vector<std::string>& operations) const;
  /// A request of an ordered session. Timestamp 0 opens the session, and another `nonce` makes another opening.
  [[nodiscard]] request session_request(client_id client, session_id session, timestamp when,
                                        session_mode mode = session_mode::ordered, std::uint8_t nonce = 0,
                                        std::string_view operation = "op") const;
  /// A request as `client` would send it, but signed by `signer`.
  [[nodiscard]] request request_signed_by(const authenticator& signer, client_id client, timestamp when,
                                          std::string_view operation) const;
  /// A request of a client that does not sign its requests.
  [[nodiscard]] request unsigned_request(client_id client, timestamp when, std::string_view operation) const;
  [[nodiscard]] static std::shared_ptr<const batch> batch_of(std::vector<request> requests,
                                                             std::vector<system_request> system_requests = {});
  /// The batch with another proposed time.
  [[nodiscard]] static std::shared_ptr<const batch> at_time(const batch& original, wall_time proposed);
  /// A batch of one request of client 0. `number` is the timestamp and the operation of the request.
  [[nodiscard]] std::shared_ptr<const batch> batch_number(std::uint64_t number) const;

  // --- Statements --------------------------------------------------------------

  [[nodiscard]] statement content_of(replica_id replica, view_number view, sequence_number sequence,
                                     const digest& value) const;
  /// The statement, signed by the replica that it names.
  [[nodiscard]] signed_statement signed_as(message_kind kind, const statement& content) const;
  [[nodiscard]] signed_statement signed_by(const authenticator& signer, message_kind kind,
                                           const statement& content) const;

  /// A proposal of the primary of `view`.
  [[nodiscard]] pre_prepare pre_prepare_of(view_number view, sequence_number sequence,
                                           std::shared_ptr<const batch> body) const;
  [[nodiscard]] prepare prepare_of(replica_id replica, const pre_prepare& proposal) const;
  [[nodiscard]] commit commit_of(replica_id replica, const pre_prepare& proposal) const;
  [[nodiscard]] checkpoint checkpoint_of(replica_id replica, sequence_number sequence, const digest& root) const;

  /// A certificate of the CHECKPOINTs of the replicas 0 … quorum-1.
  [[nodiscard]] std::shared_ptr<const checkpoint_certificate> certificate_of(sequence_number sequence,
                                                                             const digest& root) const;
  [[nodiscard]] std::shared_ptr<const checkpoint_certificate> certificate_of(
      sequence_number sequence, const digest& root, const std::vector<std::uint32_t>& signers) const;

  // --- View changes ------------------------------------------------------------

  [[nodiscard]] suspicion suspicion_of(replica_id replica, view_number view) const;
  /// A certificate: the header of the primary of `view`, and PREPAREs of the next quorum - 1 replicas.
  [[nodiscard]] prepared_certificate prepared_of(view_number view, sequence_number sequence, const digest& value) const;
  /// A VIEW-CHANGE of `replica`. If `stable` is empty, the stable checkpoint is the initial state.
  [[nodiscard]] view_change view_change_of(replica_id replica, view_number view,
                                           const std::shared_ptr<const checkpoint_certificate>& stable,
                                           std::vector<prepared_certificate> prepared) const;
  /// The unchanged VIEW-CHANGE with a new signature of the replica that it names.
  [[nodiscard]] view_change signed_again(view_change value) const;
  [[nodiscard]] new_view signed_again(new_view value) const;
  /// The NEW-VIEW of the primary of `view`, which follows the plan of `changes`.
  [[nodiscard]] new_view new_view_of(view_number view, std::vector<view_change> changes) const;

  /// A signed STATUS with the slots after `last_decided`.
  [[nodiscard]] status status_of(replica_id replica, view_number view, sequence_number low,
                                 sequence_number last_decided, const std::vector<slot_progress>& slots = {}) const;

 private:
  cluster_parameters cluster_;
  key_ring keys_;
  mutable std::map<principal, std::shared_ptr<const keyed_authenticator>> holders_;
};

}  // namespace hypermesh::testing
