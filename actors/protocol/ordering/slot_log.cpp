#include "actors/protocol/ordering/slot_log.hpp"

namespace hypermesh::protocol {

bool slot::is_prepared(group_size group) const {
  // The proposal counts as the vote of the primary, which casts no PREPARE (`check_vote` of the validator). So no
  // replica counts twice, and only votes for the digest of this replica's proposal count (attack 6).
  return proposal && prepares.count_for(proposal->header.content.value) + 1 >= group.quorum();
}

bool slot::is_committed_local(group_size group) const {
  // COMMITs alone are not enough: a replica that does not hold the batch cannot execute it or prove it in a
  // VIEW-CHANGE.
  return is_prepared(group) && commits.count_for(proposal->header.content.value) >= group.quorum();
}

slot& slot_log::at(sequence_number sequence) {
  // Callers check the watermarks first, because otherwise a faulty primary could fill the memory (attack 28).
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

}  // namespace hypermesh::protocol
