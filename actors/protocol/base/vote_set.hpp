#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The votes of one kind for one (view, sequence): the first vote of each replica, whatever its digest.
/// Pure. Memory: n statements.
class vote_set {
 public:
  enum class outcome { added, duplicate, conflicting };

  /// Keeps the first vote of a replica. A second vote with another digest is never counted.
  outcome add(const signed_statement& vote);

  [[nodiscard]] std::size_t count_for(const digest& value) const;
  [[nodiscard]] std::vector<signed_statement> votes_for(const digest& value) const;
  [[nodiscard]] const signed_statement* of(replica_id replica) const;

 private:
  std::map<replica_id, signed_statement> votes_;
};

}  // namespace hypermesh::protocol
