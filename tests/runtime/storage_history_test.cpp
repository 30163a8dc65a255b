#include <doctest/doctest.h>

#include <algorithm>

#include "tests/runtime/storage_test_directory.hpp"
#include "tests/runtime/storage_test_script.hpp"
#include "tests/support/simulated_storage.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::storage_test;

namespace {

constexpr auto both_modes = {durability::sync, durability::async};

/// A node's directory in a folder that is removed when the test ends.
struct directory_fixture {
  scratch_folder folder;
  std::filesystem::path directory = folder.path() / "data";

  directory_fixture() { initialise(directory); }
};

std::vector<std::string> texts_of(const stored_history& history) {
  std::vector<std::string> texts;
  for (const auto& record : history.records)
    texts.emplace_back(as_text(*record.bytes));
  return texts;
}

using texts = std::vector<std::string>;

}  // namespace

TEST_CASE_FIXTURE(directory_fixture, "a new storage is empty, and stays so over restarts") {
  for (int start = 0; start < 3; ++start) {
    const auto node = start_in(directory);
    CHECK(node.history.records.empty());
    CHECK_FALSE(node.history.state.has_value());
    CHECK(node.storage->bytes_held() == 0);
  }
}

TEST_CASE_FIXTURE(directory_fixture,
                  "records are returned as they were, in the order of writing, across kinds and sequences") {
  for (const auto mode : both_modes) {
    const scratch_folder own;
    initialise(own.path() / "data");
    const std::vector<storage_record> first = {record_of(record_kind::pre_prepare, 9, "nine", 3),
                                               record_of(record_kind::new_view, 0, "view", 3),
                                               record_of(record_kind::prepare, 2, "two")};
    const std::vector<storage_record> second = {record_of(record_kind::commit, 9, ""),
                                                record_of(record_kind::prepared, 1, "one", 7)};
    {
      const auto node = start_in(own.path() / "data", mode);
      expect_done(node.storage->write(first));
      expect_done(node.storage->write({}));
      expect_done(node.storage->write(second));
      CHECK(node.storage->bytes_held() == 14);
    }
    const auto again = start_in(own.path() / "data", mode);
    stored_history expected;
    expected.records = first;
    expected.records.insert(expected.records.end(), second.begin(), second.end());
    CHECK(text_of(again.history) == text_of(expected));
    CHECK(again.storage->bytes_held() == 14);
  }
}

TEST_CASE_FIXTURE(directory_fixture,
                  "forgetting deletes the records up to a sequence that are written by then, and no others") {
  {
    const auto node = start_in(directory);
    for (const std::uint64_t sequence : {5, 3, 4, 3, 6})
      expect_done(node.storage->write({{record_of(record_kind::commit, sequence, std::to_string(sequence))}}));
    expect_done(node.storage->forget_through(sequence_number{4}));
    CHECK(node.storage->bytes_held() == 2);
    expect_done(node.storage->write({{record_of(record_kind::prepare, 4, "late")}}));
  }
  {
    const auto node = start_in(directory);
    CHECK(texts_of(node.history) == texts{"5", "6", "late"});
    expect_done(node.storage->forget_through(sequence_number{2}));
    expect_done(node.storage->forget_through(sequence_number{5}));
  }
  CHECK(texts_of(start_in(directory).history) == texts{"6"});
}

TEST_CASE_FIXTURE(directory_fixture,
                  "the newest record of a replaced kind stays, whatever its sequence and whatever is forgotten") {
  {
    const auto node = start_in(directory);
    expect_done(
        node.storage->write({{record_of(record_kind::view_change, 9, "old"), record_of(record_kind::commit, 1, "vote"),
                              record_of(record_kind::view_change, 3, "new")}}));
    expect_done(node.storage->write(
        {{record_of(record_kind::stable_checkpoint, 8, "first"), record_of(record_kind::new_view, 0, "view")}}));
    expect_done(node.storage->write({{record_of(record_kind::stable_checkpoint, 7, "second")}}));
    expect_done(node.storage->forget_through(sequence_number{100}));
    CHECK(node.storage->bytes_held() == std::string_view{"newviewsecond"}.size());
  }
  CHECK(texts_of(start_in(directory).history) == texts{"new", "view", "second"});
}

