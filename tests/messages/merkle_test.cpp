#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <span>

#include "messages/digest.hpp"
#include "messages/limits.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr std::size_t leaves_max = 70;

std::vector<digest> leaves_of(std::size_t count, std::uint64_t seed = 0) {
  sample_source source{seed};
  std::vector<digest> leaves;
  while (leaves.size() < count)
    leaves.push_back(source.fixed<digest>());
  return leaves;
}

digest flipped(digest value, std::size_t bit) {
  value.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  return value;
}

/// A tree in which each leaf is a separate page, so that each path begins at a leaf.
struct leaf_tree : merkle_pages {
  explicit leaf_tree(const std::vector<digest>& leaves) : merkle_pages(leaves, 1) {}
};

bool verify_leaf(const digest& root, std::uint64_t leaf_count, std::uint64_t index, const digest& leaf,
                 const merkle_path& path) {
  return verify_merkle_page(root, leaf_count, index, 1, {&leaf, 1}, path);
}

/// Calls `check` for every leaf of every small tree, with the leaves, their tree and the index of the leaf.
template <class Check>
void for_all_leaves(Check&& check) {
  for (std::size_t count = 1; count <= leaves_max; ++count) {
    const auto leaves = leaves_of(count);
    const leaf_tree tree{leaves};
    for (std::size_t index = 0; index < count; ++index) {
      INFO("leaf ", index, " of ", count);
      check(leaves, tree, index);
    }
  }
}

}  // namespace

TEST_CASE("every path of a tree verifies") {
  for_all_leaves([](const auto& leaves, const leaf_tree& tree, std::size_t index) {
    CHECK(tree.page_count() == leaves.size());
    CHECK(tree.path(index).size() <= limits::merkle_path_max);
    REQUIRE(verify_leaf(tree.root(), leaves.size(), index, leaves[index], tree.path(index)));
  });
}

TEST_CASE("a path verifies for no other index") {
  for_all_leaves([](const auto& leaves, const leaf_tree& tree, std::size_t index) {
    const auto path = tree.path(index);
    for (std::size_t other = 0; other < leaves.size() + 2; ++other) {
      if (other == index) continue;
      REQUIRE_FALSE(verify_leaf(tree.root(), leaves.size(), other, leaves[index], path));
    }
    for (const std::uint64_t other : {1ULL << 32U, 1ULL << 63U, ~0ULL}) {
      REQUIRE_FALSE(verify_leaf(tree.root(), leaves.size(), other, leaves[index], path));
    }
  });
}

TEST_CASE("a path verifies for no other count of leaves") {
  for_all_leaves([](const auto& leaves, const leaf_tree& tree, std::size_t index) {
    const auto path = tree.path(index);
    for (std::size_t count = 0; count < leaves.size() + 10; ++count) {
      if (count == leaves.size()) continue;
      REQUIRE_FALSE(verify_leaf(tree.root(), count, index, leaves[index], path));
    }
    for (const std::uint64_t count : {1ULL << 32U, 1ULL << 63U, ~0ULL}) {
      REQUIRE_FALSE(verify_leaf(tree.root(), count, index, leaves[index], path));
    }
  });
}

TEST_CASE("a path verifies for no other leaf and under no other root") {
  for_all_leaves([](const auto& leaves, const leaf_tree& tree, std::size_t index) {
    const auto path = tree.path(index);
    const auto bit = (7 * index + leaves.size()) % 256;
    REQUIRE_FALSE(verify_leaf(tree.root(), leaves.size(), index, flipped(leaves[index], bit), path));
    REQUIRE_FALSE(verify_leaf(flipped(tree.root(), bit), leaves.size(), index, leaves[index], path));
    REQUIRE_FALSE(verify_leaf(tree.root(), leaves.size(), index, leaves_of(1, 99).front(), path));
  });
}

