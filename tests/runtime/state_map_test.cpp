#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <hypermesh/large_state.hpp>

using namespace hypermesh;

TEST_CASE("a host's map keeps, scans and restores what was put, and refuses what is out of bounds") {
  state_map map;
  for (int number = 0; number < 1'000; ++number) {
    const auto key = "k" + std::to_string(number);
    REQUIRE(map.put(as_byte_span(key), as_byte_span(std::to_string(number * number))));
  }
  CHECK(map.erase(as_byte_span("k999")));
  CHECK_FALSE(map.erase(as_byte_span("k999")));
  CHECK_FALSE(map.put({}, as_byte_span("value")));
  CHECK_FALSE(map.put(as_byte_span(std::string(state_map::key_bytes_max + 1, 'k')), {}));
  CHECK_FALSE(map.put(as_byte_span("k"), as_byte_span(std::string(state_map::value_bytes_max + 1, 'v'))));
  CHECK_FALSE(map.erase({}));
  CHECK_FALSE(map.find({}).has_value());
  CHECK(map.put(as_byte_span("other"), as_byte_span(std::string(state_map::value_bytes_max, 'v'))));
  CHECK(map.size() == 1'000);

  const auto frozen = map.freeze();
  const auto root = map.root();
  CHECK(map.put(as_byte_span("k1"), as_byte_span("later")));
  CHECK(map.root() != root);
  CHECK(state_root(frozen->finish()) == root);
  state_map restored;
  REQUIRE(restored.restore(frozen->finish()).has_value());
  CHECK(restored.root() == root);
  CHECK(as_text(*restored.find(as_byte_span("k30"))) == "900");
  CHECK_FALSE(restored.restore({{nullptr, {}}}).has_value());

  std::vector<std::string> keys;
  std::string last;
  for (std::size_t before = 1; before != keys.size();) {
    before = keys.size();
    restored.for_each_after(as_byte_span(last), as_byte_span("k"), [&](byte_span key, byte_span) {
      keys.emplace_back(as_text(key));
      return keys.size() < before + 100;
    });
    if (!keys.empty()) last = keys.back();
  }
  CHECK(keys.size() == 999);
  auto moved = std::move(restored);
  CHECK(moved.root() == root);
}
