#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/ports.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// Chunks at hand that may be parts of a state that is being fetched, found by their leaf. Pure. The states need not be
/// whole: a chunk without bytes is none. Memory: one pointer a chunk beside the states, which it keeps alive.
class chunk_stock {
 public:
  void add(std::shared_ptr<const state_snapshot> state);
  void clear();

  /// The bytes under `leaf`, hashed again: where this replica's state is wrong, its leaves may be what is wrong.
  [[nodiscard]] std::shared_ptr<const byte_vector> find(const digest& leaf) const;

 private:
  std::vector<std::shared_ptr<const state_snapshot>> states_;
  std::vector<const state_chunk*> by_leaf_;
};

/// A state that is put together from parts of unproven origin (TOCS '02 §5.3, with a hash tree of two levels: pages of
/// leaves under the root, chunks under their leaves). Pure. Nothing is kept that was not verified against the root
/// (attack 24). The leaves come first: they tell which chunks are at hand already, and bind the count of chunks.
/// Memory: once the first page is verified, 48 bytes for each of its count of chunks; and the chunks.
class state_assembly {
 public:
  explicit state_assembly(const digest& root) : root_(root) {}

  enum class verdict {
    taken,
    /// Whoever was asked for this part and sent that lied.
    lie,
  };

  /// `page` is still missing. Chunks in `stock` whose leaves are on it are taken too.
  [[nodiscard]] verdict take(std::uint64_t page, const leaf_page& content, const chunk_stock& stock);
  /// All leaves are known and `index` is still missing.
  [[nodiscard]] verdict take(std::uint64_t index, std::shared_ptr<const byte_vector> bytes);

  /// What is to be fetched now, how many parts of it there are, as far as is known, and which of them are here.
  [[nodiscard]] state_part phase() const { return has_leaves() ? state_part::chunk : state_part::leaves; }
  [[nodiscard]] std::uint64_t part_count() const;
  [[nodiscard]] bool has(std::uint64_t part) const;

  [[nodiscard]] bool has_leaves() const { return !pages_.empty() && pages_missing_ == 0; }
  [[nodiscard]] bool is_whole() const { return has_leaves() && chunks_missing_ == 0; }
  /// Chunks that did not need to be fetched.
  [[nodiscard]] std::uint64_t chunks_reused() const { return chunks_reused_; }
  [[nodiscard]] std::uint64_t chunk_count() const { return chunks_.size(); }

  /// What is there, chunks without bytes for what is missing. Leaves the assembly empty.
  [[nodiscard]] std::shared_ptr<const state_snapshot> release();

 private:
  digest root_;
  /// Which pages of leaves are here; empty until the first one tells how many there are.
  std::vector<bool> pages_;
  std::uint64_t pages_missing_ = 0;
  state_snapshot chunks_;
  std::uint64_t chunks_missing_ = 0;
  std::uint64_t chunks_reused_ = 0;
};

}  // namespace hypermesh
