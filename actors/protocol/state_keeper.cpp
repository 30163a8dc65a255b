#include "actors/protocol/state_keeper.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh {

void state_keeper::on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  require(snapshot != nullptr, "a taken state is there");
  if (sequence <= kept_) return;
  taken_[sequence] = std::move(snapshot);
  start_if_due();
}

void state_keeper::on_stable(sequence_number sequence) {
  stable_ = std::max(stable_, sequence);
  start_if_due();
}

/// The newest state that is taken and stable, whichever came first: the executor may lag behind the certificates.
void state_keeper::start_if_due() {
  auto newest = taken_.upper_bound(stable_);
  if (newest == taken_.begin()) return;
  --newest;
  taken_.erase(taken_.begin(), newest);
  if (is_writing() || bytes_since_ < retained_bytes_) return;
  start(newest->first, newest->second);
  taken_.erase(taken_.begin());
}

void state_keeper::on_installed(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  require(snapshot != nullptr, "an installed state is there");
  taken_.clear();
  if (sequence < kept_) return;
  start(sequence, std::move(snapshot));
}

void state_keeper::start(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  writing_ = std::move(snapshot);
  writing_sequence_ = sequence;
  next_chunk_ = 0;
  bytes_at_start_ = bytes_since_;
}

std::optional<state_keeper::piece> state_keeper::next() {
  if (!is_writing()) return std::nullopt;
  const auto first = next_chunk_;
  std::size_t bytes = 0;
  while (next_chunk_ < writing_->size() && bytes < piece_bytes_max)
    bytes += (*writing_)[next_chunk_++].bytes->size();
  const std::span<const state_chunk> all{*writing_};
  return piece{writing_sequence_, all.subspan(first, next_chunk_ - first), next_chunk_ == writing_->size()};
}

std::vector<digest> state_keeper::leaves() const {
  require(is_writing(), "leaves are those of the state that is written");
  std::vector<digest> all;
  all.reserve(writing_->size());
  for (const auto& chunk : *writing_)
    all.push_back(chunk.leaf);
  return all;
}

void state_keeper::on_kept() {
  require(is_writing() && next_chunk_ == writing_->size(), "a state is kept as a whole");
  kept_ = writing_sequence_;
  bytes_since_ -= bytes_at_start_;
  writing_ = nullptr;
  start_if_due();
}

}  // namespace hypermesh
