#include "actors/protocol/state_keeper.hpp"

#include <algorithm>
#include <utility>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh {

void state_keeper::restore(sequence_number kept, std::vector<digest> leaves, std::uint64_t record_bytes) {
  kept_ = kept;
  kept_leaves_ = std::move(leaves);
  std::ranges::sort(kept_leaves_);
  bytes_since_ = record_bytes;
}

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
  if (is_writing() || !is_due(*newest->second)) return;
  start(newest->first, newest->second);
  taken_.erase(taken_.begin());
}

bool state_keeper::is_due(const state_snapshot& snapshot) {
  if (bytes_since_ < std::max(retained_bytes_, bytes_wanted_)) return false;
  std::uint64_t unwritten = 0;
  for (const auto& chunk : snapshot) {
    if (!std::ranges::binary_search(kept_leaves_, chunk.leaf)) unwritten += chunk.bytes->size();
  }
  // A state that changes goes on changing: it is not looked at again before so many records are there.
  bytes_wanted_ = unwritten <= small_write_bytes ? 0 : unwritten / 2;
  return bytes_since_ >= bytes_wanted_;
}

void state_keeper::on_installed(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot,
                                const checkpoint_certificate& proof) {
  require(snapshot != nullptr, "an installed state is there");
  taken_.clear();
  if (sequence < kept_) return;
  start(sequence, std::move(snapshot));
  proof_ = {record_kind::stable_checkpoint, view_number{0}, sequence, encode(checkpoint_proof{proof})};
}

void state_keeper::start(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  writing_ = std::move(snapshot);
  writing_sequence_ = sequence;
  next_chunk_ = 0;
  bytes_at_start_ = bytes_since_;
  proof_.reset();
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

std::optional<storage_record> state_keeper::on_kept() {
  require(is_writing() && next_chunk_ == writing_->size(), "a state is kept as a whole");
  kept_ = writing_sequence_;
  kept_leaves_ = leaves();
  std::ranges::sort(kept_leaves_);
  bytes_since_ -= bytes_at_start_;
  bytes_wanted_ = 0;
  writing_ = nullptr;
  auto proof = std::exchange(proof_, std::nullopt);
  start_if_due();
  return proof;
}

}  // namespace hypermesh
