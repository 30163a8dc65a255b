#include "messages/digest.hpp"

#include <new>

#include <sodium.h>

#include "messages/require.hpp"

namespace hypermesh {

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

merkle_tree::merkle_tree(std::vector<digest> leaves) {
  const auto count = leaves.size();
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const auto& below = levels_.back();
    std::vector<digest> level;
    level.reserve((below.size() + 1) / 2);
    for (std::size_t index = 0; index + 1 < below.size(); index += 2) {
      level.push_back(node_of(below[index], below[index + 1]));
    }
    if (below.size() % 2 == 1) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
  root_ = root_of(count, levels_.back().empty() ? digest{} : levels_.back().front());
}

merkle_path merkle_tree::path(std::size_t index) const {
  require(index < leaf_count(), "the leaf exists");
  merkle_path path;
  for (std::size_t level = 0; level + 1 < levels_.size(); ++level) {
    const auto sibling = index ^ 1U;
    if (sibling < levels_[level].size()) path.push_back(levels_[level][sibling]);
    index /= 2;
  }
  return path;
}

digest merkle_root(std::vector<digest> leaves) { return merkle_tree{std::move(leaves)}.root(); }

bool verify_merkle_path(const digest& root, std::uint64_t leaf_count, std::uint64_t index, const digest& leaf,
                        const merkle_path& path) {
  if (index >= leaf_count) return false;
  auto node = leaf;
  auto step = path.begin();
  for (auto width = leaf_count; width > 1; width = width / 2 + width % 2) {
    const bool has_sibling = (index ^ 1U) < width;
    if (has_sibling) {
      if (step == path.end()) return false;
      node = index % 2 == 0 ? node_of(node, *step) : node_of(*step, node);
      ++step;
    }
    index /= 2;
  }
  return step == path.end() && root_of(leaf_count, node) == root;
}

}  // namespace hypermesh