TEST_CASE_FIXTURE(directory_fixture, "a stored state is returned in the order of its leaves, with shared chunks") {
  const state_snapshot first = {chunk_of("a"), chunk_of("b"), chunk_of("a"), chunk_of("")};
  const state_snapshot second = {chunk_of("c"), chunk_of("b")};
  {
    const auto node = start_in(directory);
    expect_done(node.storage->store_chunks(first));
    expect_done(node.storage->keep_state(sequence_number{128}, leaves_of(first)));
  }
  {
    const auto node = start_in(directory);
    REQUIRE(node.history.state.has_value());
    CHECK(node.history.state->sequence == sequence_number{128});
    CHECK(leaves_of(node.history.state->snapshot) == leaves_of(first));
    const auto held = node.storage->bytes_held();
    // "b" is stored already, so only "c" is new. Only "b" of the old state is still needed.
    expect_done(node.storage->store_chunks(second));
    CHECK(node.storage->bytes_held() == held + 1);
    expect_done(node.storage->keep_state(sequence_number{256}, leaves_of(second)));
    expect_done(node.storage->store_chunks({{chunk_of("a")}}));
  }
  const auto node = start_in(directory);
  REQUIRE(node.history.state.has_value());
  CHECK(node.history.state->sequence == sequence_number{256});
  REQUIRE(leaves_of(node.history.state->snapshot) == leaves_of(second));
  CHECK(as_text(*node.history.state->snapshot[0].bytes) == "c");
  CHECK(as_text(*node.history.state->snapshot[1].bytes) == "b");
}

TEST_CASE_FIXTURE(directory_fixture, "an empty state is stored and returned like any other") {
  { expect_done(start_in(directory).storage->keep_state(sequence_number{1}, {})); }
  const auto node = start_in(directory);
  REQUIRE(node.history.state.has_value());
  CHECK(node.history.state->snapshot.empty());
}

TEST_CASE_FIXTURE(directory_fixture, "chunks of an incomplete state do not outlive the next start") {
  std::uint64_t held = 0;
  {
    const auto node = start_in(directory);
    expect_done(node.storage->store_chunks({{chunk_of("kept")}}));
    expect_done(node.storage->keep_state(sequence_number{1}, leaves_of({chunk_of("kept")})));
    held = node.storage->bytes_held();
    expect_done(node.storage->store_chunks({{chunk_of("given up"), chunk_of("given up, too")}}));
  }
  const auto node = start_in(directory);
  CHECK(node.storage->bytes_held() == held);
  const state_snapshot next = {chunk_of("given up"), chunk_of("kept")};
  expect_done(node.storage->store_chunks(next));
  expect_done(node.storage->keep_state(sequence_number{2}, leaves_of(next)));
}

TEST_CASE_FIXTURE(directory_fixture, "a history of thousands of steps with restarts in between equals its model") {
  for (const std::uint64_t seed : {1, 2, 3}) {
    CAPTURE(seed);
    const scratch_folder own;
    const auto home = own.path() / "data";
    initialise(home);
    storage_script script{seed};
    storage_script model_script{seed};
    testing::simulated_storage model;
    splitmix64 random{seed};
    for (int life = 0; life < 12; ++life) {
      const auto mode = random.below(2) == 0 ? durability::sync : durability::async;
      const auto node = start_in(home, mode);
      script.on_start();
      model_script.on_start();
      REQUIRE(text_of(node.history) == text_of(history_of(model.read())));
      for (auto steps = random.below(300); steps > 0; --steps) {
        expect_done(script.step(*node.storage));
        expect_done(model_script.step(model));
      }
    }
    CHECK(text_of(start_in(home).history) == text_of(history_of(model.read())));
  }
}
