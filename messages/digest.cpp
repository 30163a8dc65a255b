#include "messages/digest.hpp"

#include <algorithm>
#include <new>
#include <optional>

#include <sodium.h>

#include "messages/merkle_tree.hpp"
#include "messages/require.hpp"

namespace hypermesh::messages {

namespace {

constexpr std::string_view node_domain = "hypermesh merkle node";
constexpr std::string_view root_domain = "hypermesh merkle root";

crypto_generichash_state* state_of(std::array<std::byte, 384>& storage) {
  return std::launder(reinterpret_cast<crypto_generichash_state*>(storage.data()));
}

const unsigned char* raw(byte_span bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

digest node_of(const digest& left, const digest& right) { return hasher{node_domain}.add(left).add(right).finish(); }

digest root_of(std::uint64_t leaf_count, const digest& top) {
  return hasher{root_domain}.add(leaf_count).add(top).finish();
}

/// All levels of the tree from `bottom` up to a level of one node. The last node of a level of odd length becomes a
/// node of the next level unchanged.
std::vector<std::vector<digest>> levels_above(std::vector<digest> bottom) {
  std::vector<std::vector<digest>> levels;
  levels.push_back(std::move(bottom));
  while (levels.back().size() > 1) {
    const auto& below = levels.back();
    std::vector<digest> level;
    level.reserve((below.size() + 1) / 2);
    for (std::size_t index = 0; index + 1 < below.size(); index += 2) {
      level.push_back(node_of(below[index], below[index + 1]));
    }
    if (below.size() % 2 == 1) level.push_back(below.back());
    levels.push_back(std::move(level));
  }
  return levels;
}

digest top_of(const std::vector<std::vector<digest>>& levels) {
  return levels.back().empty() ? digest{} : levels.back().front();
}

/// The siblings on the way up from node `index` of the lowest level.
merkle_path path_above(const std::vector<std::vector<digest>>& levels, std::size_t index) {
  merkle_path path;
  for (std::size_t level = 0; level + 1 < levels.size(); ++level) {
    const auto sibling = index ^ 1U;
    if (sibling < levels[level].size()) path.push_back(levels[level][sibling]);
    index /= 2;
  }
  return path;
}

/// Computes the root from `node` and the siblings in `path`. `node` has the position `index` in a level of `width`
/// nodes. Returns nothing if `path` has the wrong length.
std::optional<digest> climb(digest node, std::uint64_t index, std::uint64_t width, const merkle_path& path) {
  auto step = path.begin();
  for (; width > 1; width = width / 2 + width % 2) {
    const bool has_sibling = (index ^ 1U) < width;
    if (has_sibling) {
      if (step == path.end()) return std::nullopt;
      node = index % 2 == 0 ? node_of(node, *step) : node_of(*step, node);
      ++step;
    }
    index /= 2;
  }
  return step == path.end() ? std::optional{node} : std::nullopt;
}

/// The root of the subtree over one page. In the tree over all leaves, the node of a shorter last page is copied up
/// unchanged to the level of the other pages. So the subtree and the whole tree give the same node.
digest top_of_page(std::span<const digest> leaves) { return top_of(levels_above({leaves.begin(), leaves.end()})); }

}  // namespace

hasher::hasher(std::string_view domain) {
  static_assert(sizeof(crypto_generichash_state) <= sizeof(state_));
  static_assert(alignof(crypto_generichash_state) <= 64);
  ::new (static_cast<void*>(state_.data())) crypto_generichash_state;
  crypto_generichash_init(state_of(state_), nullptr, 0, digest::size);
  add(domain.size());
  add(as_byte_span(domain));
}

hasher& hasher::add(byte_span bytes) {
  crypto_generichash_update(state_of(state_), raw(bytes), bytes.size());
  return *this;
}

hasher& hasher::add(std::uint64_t number) {
  std::array<std::byte, 8> encoded;
  for (auto& byte : encoded) {
    byte = static_cast<std::byte>(number & 0xffU);
    number >>= 8U;
  }
  return add(byte_span{encoded});
}

digest hasher::finish() {
  digest out;
  crypto_generichash_final(state_of(state_), reinterpret_cast<unsigned char*>(out.bytes.data()), digest::size);
  return out;
}

digest digest_of(std::string_view domain, byte_span bytes) { return hasher{domain}.add(bytes).finish(); }

digest merkle_root(std::vector<digest> leaves) {
  const auto count = leaves.size();
  return root_of(count, top_of(levels_above(std::move(leaves))));
}

std::optional<digest> merkle_root_above(const digest& leaf, std::uint64_t index, std::uint64_t leaf_count,
                                        const merkle_path& path) {
  if (index >= leaf_count) return std::nullopt;
  const auto top = climb(leaf, index, leaf_count, path);
  return top ? std::optional{root_of(leaf_count, *top)} : std::nullopt;
}

merkle_pages::merkle_pages(std::span<const digest> leaves, std::size_t page_leaves) {
  require(page_leaves > 0 && (page_leaves & (page_leaves - 1)) == 0, "a page is a whole subtree");
  std::vector<digest> tops;
  tops.reserve(leaves.size() / page_leaves + 1);
  for (std::size_t begin = 0; begin < leaves.size(); begin += page_leaves) {
    tops.push_back(top_of_page(leaves.subspan(begin, std::min(page_leaves, leaves.size() - begin))));
  }
  levels_ = levels_above(std::move(tops));
  root_ = root_of(leaves.size(), top_of(levels_));
}

merkle_path merkle_pages::path(std::size_t page) const {
  require(page < page_count(), "the page exists");
  return path_above(levels_, page);
}

bool verify_merkle_page(const digest& root, std::uint64_t leaf_count, std::uint64_t page, std::size_t page_leaves,
                        std::span<const digest> leaves, const merkle_path& path) {
  if (page_leaves == 0 || (page_leaves & (page_leaves - 1)) != 0) return false;
  const auto pages = leaf_count / page_leaves + (leaf_count % page_leaves == 0 ? 0 : 1);
  if (page >= pages) return false;
  // Only the last page may be shorter, because a shorter page elsewhere would be a subtree of another shape.
  if (leaves.size() != std::min<std::uint64_t>(page_leaves, leaf_count - page * page_leaves)) return false;
  const auto top = climb(top_of_page(leaves), page, pages, path);
  return top && root_of(leaf_count, *top) == root;
}

namespace {

/// Replaces `level` by `now`. Returns the numbers of the nodes that differ from before, in ascending order. The last
/// node counts as different if the length differs, because its parent may have lost or gained a second child.
std::vector<std::size_t> replace_level(std::vector<digest>& level, std::span<const digest> now) {
  std::vector<std::size_t> changed;
  const auto length_before = level.size();
  level.resize(now.size());
  for (std::size_t index = 0; index < now.size(); ++index) {
    const bool is_new = index >= length_before;
    const bool is_edge = length_before != now.size() && index + 1 == now.size();
    if (!is_new && !is_edge && level[index] == now[index]) continue;
    level[index] = now[index];
    changed.push_back(index);
  }
  return changed;
}

}  // namespace

digest merkle_tree::update(std::span<const digest> leaves) {
  nodes_hashed_ = 0;
  if (levels_.empty()) levels_.emplace_back();
  auto changed = replace_level(levels_.front(), leaves);
  std::size_t number = 0;
  for (; levels_[number].size() > 1; ++number) {
    if (levels_.size() == number + 1) levels_.emplace_back();
    const auto& below = levels_[number];
    auto& level = levels_[number + 1];
    level.resize((below.size() + 1) / 2);
    std::vector<std::size_t> parents;
    for (const auto child : changed) {
      const auto parent = child / 2;
      if (!parents.empty() && parents.back() == parent) continue;
      parents.push_back(parent);
      const bool has_two = 2 * parent + 1 < below.size();
      level[parent] = has_two ? node_of(below[2 * parent], below[2 * parent + 1]) : below.back();
      if (has_two) ++nodes_hashed_;
    }
    changed = std::move(parents);
  }
  levels_.resize(number + 1);
  return root_of(leaves.size(), top_of(levels_));
}

}  // namespace hypermesh::messages
