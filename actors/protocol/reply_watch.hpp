#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>

#include "messages/values.hpp"

namespace hypermesh {

/// Who gave a client another result than the one that f+1 replicas gave (attack 5). A suspicion only: replies are not
/// signed, so nobody else could be shown it. Pure. Memory: a digest for each of the last `remembered_max` requests, and
/// a count for each replica.
class reply_watch {
 public:
  static constexpr std::size_t remembered_max = 512;
  using outcomes = std::map<replica_id, request_outcome>;

  /// f+1 replicas agree; `given` is what each one said so far.
  void on_agreed(timestamp when, const request_outcome& agreed, const outcomes& given);
  /// A reply to a request that is answered, or was never asked.
  void on_late(replica_id from, timestamp when, const request_outcome& outcome);

  /// Replicas with at least one, and how many.
  [[nodiscard]] const std::map<replica_id, std::uint64_t>& wrong_replies() const { return wrong_; }

 private:
  struct answered {
    timestamp when;
    digest agreed;
    /// Who was compared: nobody counts twice.
    std::set<replica_id> heard;
  };

  void compare(answered& with, replica_id from, const request_outcome& outcome);

  std::deque<answered> answered_;
  std::map<replica_id, std::uint64_t> wrong_;
};

}  // namespace hypermesh
