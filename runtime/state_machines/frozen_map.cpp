#include "runtime/state_machines/frozen_map.hpp"

#include <utility>

namespace hypermesh::machines {

namespace {

void add(frozen_map::content& to, const frozen_map::content& from, std::size_t first, std::size_t last) {
  const auto at = [](std::size_t index) { return static_cast<std::ptrdiff_t>(index); };
  to.starts.insert(to.starts.end(), from.starts.begin() + at(first), from.starts.begin() + at(last));
  to.chunks.insert(to.chunks.end(), from.chunks.begin() + at(first), from.chunks.begin() + at(last));
}

/// The content of `before` with the changes, whose chunks are hashed.
frozen_map::content merged(const frozen_map::content& before, const std::vector<frozen_map::change>& changes) {
  frozen_map::content made;
  made.starts.reserve(before.starts.size() + changes.size());
  made.chunks.reserve(before.chunks.size() + changes.size());
  std::size_t next = 0;
  for (const auto& change : changes) {
    auto end = next;
    while (end < before.starts.size() && before.starts[end] < change.start)
      ++end;
    add(made, before, next, end);
    // The chunks that began at this place are replaced.
    for (next = end; next < before.starts.size() && before.starts[next] == change.start;)
      ++next;
    if (change.chunk == nullptr) continue;
    made.starts.push_back(change.start);
    made.chunks.push_back({change.chunk, state_chunk_digest(*change.chunk)});
  }
  add(made, before, next, before.starts.size());
  return made;
}

}  // namespace

const frozen_map::content& frozen_map::finish_content() {
  const std::lock_guard lock{mutex_};
  if (is_finished()) return content_;
  // The earlier state is finished first, so each chunk is hashed once, whichever state a caller needs first.
  content_ = merged(before_ == nullptr ? content{} : before_->finish_content(), changes_);
  before_ = nullptr;
  changes_ = {};
  is_finished_.store(true, std::memory_order_release);
  return content_;
}

}  // namespace hypermesh::machines
