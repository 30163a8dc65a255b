#include "actors/protocol/transfer/state_assembly.hpp"

#include <doctest/doctest.h>

#include "tests/support/donor_crowd.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using verdict = state_assembly::verdict;

struct assembly_world {
  std::shared_ptr<const state_snapshot> snapshot;
  honest_donor donor{sequence_number{4}, snapshot};
  state_assembly assembly{state_root(*snapshot)};
  chunk_cache stock;

  explicit assembly_world(std::size_t chunks) : snapshot(named_state(chunks, "chunk ")) {}

  [[nodiscard]] leaf_page page(std::uint64_t number) const {
    return std::get<leaf_page>(donor({sequence_number{4}, number, state_part::leaves}).content);
  }
  void take_pages() {
    for (std::uint64_t number = 0; number < state_pages_of(snapshot->size()); ++number)
      REQUIRE(assembly.add(number, page(number), stock) == verdict::taken);
  }
};

}  // namespace

TEST_CASE("a state is assembled from its pages and its chunks in any order") {
  assembly_world world{limits::state_page_leaves + 20};
  auto& assembly = world.assembly;
  CHECK(assembly.phase() == state_part::leaves);
  CHECK(assembly.part_count() == 1);
  CHECK_FALSE(assembly.has(0));
  REQUIRE(assembly.add(0, world.page(0), world.stock) == verdict::taken);
  CHECK(assembly.part_count() == 2);
  CHECK(assembly.has(0));
  CHECK_FALSE(assembly.has_leaves());
  REQUIRE(assembly.add(1, world.page(1), world.stock) == verdict::taken);
  CHECK(assembly.phase() == state_part::chunk);
  CHECK(assembly.part_count() == world.snapshot->size());
  for (auto index = world.snapshot->size(); index > 0; --index) {
    CHECK_FALSE(assembly.is_whole());
    CHECK_FALSE(assembly.has(index - 1));
    REQUIRE(assembly.add(index - 1, (*world.snapshot)[index - 1].bytes) == verdict::taken);
  }
  REQUIRE(assembly.is_whole());
  const auto whole = assembly.release();
  CHECK(state_root(*whole) == state_root(*world.snapshot));
}

TEST_CASE("a false page costs nothing and leaves room for the genuine one") {
  assembly_world world{30};
  auto lie = world.page(0);
  lie.leaves[29].bytes[0] ^= std::byte{1};
  CHECK(world.assembly.add(0, lie, world.stock) == verdict::lie);
  lie = world.page(0);
  lie.chunk_count = limits::state_chunks_max;
  CHECK(world.assembly.add(0, lie, world.stock) == verdict::lie);
  CHECK(world.assembly.chunk_count() == 0);
  CHECK(world.assembly.add(0, world.page(0), world.stock) == verdict::taken);
}

TEST_CASE("a chunk that does not match its leaf is not kept") {
  assembly_world world{3};
  world.take_pages();
  CHECK(world.assembly.add(1, (*world.snapshot)[2].bytes) == verdict::lie);
  CHECK_FALSE(world.assembly.has(1));
  CHECK(world.assembly.add(1, (*world.snapshot)[1].bytes) == verdict::taken);
}

TEST_CASE("chunks in the cache are used with their leaves") {
  assembly_world world{limits::state_page_leaves + 20};
  world.stock.add(changed_state(*world.snapshot, 5, "other "));
  world.take_pages();
  const auto expected = world.snapshot->size() - (world.snapshot->size() + 4) / 5;
  CHECK(world.assembly.chunks_reused() == expected);
  CHECK_FALSE(world.assembly.has(0));
  CHECK(world.assembly.has(1));
}

TEST_CASE("an unfinished state is released with gaps for its missing parts") {
  assembly_world world{5};
  world.take_pages();
  REQUIRE(world.assembly.add(3, (*world.snapshot)[3].bytes) == verdict::taken);
  const auto part = world.assembly.release();
  REQUIRE(part->size() == 5);
  for (std::size_t index = 0; index < 5; ++index)
    CHECK(((*part)[index].bytes != nullptr) == (index == 3));
  CHECK_FALSE(world.assembly.has_leaves());
}

TEST_CASE("a chunk cache finds chunks of all its states, and none that is missing or corrupt") {
  const auto one = named_state(20, "one ");
  auto holed = *named_state(20, "two ");
  holed[4].bytes = nullptr;
  auto rotten = *named_state(3, "three ");
  rotten[0].bytes = std::make_shared<const byte_vector>(7);
  const auto rotten_leaf = rotten[0].leaf;
  chunk_cache stock;
  stock.add(nullptr);
  stock.add(one);
  stock.add(std::make_shared<const state_snapshot>(holed));
  stock.add(std::make_shared<const state_snapshot>(rotten));
  for (const auto& chunk : *one)
    CHECK(stock.find(chunk.leaf) == chunk.bytes);
  CHECK(stock.find(holed[5].leaf) == holed[5].bytes);
  CHECK(stock.find(holed[4].leaf) == nullptr);
  CHECK(stock.find(rotten_leaf) == nullptr);
  CHECK(stock.find(digest{}) == nullptr);
  stock.clear();
  CHECK(stock.find(one->front().leaf) == nullptr);
}
