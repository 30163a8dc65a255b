#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/client/client_outcome.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// A query that has its answer, or the error that ended it.
struct query_concluded {
  operation_token token = 0;
  submit_outcome outcome;
};

/// A linearizable read whose replicas did not agree in time. It has to be ordered.
struct read_to_order {
  operation_token token = 0;
  byte_vector operation;
  moment since{};
};

struct query_effects {
  std::vector<outgoing_message> sends;
  std::vector<query_concluded> done;
  std::vector<read_to_order> to_order;
};

/// The queries of a client: reads that are not ordered. Pure. Memory: one operation and n answers for each query under
/// way, and three numbers for each replica.
///
/// A committed read asks all replicas, accepts f + 1 equal answers, and is repeated until it has them. A linearizable
/// read needs a quorum of equal answers. It asks one quorum, and all others as soon as the first ones disagree, or
/// after half of the wait. If there is no agreement at the end of the wait, because of concurrent writes or faulty
/// replicas, it is ordered. So a linearizable read is at most one wait slower than an ordered read, and no number of
/// writes can starve it.
class query_collector {
 public:
  /// A replica whose answer was late or different is asked last for this time. So a silent or lying replica delays only
  /// the reads of one wait in each such time.
  static constexpr duration rest = 1s;
  /// The wait is this many times the usual time of a read, and at most this many times `retransmit_after`.
  static constexpr int waits_factor = 4;
  /// The shortest wait: some ticks of the client, and more than a process usually waits for its processor. Ordering a
  /// read costs the replicas forty times as much as answering it, so a busy cluster must not order reads in haste.
  static constexpr duration wait_min = 50ms;

  query_collector(const cluster_parameters& cluster, client_id self, const client_settings& settings);

  [[nodiscard]] query_effects on_query(byte_vector operation, operation_token token, read_mode mode, moment now);
  /// `from` is the replica at the other end of the authenticated link.
  [[nodiscard]] query_effects on_reply(replica_id from, const query_reply& value, moment now);
  /// Repeats committed reads, gives up linearizable ones, and ends those whose deadline has passed.
  [[nodiscard]] query_effects on_tick(moment now);
  /// Queries that were sent while the link was closed are lost, so they are sent again.
  [[nodiscard]] query_effects on_link_up(replica_id replica);
  void on_link_down(replica_id replica) { standings_.at(replica.value).is_linked = false; }
  [[nodiscard]] query_effects on_stop();

  [[nodiscard]] std::size_t pending() const { return open_.size(); }
  /// How long a linearizable read waits for agreement before it is ordered.
  [[nodiscard]] duration wait() const;

 private:
  struct open_query {
    frame_ptr frame;
    operation_token token = 0;
    read_mode mode = read_mode::committed;
    /// Only for a linearizable read, which may have to be ordered.
    byte_vector operation;
    /// The replicas that were asked, in the order in which they were asked.
    std::vector<replica_id> asked;
    /// The latest answer of each replica.
    std::vector<std::pair<replica_id, operation_result>> answers;
    moment since{};
    /// Only for a committed read: when all replicas are asked again.
    moment next_send{};
    moment deadline{};
  };
  struct standing {
    bool is_linked = true;
    moment rests_until{};
  };

  [[nodiscard]] std::uint32_t needed(read_mode mode) const;
  [[nodiscard]] std::vector<replica_id> order_of_asking(moment now);
  void ask_others(open_query& of, query_effects& out) const;
  void rest_silent(const open_query& of, moment now);
  [[nodiscard]] bool is_given_up(const open_query& of, moment now);
  void give_time(open_query& of, moment now, query_effects& out);
  void accept(std::map<timestamp, open_query>::iterator place, const operation_result& agreed, moment now,
              query_effects& out);
  void give_up(open_query& of, moment now, query_effects& out);

  group_size group_;
  client_id self_;
  client_settings settings_;
  std::map<timestamp, open_query> open_;
  timestamp next_{1};
  /// The replica that the next linearizable read asks first, so that all replicas share the load.
  std::uint32_t first_ = 0;
  std::vector<standing> standings_;
  /// A moving average of the time that linearizable reads took. It doubles while reads are given up, because a wait
  /// that is too short for the load would have every read ordered.
  duration usual_;
};

}  // namespace hypermesh::protocol
