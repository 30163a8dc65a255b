#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "messages/require.hpp"
#include "messages/types.hpp"

namespace hypermesh::protocol {

/// What happens to a linearizable query that arrives.
enum class query_admission {
  /// The present state may answer.
  answer,
  /// The query waits until this replica has executed what it had prepared.
  held,
  /// The client, or all clients together, have too many queries that wait.
  over_quota,
  /// This replica does not know its earlier votes, so no state of it may answer.
  votes_unknown,
};

/// Linearizable queries that wait until this replica has executed everything that it had prepared when they arrived.
/// Pure. `Item` is a query with the way back to its client.
///
/// §5.1: replicas answer a read "only after all requests reflected in the tentative state have committed". Differs from
/// §5.1 because here no replica executes tentatively, and a write is finished with f + 1 replies and not with 2f + 1.
/// So the quorum that answers a read need not contain a replica that has executed the write. Another rule brings the
/// two together (attack 35):
///
/// 1. A finished write was committed-local at a correct replica, so a quorum of replicas had prepared it.
/// 2. This quorum and the quorum that answers a read have a correct replica in common.
/// 3. If the read began after the write had finished, this replica had prepared the write when the query arrived, so it
///    executes the write before it answers.
///
/// An example without the rule, with n = 4: replica 3 is faulty. Replica 0 executes a write, replica 3 confirms it, and
/// the write is finished. Replicas 1 and 2 have prepared the write, but the COMMITs are late. Then 1, 2 and 3 give
/// three equal answers from the state before the write.
///
/// Memory: `queries_per_client_max` queries and `bytes_per_client_max` bytes of each client, and `bytes_max` bytes of
/// all clients. A query without room is ordered by its client.
template <class Item>
class held_queries {
 public:
  /// A client with more reads in progress than this has some of them ordered while writes are under way.
  static constexpr std::size_t queries_per_client_max = 1'024;
  /// The bytes of their operations: two operations of the largest size, or 1,024 of 512 bytes.
  static constexpr std::size_t bytes_per_client_max = 2 * limits::operation_bytes_max;
  static_assert(bytes_per_client_max >= limits::operation_bytes_max, "every query can be held");
  /// The bytes of all clients, with `query_bytes` for each query.
  static constexpr std::size_t bytes_max = std::size_t{64} * 1024 * 1024;
  /// The memory of a query in addition to its operation.
  static constexpr std::size_t query_bytes = 512;

  /// The replica has prepared all sequence numbers up to `through`, and knows its earlier votes.
  void on_prepared(sequence_number through) { prepared_ = std::max(prepared_.value_or(through), through); }

  /// Takes the content of `asked` only if the query is held. `bytes` is the size of its operation.
  [[nodiscard]] query_admission admit(client_id client, std::size_t bytes, sequence_number executed, Item& asked) {
    if (!prepared_) return query_admission::votes_unknown;
    if (executed >= *prepared_) return query_admission::answer;
    if (bytes_ + bytes + query_bytes > bytes_max) return query_admission::over_quota;
    auto& share = shares_[client];
    if (share.queries >= queries_per_client_max || share.bytes + bytes > bytes_per_client_max)
      return query_admission::over_quota;
    ++share.queries;
    share.bytes += bytes;
    bytes_ += bytes + query_bytes;
    waiting_.push_back({*prepared_, client, bytes, std::move(asked)});
    return query_admission::held;
  }

  /// The queries that the state after `executed` may answer, in the order in which they arrived.
  [[nodiscard]] std::vector<Item> release(sequence_number executed) {
    std::vector<Item> ready;
    // What is prepared never falls, so the queries wait in the order of their numbers.
    while (!waiting_.empty() && waiting_.front().needs <= executed) {
      auto& next = waiting_.front();
      give_back(next);
      ready.push_back(std::move(next.asked));
      waiting_.pop_front();
    }
    return ready;
  }

  [[nodiscard]] std::size_t size() const { return waiting_.size(); }

 private:
  struct waiting_query {
    sequence_number needs;
    client_id client;
    std::size_t bytes = 0;
    Item asked;
  };
  struct client_share {
    std::size_t queries = 0;
    std::size_t bytes = 0;
  };

  void give_back(const waiting_query& of) {
    const auto found = shares_.find(of.client);
    require(found != shares_.end() && found->second.queries > 0 && found->second.bytes >= of.bytes,
            "a held query is counted");
    --found->second.queries;
    found->second.bytes -= of.bytes;
    bytes_ -= of.bytes + query_bytes;
    if (found->second.queries == 0) shares_.erase(found);
  }

  /// Nothing until the replica knows its earlier votes.
  std::optional<sequence_number> prepared_;
  std::deque<waiting_query> waiting_;
  std::map<client_id, client_share> shares_;
  std::size_t bytes_ = 0;
};

}  // namespace hypermesh::protocol
