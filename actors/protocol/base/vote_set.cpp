#include "actors/protocol/base/vote_set.hpp"

#include <algorithm>

namespace hypermesh::protocol {

vote_set::outcome vote_set::add(const signed_statement& vote) {
  // The first vote of a replica is kept. If a second vote replaced it, a faulty replica could be counted for one digest
  // first and for another digest later (attack 3).
  const auto [place, added] = votes_.emplace(vote.content.replica, vote);
  if (added) return outcome::added;
  // Only contents are compared, because two signatures of the same content are not a conflict.
  return place->second.content == vote.content ? outcome::duplicate : outcome::conflicting;
}

std::size_t vote_set::count_for(const digest& value) const {
  return static_cast<std::size_t>(std::count_if(votes_.begin(), votes_.end(),
                                                [&](const auto& each) { return each.second.content.value == value; }));
}

std::vector<signed_statement> vote_set::votes_for(const digest& value) const {
  std::vector<signed_statement> matching;
  for (const auto& [replica, vote] : votes_) {
    if (vote.content.value == value) matching.push_back(vote);
  }
  return matching;
}

const signed_statement* vote_set::of(replica_id replica) const {
  const auto found = votes_.find(replica);
  return found == votes_.end() ? nullptr : &found->second;
}

}  // namespace hypermesh::protocol
