#include "actors/protocol/transfer/state_assembly.hpp"

#include <algorithm>
#include <utility>

#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

// --- Chunks at hand --------------------------------------------------------------

void chunk_cache::add(std::shared_ptr<const state_snapshot> state) {
  if (state == nullptr) return;
  for (const auto& chunk : *state) {
    // An incomplete assembly has leaves without bytes.
    if (chunk.bytes != nullptr) by_leaf_.push_back(&chunk);
  }
  std::ranges::sort(by_leaf_, {}, &state_chunk::leaf);
  states_.push_back(std::move(state));
}

void chunk_cache::clear() {
  by_leaf_ = {};
  states_.clear();
}

std::shared_ptr<const byte_vector> chunk_cache::find(const digest& leaf) const {
  // Two states may have the same leaf with different bytes if one of them is wrong (attack 27), so all chunks with this
  // leaf are tried.
  for (const auto* chunk : std::ranges::equal_range(by_leaf_, leaf, {}, &state_chunk::leaf)) {
    if (state_chunk_digest(*chunk->bytes) == leaf) return chunk->bytes;
  }
  return nullptr;
}

// --- Assembly --------------------------------------------------------------------

std::uint64_t state_assembly::part_count() const {
  if (has_leaves()) return chunks_.size();
  // Until one page is verified, only the first page is known to exist.
  return pages_.empty() ? 1 : pages_.size();
}

bool state_assembly::has(std::uint64_t part) const {
  require(part < part_count(), "the part exists");
  if (has_leaves()) return chunks_[part].bytes != nullptr;
  return !pages_.empty() && pages_[part];
}

state_assembly::verdict state_assembly::add(std::uint64_t page, const leaf_page& content, const chunk_cache& stock) {
  require(!has(page), "a page is added once");
  // The root binds count, place and leaves; a lie about any of them fails here, before it costs memory.
  if (!verify_merkle_page(root_, content.chunk_count, page, limits::state_page_leaves, content.leaves, content.path)) {
    return verdict::lie;
  }
  if (pages_.empty()) {
    pages_.resize(state_pages_of(content.chunk_count));
    pages_missing_ = pages_.size();
    // The number of chunks is proven here. Memory for an unproven number would let a faulty donor exhaust the memory
    // (attack 24).
    chunks_.resize(content.chunk_count);
    chunks_missing_ = chunks_.size();
  }
  // Two verified pages cannot announce different numbers, so the vectors are sized once.
  require(chunks_.size() == content.chunk_count, "the root binds the count of chunks");
  pages_[page] = true;
  --pages_missing_;
  const auto begin = page * limits::state_page_leaves;
  for (std::size_t index = 0; index < content.leaves.size(); ++index) {
    auto& chunk = chunks_[begin + index];
    chunk.leaf = content.leaves[index];
    // A chunk that this replica has already is not fetched. Its bytes were hashed again, so they are verified like
    // those of a fetched chunk.
    chunk.bytes = stock.find(chunk.leaf);
    if (chunk.bytes == nullptr) continue;
    --chunks_missing_;
    ++chunks_reused_;
  }
  return verdict::taken;
}

state_assembly::verdict state_assembly::add(std::uint64_t index, std::shared_ptr<const byte_vector> bytes) {
  require(has_leaves() && !has(index), "a chunk is added once, and under its leaf");
  // The leaf is verified, so bytes with another digest prove to this replica that the donor lied (attack 24).
  auto& chunk = chunks_[index];
  if (state_chunk_digest(*bytes) != chunk.leaf) return verdict::lie;
  chunk.bytes = std::move(bytes);
  --chunks_missing_;
  return verdict::taken;
}

/// A whole state is compared once more with the certified root: no other whole state reaches the executor (I10).
std::shared_ptr<const state_snapshot> state_assembly::release() {
  if (is_whole()) require(state_root(chunks_) == root_, "verified chunks make up the certified root");
  auto released = std::make_shared<const state_snapshot>(std::move(chunks_));
  *this = state_assembly{root_};
  return released;
}

}  // namespace hypermesh::protocol
