#include "actors/protocol/slot_log.hpp"

#include <algorithm>

namespace hypermesh {

vote_set::outcome vote_set::add(const signed_statement& vote) {
  const auto [place, added] = votes_.emplace(vote.content.replica, vote);
  if (added) return outcome::added;
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

bool slot::is_prepared(group_size group) const {
  return proposal && prepares.count_for(proposal->header.content.value) + 1 >= group.quorum();
}

bool slot::is_committed_local(group_size group) const {
  return is_prepared(group) && commits.count_for(proposal->header.content.value) >= group.quorum();
}

slot& slot_log::at(sequence_number sequence) {
  require(marks_.contains(sequence), "only sequences inside the watermarks have a slot");
  return slots_[sequence];
}

const slot* slot_log::find(sequence_number sequence) const {
  const auto found = slots_.find(sequence);
  return found == slots_.end() ? nullptr : &found->second;
}

void slot_log::cut_through(sequence_number stable) {
  marks_.advance_to(stable);
  slots_.erase(slots_.begin(), slots_.upper_bound(stable));
}

sequence_number slot_log::last() const { return slots_.empty() ? marks_.low() : slots_.rbegin()->first; }

}  // namespace hypermesh
