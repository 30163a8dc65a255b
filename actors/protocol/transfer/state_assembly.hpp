#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/ports.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Finds chunks by their leaf among states that this replica already has, because they may be parts of the fetched
/// state. Pure. The added states may be incomplete: chunks without bytes are skipped. Memory: one pointer for each
/// chunk, and the states, which the cache keeps alive.
class chunk_cache {
 public:
  void add(std::shared_ptr<const state_snapshot> state);
  void clear();

  /// The bytes with the digest `leaf`, or null. The bytes are hashed again, because the leaves of a diverged replica
  /// may be wrong.
  [[nodiscard]] std::shared_ptr<const byte_vector> find(const digest& leaf) const;

 private:
  std::vector<std::shared_ptr<const state_snapshot>> states_;
  std::vector<const state_chunk*> by_leaf_;
};

/// Assembles a state from parts that untrusted donors send (TOCS '02 §5.3, with a hash tree of two levels: pages of
/// leaves under the root, chunks under their leaves). Pure. Every part is verified against the root before it is kept
/// (attack 24). The leaves are fetched first, because they show which chunks this replica has already, and they
/// determine the number of chunks.
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

  /// Adds a missing page. Chunks in `stock` whose leaves are on the page are used.
  [[nodiscard]] verdict add(std::uint64_t page, const leaf_page& content, const chunk_cache& stock);
  /// Adds the missing chunk `index`. All leaves must be known.
  [[nodiscard]] verdict add(std::uint64_t index, std::shared_ptr<const byte_vector> bytes);

  /// The kind of parts that is being fetched, the number of such parts as far as it is known, and whether a part is
  /// present already.
  [[nodiscard]] state_part phase() const { return has_leaves() ? state_part::chunk : state_part::leaves; }
  [[nodiscard]] std::uint64_t part_count() const;
  [[nodiscard]] bool has(std::uint64_t part) const;

  [[nodiscard]] bool has_leaves() const { return !pages_.empty() && pages_missing_ == 0; }
  [[nodiscard]] bool is_whole() const { return has_leaves() && chunks_missing_ == 0; }
  /// The number of chunks that this replica had already and did not fetch, for tests.
  [[nodiscard]] std::uint64_t chunks_reused() const { return chunks_reused_; }
  [[nodiscard]] std::uint64_t chunk_count() const { return chunks_.size(); }

  /// Returns the verified chunks; missing chunks have no bytes. The assembly is empty afterwards.
  [[nodiscard]] std::shared_ptr<const state_snapshot> release();

 private:
  digest root_;
  /// For each page of leaves, whether it is present. Empty until the first page shows how many pages there are.
  std::vector<bool> pages_;
  std::uint64_t pages_missing_ = 0;
  state_snapshot chunks_;
  std::uint64_t chunks_missing_ = 0;
  std::uint64_t chunks_reused_ = 0;
};

}  // namespace hypermesh::protocol
