#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/watermarks.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "tests/support/keyed_authenticator.hpp"

namespace hypermesh::testing {

/// Watches the correct replicas of a cluster and keeps the first violation of these rules: I1 agreement, I2 gap-free
/// common prefix, I3 only signed operations, I4 exactly once, I6 certificates, I9 watermarks, I10 equal sequence ⇒
/// equal state, and one vote for each (kind, view, sequence). Depends on no actor.
class order_checker {
 public:
  order_checker(const cluster_parameters& cluster, std::shared_ptr<const keyed_verifier> verifier)
      : cluster_(cluster), verifier_(std::move(verifier)) {}

  /// Called when a client sends a request.
  void on_sent(const request& value) { sent_.insert(digest_of_request(value)); }
  /// Called when `replica` is about to make a vote or proposal.
  void on_record(replica_id replica, const storage_record& record);
  void on_committed(replica_id replica, const committed_batch& batch);
  /// Called when `replica` has executed `batch`. `answers` are the results.
  void on_executed(replica_id replica, const committed_batch& batch,
                   const std::vector<replicated_state::answered_request>& answers);
  /// Called with the replica's state after `sequence`, whether it was executed or installed.
  void on_root(replica_id replica, sequence_number sequence, const digest& root);
  void on_installed(replica_id replica, sequence_number sequence);
  void on_marks(replica_id replica, const watermarks& marks, sequence_number last_executed);
  /// Called when the replica restarts without its disk. Its earlier messages are still checked.
  void on_disk_lost(replica_id replica);
  /// Called when a client accepts this result.
  void on_result(byte_span payload);

  [[nodiscard]] const std::optional<std::string>& violation() const { return violation_; }
  /// The end of the longest prefix that any correct replica committed.
  [[nodiscard]] sequence_number last_committed() const;
  /// The number of executed requests. Each request counts once.
  [[nodiscard]] std::size_t requests_executed() const { return executed_at_.size(); }
  /// The hash of all checked events in their order. Equal seeds give equal values (I15).
  [[nodiscard]] digest history() const { return history_; }

 private:
  void hold(bool holds, replica_id replica, std::string_view claim);
  void note(std::string_view what, replica_id replica, std::uint64_t number, byte_span bytes);
  [[nodiscard]] bool is_proven(const committed_batch& batch) const;

  struct vote_place {
    record_kind kind;
    view_number view;
    sequence_number sequence;
    replica_id replica;
    friend auto operator<=>(const vote_place&, const vote_place&) = default;
  };

  cluster_parameters cluster_;
  std::shared_ptr<const keyed_verifier> verifier_;
  std::optional<std::string> violation_;
  digest history_;
  std::set<digest> sent_;
  std::map<vote_place, digest> votes_;
  std::map<std::pair<replica_id, record_kind>, view_number> views_;
  std::map<sequence_number, digest> committed_;
  std::map<replica_id, sequence_number> last_committed_of_;
  std::map<replica_id, sequence_number> last_executed_of_;
  std::map<replica_id, sequence_number> low_of_;
  std::map<sequence_number, digest> roots_;
  std::map<request_id, sequence_number> executed_at_;
  std::map<request_id, request_outcome> outcomes_;
  std::set<byte_vector> results_;
};

}  // namespace hypermesh::testing
