#include "runtime/state_machines/authenticated_map.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

using machines::authenticated_map;
using machines::map_keys;

namespace {

constexpr std::size_t small_leaves = 256;

/// Two keys with one place, which took a search of 2^28 hashes.
constexpr std::array<std::string_view, 2> colliding = {"k770959d63ef2dd", "k0227ea117d6d63"};

std::string_view put(authenticated_map& map, std::string_view key, std::string_view value) {
  return as_text(map.put(as_byte_span(key), as_byte_span(value)));
}

std::vector<std::string> keys_after(const authenticated_map& map, std::string_view after, std::string_view prefix,
                                    std::size_t count) {
  std::vector<std::string> keys;
  map.for_each_after(as_byte_span(after), as_byte_span(prefix), [&](byte_span key, byte_span) {
    keys.emplace_back(as_text(key));
    return keys.size() < count;
  });
  return keys;
}

}  // namespace

TEST_CASE("a scan visits the keys that are present throughout once, while leaves are split and joined") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    authenticated_map map{small_leaves};
    std::set<std::string> present;
    for (int number = 0; number < 200; ++number) {
      put(map, fmt::format("t{}", number), "stays");
      present.insert(fmt::format("t{}", number));
      put(map, fmt::format("n{}", number), "other");
    }
    std::multiset<std::string> visited;
    std::string last;
    for (bool is_more = true; is_more;) {
      const auto page = keys_after(map, last, "t", 7);
      is_more = page.size() == 7;
      if (!page.empty()) last = page.back();
      for (const auto& key : page) {
        if (present.contains(key)) visited.insert(key);
      }
      // Other keys come and go, even the one at which the scan stopped.
      for (int change = 0; change < 40; ++change) {
        const auto key = fmt::format("t1000{}", random.below(300));
        if (random.below(2) == 0) {
          put(map, key, std::string(random.below(200), 'x'));
        } else {
          (void)map.erase(as_byte_span(key));
        }
      }
      if (last.starts_with("t1000")) (void)map.erase(as_byte_span(last));
    }
    CHECK(visited.size() == present.size());
    CHECK(std::ranges::equal(visited, present));
  }
}

