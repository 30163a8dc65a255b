#include "runtime/trace/trace_ring.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::runtime {

traced_batch* trace_ring::entry_of(sequence_number sequence) {
  require(!entries_.empty(), "a ring has room for a batch");
  auto& entry = entries_[sequence.value % entries_.size()];
  if (entry.sequence > sequence) return nullptr;
  if (entry.sequence < sequence) {
    entry = {};
    entry.sequence = sequence;
  }
  return &entry;
}

void trace_ring::note(const observation& what) {
  if (const auto* it = std::get_if<slot_committed>(&what)) {
    auto* entry = entry_of(it->content.sequence);
    // A later view may commit a batch again that was executed already. Its first way is the one that clients saw.
    if (entry == nullptr || entry->is_complete()) return;
    entry->view = it->content.view;
    entry->times = it->times;
  } else if (const auto* done = std::get_if<batch_was_executed>(&what)) {
    auto* entry = entry_of(done->sequence);
    if (entry == nullptr || entry->executed != moment{}) return;
    entry->executed = done->executed;
    entry->replied = done->replied;
    entry->requests_total = done->requests->size();
    const auto count = std::min(requests_max, done->requests->size());
    entry->requests.reserve(count);
    for (std::size_t place = 0; place < count; ++place)
      entry->requests.push_back((*done->requests)[place].id);
  }
}

std::vector<traced_batch> trace_ring::batches(std::size_t text_bytes_max) const {
  std::vector<const traced_batch*> complete;
  for (const auto& each : entries_) {
    if (each.is_complete()) complete.push_back(&each);
  }
  std::ranges::sort(complete, {}, [](const auto* each) { return each->sequence; });
  // The shortest texts of a batch and of an id (`node_trace.cpp`).
  constexpr std::size_t batch_bytes_min = 100;
  constexpr std::size_t id_bytes_min = 8;
  auto first = complete.end();
  for (std::size_t bytes = 0; first != complete.begin(); --first) {
    bytes += batch_bytes_min + id_bytes_min * (*std::prev(first))->requests.size();
    if (bytes > text_bytes_max) break;
  }
  std::vector<traced_batch> all;
  for (; first != complete.end(); ++first)
    all.push_back(**first);
  return all;
}

}  // namespace hypermesh::runtime
