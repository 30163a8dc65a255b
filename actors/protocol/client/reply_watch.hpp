#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>

#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Counts the results of each replica that differ from the result of f+1 replicas (attack 5). The count is only a hint
/// for the operator of the client: replies are not signed, so a wrong reply proves nothing to others. Pure. Memory: a
/// digest and at most n replica numbers for each of the last `remembered_max` requests, and a count for each replica.
class reply_watch {
 public:
  static constexpr std::size_t remembered_max = 512;
  using outcomes = std::map<replica_id, request_outcome>;

  /// f+1 replicas gave the outcome `agreed`. `given` contains the outcome of each replica that has answered so far.
  void on_agreed(timestamp when, const request_outcome& agreed, const outcomes& given);
  /// A reply arrived for a request that has its result already or that was never sent.
  void on_late(replica_id from, timestamp when, const request_outcome& outcome);

  /// The number of wrong results of each replica that gave one.
  [[nodiscard]] const std::map<replica_id, std::uint64_t>& wrong_replies() const { return wrong_; }

 private:
  struct answered {
    timestamp when;
    digest agreed;
    /// Replicas whose result was compared, so that no replica is counted twice for one request.
    std::set<replica_id> heard;
  };

  void compare(answered& with, replica_id from, const request_outcome& outcome);

  std::deque<answered> answered_;
  std::map<replica_id, std::uint64_t> wrong_;
};

}  // namespace hypermesh::protocol
