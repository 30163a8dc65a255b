#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/ports.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// Chunks at hand that may be parts of the fetched state, found by their leaf. Pure. The states that are added need not
/// be whole: chunks without bytes are skipped. Memory: one pointer for each chunk, and the states, which the cache
/// keeps alive.
class chunk_cache {
 public:
  void add(std::shared_ptr<const state_snapshot> state);
  void clear();

  /// The bytes under `leaf`, or null. They are hashed again, because the leaves of a diverged replica may be wrong.
  [[nodiscard]] std::shared_ptr<const byte_vector> find(const digest& leaf) const;

 private:
  std::vector<std::shared_ptr<const state_snapshot>> states_;
  std::vector<const state_chunk*> by_leaf_;
};

/// A state that is put together from parts of unproven origin (TOCS '02 §5.3, with a hash tree of two levels: pages of
/// leaves under the root, chunks under their leaves). Pure. No part is kept that was not verified against the root
/// (attack 24). The leaves come first, because they show which chunks are at hand and bind the number of chunks.
///
/// Memory: once the first page is verified, 48 bytes for each chunk that it announces; and the chunks.
class state_assembly {
 public:
  explicit state_assembly(const digest& root) : root_(root) {}

  enum class verdict {
    taken,
    /// The sender of this part lied.
    lie,
  };

  /// Adds a page that is missing. Chunks in `stock` whose leaves are on the page are taken over.
  [[nodiscard]] verdict add(std::uint64_t page, const leaf_page& content, const chunk_cache& stock);
  /// Adds the chunk `index`, which is missing. All leaves must be known.
  [[nodiscard]] verdict add(std::uint64_t index, std::shared_ptr<const byte_vector> bytes);

  /// The kind of parts that is fetched at present, how many such parts there are as far as is known, and whether a part
  /// is here already.
  [[nodiscard]] state_part phase() const { return has_leaves() ? state_part::chunk : state_part::leaves; }
  [[nodiscard]] std::uint64_t part_count() const;
  [[nodiscard]] bool has(std::uint64_t part) const;

  [[nodiscard]] bool has_leaves() const { return !pages_.empty() && pages_missing_ == 0; }
  [[nodiscard]] bool is_whole() const { return has_leaves() && chunks_missing_ == 0; }
  /// Chunks that were at hand and were not fetched. For tests.
  [[nodiscard]] std::uint64_t chunks_reused() const { return chunks_reused_; }
  [[nodiscard]] std::uint64_t chunk_count() const { return chunks_.size(); }

  /// The verified chunks; the missing ones have no bytes. Leaves the assembly empty.
  [[nodiscard]] std::shared_ptr<const state_snapshot> release();

 private:
  digest root_;
  /// For each page of leaves whether it is here. Empty until the first page shows how many pages there are.
  std::vector<bool> pages_;
  std::uint64_t pages_missing_ = 0;
  state_snapshot chunks_;
  std::uint64_t chunks_missing_ = 0;
  std::uint64_t chunks_reused_ = 0;
};

}  // namespace hypermesh