TEST_CASE("a scan of a prefix costs its keys and not those of other kinds") {
  authenticated_map map{small_leaves};
  for (int number = 0; number < 5'000; ++number)
    put(map, fmt::format("n{}", number), "a node");
  put(map, "t1", "a task");
  put(map, "u", "behind");
  CHECK(keys_after(map, "", "t", 10) == std::vector<std::string>{"t1"});
  CHECK(keys_after(map, "t1", "t", 10).empty());
  CHECK(keys_after(map, "", "t2", 10).empty());
  CHECK(keys_after(map, "", "", 100'000).size() == 5'002);
  CHECK(keys_after(map, "n1", "t", 10) == std::vector<std::string>{"t1"});
  CHECK(keys_after(map, "u", "t", 10).empty());
  // The records of a kind follow each other.
  const auto all = keys_after(map, "", "", 100'000);
  CHECK(std::ranges::is_sorted(all, {}, [](const auto& key) { return key.front(); }));
}

TEST_CASE("keys of one place are split into leaves of their own and joined again") {
  REQUIRE(authenticated_map::place_of(as_byte_span(colliding[0])) ==
          authenticated_map::place_of(as_byte_span(colliding[1])));
  for (const auto& [first, second] : {std::pair{0, 1}, std::pair{1, 0}}) {
    authenticated_map map{small_leaves};
    for (int number = 0; number < 30; ++number)
      put(map, fmt::format("k{}", number), "between");
    const auto joined = map.root();
    const std::string large(200, 'v');
    put(map, colliding.at(first), large);
    const auto one = map.root();
    put(map, colliding.at(second), large);
    CHECK(as_text(*map.find(as_byte_span(colliding[0]))) == large);
    CHECK(as_text(*map.find(as_byte_span(colliding[1]))) == large);
    authenticated_map restored{small_leaves};
    REQUIRE(restored.restore(map.snapshot()).has_value());
    CHECK(restored.root() == map.root());
    CHECK(keys_after(map, "", "k", 100).size() == 32);
    // In the order of the keys.
    CHECK(keys_after(map, colliding[1], "k", 100).front() == colliding[0]);
    CHECK(keys_after(map, colliding[0], "k", 100).size() + 1 == keys_after(map, colliding[1], "k", 100).size());
    // Both orders are no sound snapshot.
    auto swapped = map.snapshot();
    for (std::size_t index = 0; index + 1 < swapped.size(); ++index) {
      auto other = map.snapshot();
      std::swap(other[index], other[index + 1]);
      CHECK_FALSE(restored.restore(other).has_value());
    }
    put(map, colliding.at(second), "short");
    put(map, colliding.at(second), large);
    CHECK(map.root() == restored.root());
    CHECK(map.erase(as_byte_span(colliding.at(second))));
    CHECK(map.root() == one);
    CHECK(map.erase(as_byte_span(colliding.at(first))));
    CHECK(map.root() == joined);
  }
}

TEST_CASE("a map of thousands of leaves equals a plain map while it grows and shrinks") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    authenticated_map map{1};
    std::map<std::string, std::string> model;
    for (int step = 0; step < 30'000; ++step) {
      const auto key = fmt::format("{}", random.below(4'000));
      // It grows to thousands of leaves, and shrinks to none.
      if (random.below(30'000) >= static_cast<std::uint64_t>(step)) {
        model[key] = fmt::format("{}", step);
        put(map, key, model[key]);
      } else {
        REQUIRE(map.erase(as_byte_span(key)) == (model.erase(key) == 1));
      }
      if (step % 5'000 != 0) continue;
      REQUIRE(map.leaf_count() == model.size());
      REQUIRE(keys_after(map, "", "", 10'000).size() == model.size());
      REQUIRE(map.root() == state_root(map.snapshot()));
      authenticated_map restored{1};
      REQUIRE(restored.restore(map.snapshot()).has_value());
      REQUIRE(restored.root() == map.root());
      map = std::move(restored);
    }
    while (!model.empty()) {
      REQUIRE(as_text(*map.find(as_byte_span(model.begin()->first))) == model.begin()->second);
      REQUIRE(map.erase(as_byte_span(model.begin()->first)));
      model.erase(model.begin());
    }
    CHECK(map.leaf_count() == 0);
    CHECK(map.snapshot().empty());
  }
}

TEST_CASE("a kept key stays at its address until it is erased") {
  splitmix64 random{11};
  authenticated_map map{small_leaves, map_keys::kept};
  std::map<std::string, std::string_view> known;
  for (int step = 0; step < 3'000; ++step) {
    const auto key = fmt::format("k{}", random.below(150));
    if (random.below(3) == 0) {
      (void)map.erase(as_byte_span(key));
      known.erase(key);
    } else {
      const auto stored = put(map, key, std::string(random.below(100), 'v'));
      const auto [found, is_new] = known.emplace(key, stored);
      REQUIRE(found->second.data() == stored.data());
    }
    if (step % 100 == 0) (void)map.snapshot();
    if (step == 1'500) {
      auto moved = std::move(map);
      map = std::move(moved);
    }
  }
  for (const auto& [key, stored] : known)
    CHECK(stored == key);
  map.for_each(
      [&](byte_span key, byte_span) { CHECK(known.at(std::string{as_text(key)}).data() == as_text(key).data()); });
}

TEST_CASE("a frozen state is finished by another thread while the map changes") {
  authenticated_map map{small_leaves};
  splitmix64 random{5};
  for (int round = 0; round < 30; ++round) {
    for (int step = 0; step < 50; ++step)
      put(map, fmt::format("k{}", random.below(500)), std::string(random.below(50), 'a'));
    authenticated_map copy{small_leaves};
    map.for_each([&](byte_span key, byte_span value) { copy.put(key, value); });
    const auto frozen = map.freeze();
    digest root;
    std::thread other{[&] { root = state_root(frozen->finish()); }};
    for (int step = 0; step < 200; ++step) {
      const auto key = fmt::format("k{}", random.below(500));
      if (step % 3 == 0) {
        (void)map.erase(as_byte_span(key));
      } else {
        put(map, key, std::string(random.below(50), 'b'));
      }
    }
    // Some states are frozen, and never finished.
    (void)map.freeze();
    other.join();
    CHECK(root == copy.root());
  }
}

TEST_CASE("frozen states may be finished in any order") {
  authenticated_map map{small_leaves};
  std::vector<std::shared_ptr<machines::frozen_map>> frozen;
  std::vector<digest> roots;
  for (int round = 0; round < 20; ++round) {
    for (int number = 0; number < 20; ++number)
      put(map, fmt::format("k{}", number * round % 97), fmt::format("{} {}", round, number));
    frozen.push_back(map.freeze());
    authenticated_map copy{small_leaves};
    map.for_each([&](byte_span key, byte_span value) { copy.put(key, value); });
    roots.push_back(copy.root());
  }
  for (auto round = frozen.size(); round-- > 0;)
    CHECK(state_root(frozen[round]->finish()) == roots[round]);
}

TEST_CASE("a snapshot lists and hashes only what changed") {
  authenticated_map map{small_leaves};
  for (int number = 0; number < 2'000; ++number)
    put(map, fmt::format("k{}", number), "12345678");
  const auto before = map.snapshot();
  put(map, "k77", "87654321");
  const auto after = map.snapshot();
  REQUIRE(before.size() == after.size());
  std::size_t changed = 0;
  for (std::size_t index = 0; index < before.size(); ++index)
    changed += before[index].bytes == after[index].bytes ? 0 : 1;
  CHECK(before.size() > 200);
  CHECK(changed == 1);
}

TEST_CASE("the map needs at most 1.3 times the memory of its content") {
  for (const std::size_t value_bytes : {100, 1'000, 5'000}) {
    CAPTURE(value_bytes);
    authenticated_map map;
    const std::string value(value_bytes, 'v');
    for (std::size_t number = 0; number * value_bytes < 16'000'000; ++number)
      put(map, fmt::format("key {:012}", number), value);
    const auto held = [&] {
      std::uint64_t bytes = map.overhead_bytes();
      for (const auto& chunk : map.snapshot())
        bytes += chunk.bytes->size() + sizeof(state_chunk) + sizeof(std::uint64_t);
      return static_cast<double>(bytes) / static_cast<double>(map.content_bytes());
    };
    CHECK(held() < 1.3);
    // The leaves of a map that shrinks are joined, so it needs as little for what is left.
    for (std::size_t number = 0; number * value_bytes < 16'000'000; ++number) {
      if (number % 10 != 0) (void)map.erase(as_byte_span(fmt::format("key {:012}", number)));
    }
    CHECK(held() < 1.3);
  }
}

}  // namespace hypermesh::testing
