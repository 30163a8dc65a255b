#include "actors/frozen_checkpoint.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace hypermesh;
using namespace hypermesh::actors;
using namespace hypermesh::protocol;

namespace {

/// A state of one chunk that counts how often it is finished.
struct counted_state final : frozen_state {
  explicit counted_state(std::string of) : text(std::move(of)) {}

  std::string text;
  std::atomic<int> finished = 0;
  state_snapshot made;

  [[nodiscard]] const state_snapshot& finish() override {
    ++finished;
    auto bytes = to_byte_vector(text);
    const auto leaf = state_chunk_digest(bytes);
    made = {{std::make_shared<const byte_vector>(std::move(bytes)), leaf}};
    return made;
  }
};

checkpoint_parts parts_of(std::uint64_t sequence, std::shared_ptr<frozen_state> machine) {
  return {sequence_number{sequence}, to_byte_vector("head"), to_byte_vector("tail"), std::move(machine), {}};
}

}  // namespace

TEST_CASE("a frozen checkpoint is hashed once, whichever threads need it") {
  const auto machine = std::make_shared<counted_state>("state");
  frozen_checkpoint frozen{parts_of(4, machine), std::make_shared<root_tree>()};
  CHECK(machine->finished == 0);
  CHECK(frozen.finished() == nullptr);
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&] {
      const auto& taken = frozen.finish();
      if (taken.sequence == sequence_number{4} && taken.root == state_root(*taken.snapshot)) ++right;
    });
  }
  for (auto& each : threads)
    each.join();
  CHECK(right == 4);
  CHECK(frozen.finished() == &frozen.finish());
  CHECK(machine->finished == 1);
  // The chunks of the machine stand behind the layout.
  REQUIRE(frozen.finish().snapshot->size() == 2);
  CHECK(as_text(*frozen.finish().snapshot->back().bytes) == "state");
}

TEST_CASE("checkpoints that share a tree have the roots of their own states, in any order") {
  const auto tree = std::make_shared<root_tree>();
  std::vector<std::unique_ptr<frozen_checkpoint>> all;
  for (std::uint64_t n = 1; n <= 8; ++n) {
    const auto machine = std::make_shared<counted_state>("state " + std::to_string(n));
    all.push_back(std::make_unique<frozen_checkpoint>(parts_of(n, machine), tree));
  }
  for (const auto number : {3U, 0U, 7U, 1U, 2U, 6U, 5U, 4U}) {
    const auto& taken = all[number]->finish();
    CHECK(taken.sequence == sequence_number{number + 1});
    CHECK(taken.root == state_root(*taken.snapshot));
  }
}

TEST_CASE("a state whose root is known is not hashed again") {
  const auto snapshot = std::make_shared<const state_snapshot>();
  frozen_checkpoint known{taken_state{sequence_number{8}, digest{}, snapshot}};
  CHECK(known.finish().snapshot == snapshot);
  CHECK(known.finish().root == digest{});
}
