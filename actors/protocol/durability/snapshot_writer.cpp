#include "actors/protocol/durability/snapshot_writer.hpp"

#include <algorithm>
#include <utility>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

void snapshot_writer::restore(sequence_number kept, std::vector<digest> leaves, std::uint64_t record_bytes) {
  kept_ = kept;
  kept_leaves_ = std::move(leaves);
  std::ranges::sort(kept_leaves_);
  bytes_since_ = record_bytes;
}

void snapshot_writer::on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  require(snapshot != nullptr, "a taken state has a snapshot");
  // A state that is not newer than the kept one is not written, because no record could be forgotten for it.
  if (sequence <= kept_) return;
  taken_[sequence] = std::move(snapshot);
  start_if_due();
}

void snapshot_writer::on_stable(sequence_number sequence) {
  stable_ = std::max(stable_, sequence);
  start_if_due();
}

/// Writes the newest state that is both taken and stable. Either may come first, because the executor may lag behind
/// the certificates.
void snapshot_writer::start_if_due() {
  auto newest = taken_.upper_bound(stable_);
  if (newest == taken_.begin()) return;
  --newest;
  // The states before it are never written.
  taken_.erase(taken_.begin(), newest);
  if (is_writing() || !is_due(*newest->second)) return;
  start(newest->first, newest->second);
  taken_.erase(taken_.begin());
}

bool snapshot_writer::is_due(const state_snapshot& snapshot) {
  // The cheap test comes first, because the loop below examines every chunk of the state.
  if (bytes_since_ < std::max(retained_bytes_, bytes_wanted_)) return false;
  // Chunks of the kept state are on disk already, so only the other chunks have to be written.
  std::uint64_t unwritten = 0;
  for (const auto& chunk : snapshot) {
    if (!std::ranges::binary_search(kept_leaves_, chunk.leaf)) unwritten += chunk.bytes->size();
  }
  // The state is not examined again before this many bytes of records were written, because each examination reads the
  // leaves of all chunks.
  bytes_wanted_ = unwritten <= small_write_bytes ? 0 : unwritten / 2;
  return bytes_since_ >= bytes_wanted_;
}

void snapshot_writer::on_installed(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot,
                                   const checkpoint_certificate& proof) {
  require(snapshot != nullptr, "an installed state has a snapshot");
  // The states taken before are older, or wrong if this one replaces a state that had diverged.
  taken_.clear();
  // A state is written again if the kept state has the same sequence number, because the kept state may be the one that
  // had diverged.
  if (sequence < kept_) return;
  start(sequence, std::move(snapshot));
  proof_ = {record_kind::stable_checkpoint, view_number{0}, sequence, encode(checkpoint_proof{proof})};
}

void snapshot_writer::start(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot) {
  // An installed state may interrupt the write of another state, which is older or wrong. A state without its last
  // piece never counts as kept.
  writing_ = std::move(snapshot);
  writing_sequence_ = sequence;
  next_chunk_ = 0;
  // This state covers only the records that exist now.
  bytes_at_start_ = bytes_since_;
  // A certificate of another installed state must not be written with this one.
  proof_.reset();
}

std::optional<snapshot_writer::piece> snapshot_writer::next() {
  if (!is_writing()) return std::nullopt;
  const auto first = next_chunk_;
  std::size_t bytes = 0;
  // A piece ends with the chunk that reaches the bound, so votes wait for little more than 1 MiB.
  while (next_chunk_ < writing_->size() && bytes < piece_bytes_max)
    bytes += (*writing_)[next_chunk_++].bytes->size();
  const std::span<const state_chunk> all{*writing_};
  return piece{writing_sequence_, all.subspan(first, next_chunk_ - first), next_chunk_ == writing_->size()};
}

std::vector<digest> snapshot_writer::leaves() const {
  require(is_writing(), "leaves belong to a state that is being written");
  std::vector<digest> all;
  all.reserve(writing_->size());
  for (const auto& chunk : *writing_)
    all.push_back(chunk.leaf);
  return all;
}

std::optional<storage_record> snapshot_writer::on_kept() {
  require(is_writing() && next_chunk_ == writing_->size(), "a state is kept only as a whole");
  kept_ = writing_sequence_;
  kept_leaves_ = leaves();
  std::ranges::sort(kept_leaves_);
  // Records that were written meanwhile are kept, and count towards the next state.
  bytes_since_ -= bytes_at_start_;
  bytes_wanted_ = 0;
  writing_ = nullptr;
  auto proof = std::exchange(proof_, std::nullopt);
  // A newer state may have become stable while this one was written.
  start_if_due();
  return proof;
}

}  // namespace hypermesh::protocol