TEST_CASE("a truncated, extended or changed path does not verify") {
  for_all_leaves([](const auto& leaves, const leaf_tree& tree, std::size_t index) {
    const auto path = tree.path(index);
    const auto verifies = [&](const merkle_path& other) {
      return verify_leaf(tree.root(), leaves.size(), index, leaves[index], other);
    };
    for (std::size_t step = 0; step < path.size(); ++step) {
      REQUIRE_FALSE(verifies({path.begin(), path.begin() + static_cast<std::ptrdiff_t>(step)}));
      auto changed = path;
      changed[step] = flipped(changed[step], 8 * step);
      REQUIRE_FALSE(verifies(changed));
    }
    auto extended = path;
    extended.push_back(digest{});
    REQUIRE_FALSE(verifies(extended));
    extended.insert(extended.begin(), leaves[index]);
    REQUIRE_FALSE(verifies(extended));
  });
}

TEST_CASE("an inner node is no leaf of any tree") {
  // The parent of the first two leaves, with the rest of the first path, would look like a tree of half the size.
  for (std::size_t count = 2; count <= leaves_max; ++count) {
    const auto leaves = leaves_of(count);
    const leaf_tree tree{leaves};
    const auto parent = hasher{"hypermesh merkle node"}.add(leaves[0]).add(leaves[1]).finish();
    auto rest = tree.path(0);
    rest.erase(rest.begin());
    for (std::size_t claimed = 0; claimed <= count + 1; ++claimed) {
      INFO("claimed ", claimed, " of ", count);
      CHECK_FALSE(verify_leaf(tree.root(), claimed, 0, parent, rest));
    }
  }
}

TEST_CASE("trees of different leaves, counts or orders have different roots") {
  std::set<digest> roots;
  for (std::size_t count = 0; count <= leaves_max; ++count)
    CHECK(roots.insert(merkle_root(leaves_of(count))).second);
  auto leaves = leaves_of(5);
  std::swap(leaves[1], leaves[3]);
  CHECK(roots.insert(merkle_root(leaves)).second);
  // If a level has an odd length, its last node moves up unchanged. Doubling this node gives another tree.
  auto doubled = leaves_of(5);
  doubled.push_back(doubled.back());
  CHECK(roots.insert(merkle_root(doubled)).second);
  // A tree with one leaf of zeros is not an empty tree.
  CHECK(roots.insert(merkle_root({digest{}})).second);
}

TEST_CASE("a tree without leaves has a root and no path") {
  const leaf_tree empty{{}};
  CHECK(empty.page_count() == 0);
  CHECK(empty.root() == merkle_root({}));
  CHECK_FALSE(verify_leaf(empty.root(), 0, 0, digest{}, {}));
}

namespace {

/// Calls `check` with the leaves, their pages and the number of each page, for trees whose size is near a full page.
template <class Check>
void for_all_pages(Check&& check) {
  for (const std::size_t page_leaves : {1UL, 2UL, 4UL, 8UL, 16UL}) {
    for (std::size_t count = 1; count <= leaves_max; ++count) {
      const auto leaves = leaves_of(count);
      const merkle_pages pages{leaves, page_leaves};
      REQUIRE(pages.root() == merkle_root(leaves));
      REQUIRE(pages.page_count() == (count + page_leaves - 1) / page_leaves);
      for (std::size_t page = 0; page < pages.page_count(); ++page) {
        INFO("page ", page, " of ", page_leaves, " of ", count, " leaves");
        check(leaves, pages, page_leaves, page);
      }
    }
  }
}

std::span<const digest> leaves_on(const std::vector<digest>& leaves, std::size_t page_leaves, std::size_t page) {
  const auto begin = page * page_leaves;
  return std::span{leaves}.subspan(begin, std::min(page_leaves, leaves.size() - begin));
}

}  // namespace

TEST_CASE("every page of a tree verifies under the root of the tree") {
  for_all_pages([](const auto& leaves, const merkle_pages& pages, std::size_t page_leaves, std::size_t page) {
    REQUIRE(verify_merkle_page(pages.root(), leaves.size(), page, page_leaves, leaves_on(leaves, page_leaves, page),
                               pages.path(page)));
  });
}

