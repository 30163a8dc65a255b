#include <doctest/doctest.h>

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "messages/byte_codec.hpp"
#include "messages/digest.hpp"
#include "runtime/state_machines/authenticated_map.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

namespace {

/// So small that a map of a hundred entries has many leaves.
constexpr std::size_t small_leaves = 256;

void put(authenticated_map& map, std::string_view key, std::string_view value) {
  map.put(as_byte_span(key), as_byte_span(value));
}

std::map<std::string, std::string> content_of(const authenticated_map& map) {
  std::map<std::string, std::string> content;
  map.for_each([&](byte_span key, byte_span value) { content.emplace(as_text(key), as_text(value)); });
  return content;
}

state_chunk chunk_of(byte_vector bytes) {
  const auto leaf = state_chunk_digest(bytes);
  return {std::make_shared<const byte_vector>(std::move(bytes)), leaf};
}

authenticated_map filled_map(std::uint64_t seed, std::size_t entries) {
  splitmix64 random{seed};
  authenticated_map map{small_leaves};
  for (std::size_t index = 0; index < entries; ++index) {
    put(map, "key" + std::to_string(random.below(1'000)), std::string(random.below(40), 'x'));
  }
  return map;
}

/// A map whose entries are longer than a leaf.
authenticated_map large_map() {
  authenticated_map map{small_leaves};
  for (char letter = 'a'; letter <= 'e'; ++letter) {
    put(map, std::string(1, letter), std::string(authenticated_map::value_bytes_max - 1'000, letter));
  }
  return map;
}

std::set<const byte_vector*> addresses_of(const state_snapshot& snapshot) {
  std::set<const byte_vector*> all;
  for (const auto& chunk : snapshot)
    all.insert(chunk.bytes.get());
  return all;
}

std::vector<digest> leaves_of(const state_snapshot& snapshot) {
  std::vector<digest> leaves;
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  return leaves;
}

/// The map that has the same entries and was never different.
authenticated_map copy_of(const authenticated_map& map, std::size_t leaf_bytes_max) {
  authenticated_map copy{leaf_bytes_max};
  map.for_each([&](byte_span key, byte_span value) { copy.put(key, value); });
  return copy;
}

}  // namespace

TEST_CASE("a map equals a plain map after any sequence of changes, snapshots and restorations") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    const std::size_t leaf_bytes_max = std::array{1, 64, 256, 1'024}.at(seed % 4);
    const auto memory = seed % 3 == 0 ? map_keys::kept : map_keys::packed;
    authenticated_map map{leaf_bytes_max, memory};
    std::map<std::string, std::string> model;
    for (int step = 0; step < 600; ++step) {
      const auto key = std::string(1, static_cast<char>('a' + random.below(3))) + std::to_string(random.below(60));
      if (random.below(3) == 0) {
        REQUIRE(map.erase(as_byte_span(key)) == (model.erase(key) == 1));
      } else {
        model[key] = std::string(random.below(40), static_cast<char>('a' + random.below(26)));
        REQUIRE(as_text(map.put(as_byte_span(key), as_byte_span(model[key]))) == key);
      }
      const auto found = map.find(as_byte_span(key));
      REQUIRE(found.has_value() == model.contains(key));
      if (found) REQUIRE(as_text(*found) == model[key]);
      if (random.below(20) == 0) (void)map.freeze();
      if (random.below(50) == 0) CHECK(map.root() == state_root(map.snapshot()));
      if (random.below(100) == 0) {
        authenticated_map restored{leaf_bytes_max, memory};
        REQUIRE(restored.restore(map.snapshot()).has_value());
        map = std::move(restored);
      }
    }
    std::uint64_t bytes = 0;
    for (const auto& [key, value] : model)
      bytes += key.size() + value.size();
    CHECK(content_of(map) == model);
    CHECK(map.size() == model.size());
    CHECK(map.content_bytes() == bytes);
  }
}

TEST_CASE("the chunks depend on the content, not on the changes that led to it") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    const std::size_t leaf_bytes_max = std::array{1, 64, 256, 4'096}.at(seed % 4);
    authenticated_map map{leaf_bytes_max};
    for (int round = 0; round < 20; ++round) {
      // The map grows and shrinks, so its leaves are split and joined.
      const auto most = round % 2 == 0 ? 200U : 20U;
      for (int step = 0; step < 60; ++step) {
        const auto key = std::to_string(random.below(200));
        if (random.below(200) < most) {
          put(map, key, std::string(random.below(8) == 0 ? random.below(300) : random.below(30), 'v'));
        } else {
          (void)map.erase(as_byte_span(key));
        }
      }
      auto copy = copy_of(map, leaf_bytes_max);
      REQUIRE(leaves_of(map.snapshot()) == leaves_of(copy.snapshot()));
      for (const auto& chunk : map.snapshot())
        REQUIRE(chunk.leaf == state_chunk_digest(*chunk.bytes));
    }
    while (map.size() > 0) {
      std::string first;
      map.for_each_after({}, {}, [&](byte_span key, byte_span) {
        first = as_text(key);
        return false;
      });
      REQUIRE(map.erase(as_byte_span(first)));
      if (map.size() % 7 != 0) continue;
      auto copy = copy_of(map, leaf_bytes_max);
      REQUIRE(leaves_of(map.snapshot()) == leaves_of(copy.snapshot()));
    }
    CHECK(map.leaf_count() == 0);
  }
}

TEST_CASE("the root depends on the content, not on the order of changes") {
  authenticated_map forwards{small_leaves};
  authenticated_map backwards{small_leaves};
  for (int index = 0; index < 200; ++index)
    put(forwards, "k" + std::to_string(index), std::to_string(index));
  put(backwards, "passing", "by");
  for (int index = 199; index >= 0; --index) {
    put(backwards, "k" + std::to_string(index), "old");
    put(backwards, "k" + std::to_string(index), std::to_string(index));
    if (index % 50 == 0) CHECK(backwards.root() != forwards.root());
  }
  CHECK(backwards.erase(as_byte_span("passing")));
  CHECK(forwards.root() == backwards.root());
}

TEST_CASE("incremental snapshots equal a complete one") {
  splitmix64 random{7};
  authenticated_map map{small_leaves};
  for (int round = 0; round < 50; ++round) {
    put(map, "k" + std::to_string(random.below(30)), std::to_string(random.next()));
    static_cast<void>(map.erase(as_byte_span("k" + std::to_string(random.below(30)))));
    authenticated_map fresh{small_leaves};
    map.for_each([&](byte_span key, byte_span value) { fresh.put(key, value); });
    CHECK(map.root() == fresh.root());
  }
}

TEST_CASE("an empty map has no chunks and a root of its own") {
  authenticated_map map{small_leaves};
  const auto empty_root = map.root();
  CHECK(map.snapshot().empty());
  CHECK(empty_root == state_root({}));
  put(map, "k", "");
  CHECK(map.root() != empty_root);
  CHECK(map.erase(as_byte_span("k")));
  CHECK(map.root() == empty_root);
}

TEST_CASE("a snapshot shares the chunks that did not change with the last one") {
  auto map = filled_map(3, 300);
  const auto before = map.snapshot();
  put(map, "key1", "changed");
  const auto after = map.snapshot();
  const auto known = addresses_of(before);
  std::size_t made = 0;
  for (const auto& chunk : after)
    made += known.contains(chunk.bytes.get()) ? 0 : 1;
  CHECK(before.size() > 20);
  CHECK(made >= 1);
  // A leaf that is split becomes two.
  CHECK(made <= 2);
}

TEST_CASE("writing the same value keeps every chunk") {
  auto map = filled_map(3, 300);
  put(map, "key1", "same");
  const auto before = map.snapshot();
  put(map, "key1", "same");
  const auto after = map.snapshot();
  CHECK(addresses_of(before) == addresses_of(after));
}

TEST_CASE("a held snapshot does not change when the map does") {
  auto map = filled_map(4, 100);
  const auto root = map.root();
  const auto held = map.snapshot();
  for (int index = 0; index < 1'000; ++index)
    put(map, "key" + std::to_string(index), "later");
  CHECK(map.root() != root);
  CHECK(state_root(held) == root);
}

TEST_CASE("every chunk is within its limit, and large values are restored whole") {
  auto map = large_map();
  const auto snapshot = map.snapshot();
  CHECK(snapshot.size() > 1);
  for (const auto& chunk : snapshot) {
    CHECK(chunk.bytes->size() <= limits::state_chunk_bytes_max);
    CHECK(chunk.leaf == state_chunk_digest(*chunk.bytes));
  }
  authenticated_map restored{small_leaves};
  REQUIRE(restored.restore(snapshot).has_value());
  CHECK(content_of(restored) == content_of(map));
  CHECK(restored.root() == map.root());
  // A restored map has no second copy of the chunks.
  CHECK(addresses_of(restored.snapshot()) == addresses_of(snapshot));
}

TEST_CASE("the largest key and value are stored and restored") {
  authenticated_map map{small_leaves};
  put(map, std::string(authenticated_map::key_bytes_max, 'k'), std::string(authenticated_map::value_bytes_max, 'v'));
  authenticated_map restored{small_leaves};
  REQUIRE(restored.restore(map.snapshot()).has_value());
  CHECK(restored.root() == map.root());
}

TEST_CASE("a restored map goes on like the original") {
  auto map = filled_map(5, 400);
  authenticated_map restored{small_leaves};
  REQUIRE(restored.restore(map.snapshot()).has_value());
  CHECK(restored.size() == map.size());
  CHECK(restored.content_bytes() == map.content_bytes());
  splitmix64 random{6};
  for (int step = 0; step < 200; ++step) {
    const auto key = "key" + std::to_string(random.below(1'000));
    put(map, key, std::to_string(step));
    put(restored, key, std::to_string(step));
    if (step % 20 == 0) CHECK(map.root() == restored.root());
  }
}

TEST_CASE("restore refuses every changed byte and every truncation, and keeps the present state") {
  auto map = filled_map(8, 60);
  const auto snapshot = map.snapshot();
  auto target = filled_map(9, 10);
  const auto root = target.root();
  for (std::size_t index = 0; index < snapshot.size(); ++index) {
    for (std::size_t position = 0; position < snapshot[index].bytes->size(); ++position) {
      auto bytes = *snapshot[index].bytes;
      bytes[position] ^= std::byte{0x01};
      auto changed = snapshot;
      changed[index] = chunk_of(bytes);
      // With a new leaf, a changed value makes another valid state with another root.
      authenticated_map other{small_leaves};
      if (other.restore(changed)) CHECK(other.root() != map.root());
      changed[index].leaf = snapshot[index].leaf;
      CHECK_FALSE(target.restore(changed).has_value());

      bytes = *snapshot[index].bytes;
      bytes.resize(position);
      changed[index] = chunk_of(bytes);
      if (other.restore(changed)) CHECK(other.root() != map.root());
    }
  }
  CHECK(target.root() == root);
}

TEST_CASE("restore refuses chunks that are truncated, doubled, swapped or of another shape") {
  auto map = filled_map(8, 100);
  const auto sound = map.snapshot();
  authenticated_map target{small_leaves};

  auto swapped = sound;
  std::swap(swapped[0], swapped[1]);
  CHECK_FALSE(target.restore(swapped).has_value());

  auto doubled = sound;
  doubled.insert(doubled.begin(), sound[0]);
  CHECK_FALSE(target.restore(doubled).has_value());

  auto without_bytes = sound;
  without_bytes[2].bytes = nullptr;
  CHECK_FALSE(target.restore(without_bytes).has_value());

  auto trailing = sound;
  auto bytes = *sound[0].bytes;
  bytes.push_back(std::byte{0});
  trailing[0] = chunk_of(bytes);
  CHECK_FALSE(target.restore(trailing).has_value());

  authenticated_map other_shape{small_leaves + 1};
  CHECK_FALSE(other_shape.restore(sound).has_value());
  CHECK(target.size() == 0);
}

TEST_CASE("a state without one of its chunks is refused or another state") {
  for (auto* make : {+[] { return large_map(); }, +[] { return filled_map(8, 300); }}) {
    auto map = make();
    const auto sound = map.snapshot();
    REQUIRE(sound.size() >= 4);
    authenticated_map target{small_leaves};
    for (std::size_t left_out = 0; left_out < sound.size(); ++left_out) {
      CAPTURE(left_out);
      auto changed = sound;
      changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(left_out));
      if (!target.restore(changed)) continue;
      CHECK(target.root() != map.root());
      auto copy = copy_of(target, small_leaves);
      CHECK(leaves_of(copy.snapshot()) == leaves_of(changed));
    }
  }
}

TEST_CASE("a leaf of thousands of entries equals a plain map while it grows and shrinks") {
  constexpr int most = 5'000;
  authenticated_map map{packed_leaf::leaf_bytes_limit};
  std::map<std::string, std::string> model;
  const auto name_of = [](int number) { return fmt::format("{}", number * 7919 % most); };
  const auto compare = [&](int number) {
    const auto key = name_of(number);
    const auto found = map.find(as_byte_span(key));
    REQUIRE(found.has_value() == model.contains(key));
    if (found) REQUIRE(as_text(*found) == model.at(key));
  };
  for (int round = 0; round < 2; ++round) {
    for (int number = 0; number < most; ++number) {
      put(map, name_of(number), fmt::format("{}", number % 3));
      model[name_of(number)] = fmt::format("{}", number % 3);
      compare(number / 2);
    }
    CHECK(map.leaf_count() == 1);
    authenticated_map restored{packed_leaf::leaf_bytes_limit};
    REQUIRE(restored.restore(map.snapshot()));
    map = std::move(restored);
    for (int number = 0; number < most - 10; ++number) {
      REQUIRE(map.erase(as_byte_span(name_of(number))));
      REQUIRE_FALSE(map.erase(as_byte_span(name_of(number))));
      model.erase(name_of(number));
      compare(number + 5);
    }
    CHECK(content_of(map) == model);
  }
}

TEST_CASE("restore refuses a region that does not belong to the entries") {
  authenticated_map one{small_leaves};
  put(one, "a", "1");
  const auto sound = *one.snapshot()[0].bytes;
  std::size_t accepted = 0;
  for (unsigned depth = 0; depth <= 255; ++depth) {
    for (const auto start : {std::uint64_t{0}, authenticated_map::place_of(as_byte_span("a")).order}) {
      byte_writer out;
      out.bytes(byte_span{sound}.first(5)).number(static_cast<std::uint8_t>(depth)).number(start);
      out.bytes(byte_span{sound}.subspan(packed_leaf::header_bytes));
      authenticated_map target{small_leaves};
      if (target.restore({chunk_of(out.take())})) ++accepted;
    }
  }
  // A single entry has the region of all places, and no smaller one.
  CHECK(accepted == 1);
}

}  // namespace hypermesh::testing
