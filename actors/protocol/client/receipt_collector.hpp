#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/client/client_outcome.hpp"
#include "actors/protocol/receipts/receipt_verifier.hpp"

namespace hypermesh::protocol {

/// A collected receipt, or nothing if fewer than f + 1 replicas signed before the deadline.
struct receipt_collected {
  operation_token token = 0;
  std::optional<receipt> proof;
};

struct receipt_effects {
  std::vector<outgoing_message> sends;
  std::vector<receipt_collected> done;
};

/// Asks the replicas for their shares in the receipt of an executed operation, until a quorum has signed one statement.
/// Pure. A share counts only if its signature is genuine for exactly this operation with exactly the agreed result, so
/// a faulty replica can only withhold its share. Memory: `receipts_pending_max` operations with n shares each.
class receipt_collector {
 public:
  /// With 1,024 receipts under way, the replicas sign about as fast as the client verifies.
  static constexpr std::size_t receipts_pending_max = 1'024;
  /// A replica that has not executed the operation yet is asked again after this time. The time doubles with each
  /// repetition.
  static constexpr duration retry_after = 50ms;
  static constexpr duration retry_max = 2s;

  receipt_collector(const cluster_parameters& cluster, const authenticator& members)
      : cluster_(cluster), members_(&members) {}

  /// The client has the result of the operation and wants a receipt. At `deadline` it is content with f + 1 signatures.
  [[nodiscard]] receipt_effects collect(operation_token token, executed_operation what, moment now, moment deadline);
  /// `from` is the replica at the other end of the authenticated link.
  [[nodiscard]] receipt_effects on_reply(replica_id from, const receipt_reply& value);
  /// Repeats questions and ends receipts whose deadline has passed.
  [[nodiscard]] receipt_effects on_tick(moment now);
  /// Ends all receipts with what was collected.
  [[nodiscard]] receipt_effects on_stop();

  [[nodiscard]] bool is_idle() const { return open_.empty(); }
  [[nodiscard]] std::size_t pending() const { return open_.size(); }
  /// For each replica, the number of its shares that were not genuine for the operation.
  [[nodiscard]] const std::map<replica_id, std::uint64_t>& wrong_shares() const { return wrong_shares_; }

 private:
  /// The shares are grouped by statement. All correct replicas are in one group.
  struct statement_key {
    sequence_number sequence;
    digest value;

    friend auto operator<=>(const statement_key&, const statement_key&) = default;
  };
  struct share_of_replica {
    statement_key of;
    receipt_share share;
  };
  struct open_receipt {
    operation_token token = 0;
    executed_operation what;
    /// The first genuine share of each replica.
    std::map<replica_id, share_of_replica> shares;
    duration interval{};
    moment next_ask{};
    moment deadline{};
  };

  [[nodiscard]] std::optional<receipt> best_of(const open_receipt& open) const;
  void ask(const receipt_query& what, const open_receipt& open, receipt_effects& out) const;

  cluster_parameters cluster_;
  const authenticator* members_;
  std::map<receipt_query, open_receipt> open_;
  std::map<replica_id, std::uint64_t> wrong_shares_;
};

}  // namespace hypermesh::protocol
