#include "messages/merkle_tree.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "messages/digest.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

std::vector<digest> leaves_of(std::size_t count, sample_source& source) {
  std::vector<digest> leaves;
  while (leaves.size() < count)
    leaves.push_back(source.fixed<digest>());
  return leaves;
}

}  // namespace

TEST_CASE("a tree that is kept has the root of a new one after each change of length") {
  sample_source source{1};
  for (std::size_t before = 0; before <= 20; ++before) {
    for (std::size_t after = 0; after <= 20; ++after) {
      INFO("from ", before, " to ", after, " leaves");
      auto leaves = leaves_of(before, source);
      merkle_tree tree;
      REQUIRE(tree.update(leaves) == merkle_root(leaves));
      leaves.resize(after);
      for (auto index = before; index < after; ++index)
        leaves[index] = source.fixed<digest>();
      REQUIRE(tree.update(leaves) == merkle_root(leaves));
      leaves.resize(before, digest{});
      REQUIRE(tree.update(leaves) == merkle_root(leaves));
    }
  }
}

TEST_CASE("a tree that is kept has the root of a new one after each change of leaves") {
  sample_source source{2};
  merkle_tree tree;
  for (int round = 0; round < 40; ++round) {
    auto leaves = leaves_of(static_cast<std::size_t>(round) * 7 % 150, source);
    REQUIRE(tree.update(leaves) == merkle_root(leaves));
    for (std::size_t index = 0; index < leaves.size(); index += 1 + static_cast<std::size_t>(round) % 13) {
      leaves[index] = source.fixed<digest>();
      REQUIRE(tree.update(leaves) == merkle_root(leaves));
    }
    // A leaf that is inserted moves all leaves behind it.
    leaves.insert(leaves.begin() + static_cast<std::ptrdiff_t>(leaves.size() / 3), source.fixed<digest>());
    REQUIRE(tree.update(leaves) == merkle_root(leaves));
  }
}

TEST_CASE("a root costs the paths of the leaves that changed") {
  sample_source source{3};
  auto leaves = leaves_of(4'096, source);
  merkle_tree tree;
  (void)tree.update(leaves);
  CHECK(tree.nodes_hashed() == 4'095);
  (void)tree.update(leaves);
  CHECK(tree.nodes_hashed() == 0);
  leaves[1'000] = source.fixed<digest>();
  CHECK(tree.update(leaves) == merkle_root(leaves));
  CHECK(tree.nodes_hashed() == 12);
}
