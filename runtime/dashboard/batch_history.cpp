#include "runtime/dashboard/batch_history.hpp"

#include <algorithm>

namespace hypermesh::runtime {

moment shown_batch::begin() const {
  auto first = times.committed;
  const auto consider = [&first](moment each) {
    if (each != moment{}) first = std::min(first, each);
  };
  consider(times.requested);
  consider(times.proposed);
  consider(times.prepared);
  for (const auto& each : votes)
    consider(each.arrived);
  return first;
}

shown_batch* batch_history::entry_of(sequence_number sequence) {
  auto& entry = entries_[sequence.value % batches_max];
  if (entry.sequence > sequence) return nullptr;
  if (entry.sequence < sequence) {
    entry = {};
    entry.sequence = sequence;
  }
  return &entry;
}

const shown_batch* batch_history::note(const observation& what) {
  if (const auto* it = std::get_if<slot_committed>(&what)) {
    auto* entry = entry_of(it->content.sequence);
    // A later view may commit a batch again that was executed already. Its first way is the one that clients saw.
    if (entry == nullptr || entry->is_complete()) return nullptr;
    entry->view = it->content.view;
    entry->times = it->times;
    entry->votes = it->votes;
    return entry->is_complete() ? entry : nullptr;
  }
  const auto* done = std::get_if<batch_was_executed>(&what);
  if (done == nullptr) return nullptr;
  auto* entry = entry_of(done->sequence);
  if (entry == nullptr || entry->executed != moment{}) return nullptr;
  entry->executed = done->executed;
  entry->replied = done->replied;
  entry->requests = done->requests == nullptr ? 0 : done->requests->size();
  return entry->is_complete() ? entry : nullptr;
}

std::vector<shown_batch> batch_history::batches() const {
  std::vector<shown_batch> complete;
  std::ranges::copy_if(entries_, std::back_inserter(complete), &shown_batch::is_complete);
  std::ranges::sort(complete, {}, &shown_batch::sequence);
  return complete;
}

}  // namespace hypermesh::runtime
