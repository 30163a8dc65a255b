#include <doctest/doctest.h>

#include <map>
#include <string>

#include <fmt/format.h>

#include "messages/digest.hpp"
#include "runtime/state_machines/authenticated_map.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

namespace {

constexpr std::size_t few_buckets = 8;

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
  authenticated_map map{few_buckets};
  for (std::size_t index = 0; index < entries; ++index) {
    put(map, "key" + std::to_string(random.below(1'000)), std::string(random.below(40), 'x'));
  }
  return map;
}

/// A map with a single bucket that needs several chunks.
authenticated_map large_map() {
  authenticated_map map{1};
  for (char letter = 'a'; letter <= 'e'; ++letter) {
    put(map, std::string(1, letter), std::string(authenticated_map::value_bytes_max - 1'000, letter));
  }
  return map;
}

}  // namespace

TEST_CASE("a map equals a plain map after any sequence of changes") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    authenticated_map map{few_buckets};
    std::map<std::string, std::string> model;
    for (int step = 0; step < 500; ++step) {
      const auto key = "k" + std::to_string(random.below(60));
      if (random.below(3) == 0) {
        CHECK(map.erase(as_byte_span(key)) == (model.erase(key) == 1));
      } else {
        model[key] = std::string(random.below(20), static_cast<char>('a' + random.below(26)));
        put(map, key, model[key]);
      }
      if (random.below(50) == 0) CHECK(map.root() == state_root(map.snapshot()));
    }
    std::uint64_t bytes = 0;
    for (const auto& [key, value] : model)
      bytes += key.size() + value.size();
    CHECK(content_of(map) == model);
    CHECK(map.size() == model.size());
    CHECK(map.content_bytes() == bytes);
  }
}

TEST_CASE("the root depends on the content, not on the order of changes") {
  authenticated_map forwards{few_buckets};
  authenticated_map backwards{few_buckets};
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
  authenticated_map map{few_buckets};
  for (int round = 0; round < 50; ++round) {
    put(map, "k" + std::to_string(random.below(30)), std::to_string(random.next()));
    static_cast<void>(map.erase(as_byte_span("k" + std::to_string(random.below(30)))));
    authenticated_map fresh{few_buckets};
    map.for_each([&](byte_span key, byte_span value) { fresh.put(key, value); });
    CHECK(map.root() == fresh.root());
  }
}

TEST_CASE("an empty map has no chunks and a root of its own") {
  authenticated_map map{few_buckets};
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
  REQUIRE(before.size() == few_buckets);
  REQUIRE(after.size() == few_buckets);
  std::size_t shared = 0;
  for (std::size_t index = 0; index < few_buckets; ++index)
    shared += before[index].bytes == after[index].bytes ? 1 : 0;
  CHECK(shared == few_buckets - 1);
}

TEST_CASE("writing the same value keeps every chunk") {
  auto map = filled_map(3, 300);
  put(map, "key1", "same");
  const auto before = map.snapshot();
  put(map, "key1", "same");
  const auto after = map.snapshot();
  for (std::size_t index = 0; index < few_buckets; ++index)
    CHECK(before[index].bytes == after[index].bytes);
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
  authenticated_map restored{1};
  REQUIRE(restored.restore(snapshot).has_value());
  CHECK(content_of(restored) == content_of(map));
  CHECK(restored.root() == map.root());
}

TEST_CASE("the largest key and value are stored and restored") {
  authenticated_map map{few_buckets};
  put(map, std::string(authenticated_map::key_bytes_max, 'k'), std::string(authenticated_map::value_bytes_max, 'v'));
  authenticated_map restored{few_buckets};
  REQUIRE(restored.restore(map.snapshot()).has_value());
  CHECK(restored.root() == map.root());
}

TEST_CASE("a restored map goes on like the original") {
  auto map = filled_map(5, 400);
  authenticated_map restored{few_buckets};
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
      authenticated_map other{few_buckets};
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
  authenticated_map target{few_buckets};

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

  authenticated_map other_shape{few_buckets + 1};
  CHECK_FALSE(other_shape.restore(sound).has_value());
  CHECK(target.size() == 0);
}

TEST_CASE("restore refuses a large bucket with a part left out or out of place") {
  auto map = large_map();
  const auto sound = map.snapshot();
  REQUIRE(sound.size() >= 4);
  authenticated_map target{1};
  for (std::size_t left_out = 0; left_out < sound.size(); ++left_out) {
    CAPTURE(left_out);
    auto changed = sound;
    changed.erase(changed.begin() + static_cast<std::ptrdiff_t>(left_out));
    CHECK_FALSE(target.restore(changed).has_value());
  }
  auto swapped = sound;
  std::swap(swapped[1], swapped[2]);
  CHECK_FALSE(target.restore(swapped).has_value());
  CHECK(target.size() == 0);
}

TEST_CASE("a bucket equals a plain map while it grows beyond its index and shrinks again") {
  constexpr auto most = static_cast<int>(authenticated_map::indexed_max) + 50;
  authenticated_map map{1};
  std::map<std::string, std::string> model;
  const auto name_of = [](int number) { return fmt::format("key {}", number * 7919 % most); };
  const auto compare = [&](int number) {
    const auto key = name_of(number);
    const auto found = map.find(as_byte_span(key));
    REQUIRE(found.has_value() == model.contains(key));
    if (found) REQUIRE(as_text(*found) == model.at(key));
  };
  for (int round = 0; round < 2; ++round) {
    for (int number = 0; number < most; ++number) {
      put(map, name_of(number), fmt::format("{} {}", round, number));
      model[name_of(number)] = fmt::format("{} {}", round, number);
      compare(number / 2);
    }
    // Only a map that was restored has an index from its beginning, or none.
    authenticated_map restored{1};
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

TEST_CASE("restore refuses a key in another bucket than its digest names") {
  authenticated_map one{1};
  put(one, "a", "1");
  auto bytes = *one.snapshot()[0].bytes;
  // The chunk of a map with one bucket is presented as each bucket of a map with eight buckets.
  bytes[1] = std::byte{few_buckets};
  std::size_t accepted = 0;
  for (std::size_t bucket = 0; bucket < few_buckets; ++bucket) {
    bytes[5] = static_cast<std::byte>(bucket);
    authenticated_map target{few_buckets};
    if (target.restore({chunk_of(bytes)})) ++accepted;
  }
  CHECK(accepted == 1);
}

}  // namespace hypermesh::testing
