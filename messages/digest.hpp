#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "messages/types.hpp"

namespace hypermesh::messages {

/// Incremental BLAKE2b-256. The hash begins with the length of the domain tag and the tag
/// itself, so values of different meaning never share a digest (attack 2).
class hasher {
 public:
  explicit hasher(std::string_view domain);

  hasher& add(byte_span bytes);
  /// Adds the number as eight little-endian bytes.
  hasher& add(std::uint64_t number);
  hasher& add(const digest& value) { return add(value.view()); }

  [[nodiscard]] digest finish();

 private:
  /// Memory for a `crypto_generichash_state`; the source asserts that its size and alignment fit.
  alignas(64) std::array<std::byte, 384> state_;
};

/// D(m): BLAKE2b-256 of `bytes` under a domain tag.
[[nodiscard]] digest digest_of(std::string_view domain, byte_span bytes);

/// The sibling digests on the way from a leaf to the root, the lowest one first.
using merkle_path = std::vector<digest>;

/// The root of the binary hash tree over `leaves`; an empty list has a root too. The count of leaves is part of the
/// root, and inner nodes have another domain than leaves, so no proof of one tree fits a tree of another shape. The
/// last node of a level of odd length becomes a node of the next level unchanged.
[[nodiscard]] digest merkle_root(std::vector<digest> leaves);

/// The root of a tree of `leaf_count` leaves in which `leaf` has the number `index` and the siblings in `path`. Returns
/// nothing if there is no such leaf or if the path has the wrong length.
[[nodiscard]] std::optional<digest> merkle_root_above(const digest& leaf, std::uint64_t index, std::uint64_t leaf_count,
                                                      const merkle_path& path);

/// The leaves of a tree in pages of `page_leaves` leaves, a power of two; the last page may be shorter. Each page is a
/// whole subtree, so one path proves all its leaves. Memory: two digests for each page.
class merkle_pages {
 public:
  merkle_pages(std::span<const digest> leaves, std::size_t page_leaves);

  /// The `merkle_root` of all leaves.
  [[nodiscard]] digest root() const { return root_; }
  [[nodiscard]] std::size_t page_count() const { return levels_.front().size(); }

  /// The path that `verify_merkle_page` accepts for `page` < page_count().
  [[nodiscard]] merkle_path path(std::size_t page) const;

 private:
  std::vector<std::vector<digest>> levels_;
  digest root_;
};

/// Whether `leaves` are all leaves of page `page` in the tree of `leaf_count` leaves under `root`. Returns false for
/// every inconsistent input, never an error.
[[nodiscard]] bool verify_merkle_page(const digest& root, std::uint64_t leaf_count, std::uint64_t page,
                                      std::size_t page_leaves, std::span<const digest> leaves, const merkle_path& path);

}  // namespace hypermesh::messages