TEST_CASE("a page verifies for no other place, count, root or page size") {
  for_all_pages([](const auto& leaves, const merkle_pages& pages, std::size_t page_leaves, std::size_t page) {
    const auto own = leaves_on(leaves, page_leaves, page);
    const auto path = pages.path(page);
    for (std::size_t other = 0; other < pages.page_count() + 2; ++other) {
      if (other == page) continue;
      REQUIRE_FALSE(verify_merkle_page(pages.root(), leaves.size(), other, page_leaves, own, path));
    }
    for (std::size_t count = 0; count < leaves.size() + 20; ++count) {
      if (count == leaves.size()) continue;
      REQUIRE_FALSE(verify_merkle_page(pages.root(), count, page, page_leaves, own, path));
    }
    for (const std::uint64_t wild : {1ULL << 32U, 1ULL << 63U, ~0ULL}) {
      REQUIRE_FALSE(verify_merkle_page(pages.root(), wild, page, page_leaves, own, path));
      REQUIRE_FALSE(verify_merkle_page(pages.root(), leaves.size(), wild, page_leaves, own, path));
    }
    REQUIRE_FALSE(verify_merkle_page(flipped(pages.root(), 7), leaves.size(), page, page_leaves, own, path));
    for (const std::size_t no_power : {0UL, 3UL, 6UL})
      REQUIRE_FALSE(verify_merkle_page(pages.root(), leaves.size(), page, no_power, own, path));
  });
}

TEST_CASE("a page with a leaf changed, missing or added, or with another path, does not verify") {
  for_all_pages([](const auto& leaves, const merkle_pages& pages, std::size_t page_leaves, std::size_t page) {
    const auto own = leaves_on(leaves, page_leaves, page);
    const auto path = pages.path(page);
    const auto verifies = [&](std::span<const digest> told, const merkle_path& steps) {
      return verify_merkle_page(pages.root(), leaves.size(), page, page_leaves, told, steps);
    };
    for (std::size_t index = 0; index < own.size(); ++index) {
      std::vector<digest> changed{own.begin(), own.end()};
      changed[index] = flipped(changed[index], 13 * index % 256);
      REQUIRE_FALSE(verifies(changed, path));
    }
    REQUIRE_FALSE(verifies(own.first(own.size() - 1), path));
    std::vector<digest> longer{own.begin(), own.end()};
    longer.push_back(own.back());
    REQUIRE_FALSE(verifies(longer, path));
    auto extended = path;
    extended.push_back(digest{});
    REQUIRE_FALSE(verifies(own, extended));
    if (path.empty()) return;
    REQUIRE_FALSE(verifies(own, {path.begin(), path.end() - 1}));
    auto changed = path;
    changed.front() = flipped(changed.front(), 3);
    REQUIRE_FALSE(verifies(own, changed));
  });
}

TEST_CASE("inner nodes are no leaves of a page") {
  const auto parent_of = [](const digest& left, const digest& right) {
    return hasher{"hypermesh merkle node"}.add(left).add(right).finish();
  };
  for_all_pages([&](const auto& leaves, const merkle_pages& pages, std::size_t page_leaves, std::size_t page) {
    const auto own = leaves_on(leaves, page_leaves, page);
    std::vector<digest> level{own.begin(), own.end()};
    // The next two levels lead to the same root. Only their number of nodes shows that they are not leaves.
    while (level.size() > 1) {
      std::vector<digest> above;
      for (std::size_t index = 0; index + 1 < level.size(); index += 2)
        above.push_back(parent_of(level[index], level[index + 1]));
      if (level.size() % 2 == 1) above.push_back(level.back());
      level = above;
      REQUIRE_FALSE(verify_merkle_page(pages.root(), leaves.size(), page, page_leaves, level, pages.path(page)));
    }
  });
}

TEST_CASE("pages of the largest tree have paths of page_path_max steps") {
  std::size_t steps = 0;
  for (auto width = limits::state_pages_max; width > 1; width = width / 2 + width % 2)
    ++steps;
  CHECK(steps == limits::page_path_max);
}

TEST_CASE("the largest tree has paths of merkle_path_max steps") {
  std::size_t steps = 0;
  for (auto width = limits::state_chunks_max; width > 1; width = width / 2 + width % 2)
    ++steps;
  CHECK(steps == limits::merkle_path_max);
}
