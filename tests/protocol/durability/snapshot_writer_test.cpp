#include "actors/protocol/durability/snapshot_writer.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

std::shared_ptr<const state_snapshot> snapshot_of(std::size_t chunks, std::size_t bytes) {
  auto all = std::make_shared<state_snapshot>();
  for (std::size_t index = 0; index < chunks; ++index) {
    auto content = std::make_shared<const byte_vector>(bytes, std::byte(index));
    all->push_back({content, state_chunk_digest(*content)});
  }
  return all;
}

/// Takes all pieces of the state that is being written and returns their sizes.
std::vector<std::size_t> drain(snapshot_writer& keeper) {
  std::vector<std::size_t> sizes;
  while (const auto piece = keeper.next()) {
    sizes.push_back(piece->chunks.size());
    if (piece->is_last) (void)keeper.on_kept();
  }
  return sizes;
}

checkpoint_certificate proof_of(sequence_number sequence) {
  checkpoint_certificate proof;
  for (std::uint32_t voter = 0; voter < 3; ++voter)
    proof.votes.push_back({{view_number{0}, sequence, digest{}, replica_id{voter}, epoch_number{0}}, {}});
  return proof;
}

}  // namespace

TEST_CASE("a stable state goes to disk when the records since the last one exceed the retained amount") {
  snapshot_writer keeper{1'000};
  keeper.on_taken(sequence_number{4}, snapshot_of(1, 10));
  keeper.on_written(999);
  keeper.on_stable(sequence_number{4});
  CHECK_FALSE(keeper.next());
  keeper.on_taken(sequence_number{8}, snapshot_of(2, 10));
  keeper.on_written(1);
  keeper.on_stable(sequence_number{8});
  CHECK(drain(keeper) == std::vector<std::size_t>{2});
  CHECK(keeper.kept() == sequence_number{8});
  keeper.on_taken(sequence_number{12}, snapshot_of(2, 10));
  keeper.on_stable(sequence_number{12});
  CHECK_FALSE(keeper.next());
}

TEST_CASE("a large state is written in pieces, and later states wait until it is stored") {
  snapshot_writer keeper{0};
  keeper.on_written(5 * 256 * 1024);
  keeper.on_taken(sequence_number{4}, snapshot_of(10, 256 * 1024));
  keeper.on_stable(sequence_number{4});
  const auto first = keeper.next();
  REQUIRE(first);
  CHECK(first->chunks.size() == 4);
  CHECK_FALSE(first->is_last);
  keeper.on_taken(sequence_number{8}, snapshot_of(1, 10));
  keeper.on_stable(sequence_number{8});
  CHECK(keeper.leaves().size() == 10);
  CHECK(drain(keeper) == std::vector<std::size_t>{4, 2, 1});
  CHECK(keeper.kept() == sequence_number{8});
}

TEST_CASE("a transferred state is written whatever is retained, and replaces an older one") {
  snapshot_writer keeper{1'000'000};
  keeper.on_installed(sequence_number{40}, snapshot_of(3, 10), proof_of(sequence_number{40}));
  CHECK(drain(keeper) == std::vector<std::size_t>{3});
  CHECK(keeper.kept() == sequence_number{40});
  keeper.on_installed(sequence_number{20}, snapshot_of(3, 10), proof_of(sequence_number{20}));
  CHECK_FALSE(keeper.next());
}

TEST_CASE("a state without a snapshot is not stored") {
  snapshot_writer keeper{0};
  keeper.restore(sequence_number{8}, {}, 0);
  keeper.on_taken(sequence_number{8}, snapshot_of(1, 10));
  keeper.on_stable(sequence_number{8});
  keeper.on_stable(sequence_number{12});
  CHECK_FALSE(keeper.next());
  CHECK(keeper.kept() == sequence_number{8});
}

TEST_CASE("records of earlier runs count: a node that restarts often still stores its state") {
  snapshot_writer keeper{1'000};
  keeper.restore(sequence_number{0}, {}, 990);
  keeper.on_written(20);
  keeper.on_taken(sequence_number{4}, snapshot_of(1, 10));
  keeper.on_stable(sequence_number{4});
  CHECK(keeper.next());
}

TEST_CASE("a large state with changes in all parts waits for half its size in records") {
  constexpr std::size_t mib = 1024 * 1024;
  snapshot_writer keeper{1'000};
  auto large = snapshot_of(6, mib);
  keeper.on_written(3 * mib - 1);
  keeper.on_taken(sequence_number{4}, large);
  keeper.on_stable(sequence_number{4});
  CHECK_FALSE(keeper.next());
  keeper.on_written(1);
  keeper.on_taken(sequence_number{8}, large);
  keeper.on_stable(sequence_number{8});
  CHECK(drain(keeper).size() == 6);
  SUBCASE("and a state with few changes does not") {
    auto changed = *large;
    changed.front() = snapshot_of(1, mib / 2)->front();
    keeper.on_written(1'000);
    keeper.on_taken(sequence_number{12}, std::make_shared<const state_snapshot>(changed));
    keeper.on_stable(sequence_number{12});
    CHECK(drain(keeper).size() == 6);
  }
  SUBCASE("also after a restart") {
    const auto leaves = [&] {
      std::vector<digest> all;
      for (const auto& chunk : *large)
        all.push_back(chunk.leaf);
      return all;
    }();
    snapshot_writer again{1'000};
    again.restore(sequence_number{8}, leaves, 1'000);
    again.on_taken(sequence_number{12}, large);
    again.on_stable(sequence_number{12});
    CHECK(drain(again).size() == 6);
  }
}

TEST_CASE("the proof of an installed state is stored with it, and no other proof") {
  snapshot_writer keeper{0};
  keeper.on_installed(sequence_number{40}, snapshot_of(1, 10), proof_of(sequence_number{40}));
  REQUIRE(keeper.next());
  const auto proof = keeper.on_kept();
  REQUIRE(proof);
  CHECK(proof->kind == record_kind::stable_checkpoint);
  CHECK(proof->sequence == sequence_number{40});
  keeper.on_written(10);
  keeper.on_taken(sequence_number{44}, snapshot_of(1, 10));
  keeper.on_stable(sequence_number{44});
  REQUIRE(keeper.next());
  CHECK_FALSE(keeper.on_kept());
}
