#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "messages/limits.hpp"
#include "runtime/state_machines/key_value_store.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

namespace {

constexpr std::size_t small_leaves = 128;

operation_result run(state_machine& machine, const key_value::operation& operation) {
  return machine.apply({}, key_value::encode(operation));
}

operation_result run_words(state_machine& machine, const std::vector<std::string>& words) {
  const auto encoded = key_value::parse_operation(words);
  REQUIRE(encoded);
  return machine.apply({}, *encoded);
}

std::string say(state_machine& machine, const std::vector<std::string>& words) {
  const auto encoded = key_value::parse_operation(words);
  REQUIRE(encoded);
  return key_value::interpret(*encoded, machine.apply({}, *encoded)).line;
}

std::vector<byte_vector> one_of_each() {
  const auto key = as_byte_span("some-key");
  const auto value = as_byte_span("some-value");
  const std::string long_key(300, 'k');
  return {key_value::encode(key_value::put{key, value}),
          key_value::encode(key_value::put{as_byte_span(long_key), value}),
          key_value::encode(key_value::get{key}),
          key_value::encode(key_value::remove{key}),
          key_value::encode(key_value::compare_and_swap{key, value, as_byte_span("new")}),
          key_value::encode(key_value::compare_and_swap{key, std::nullopt, value}),
          key_value::encode(key_value::increment{key, -5})};
}

byte_vector random_operation(splitmix64& random) {
  const auto key = "k" + std::to_string(random.below(20));
  const auto value = std::to_string(random.below(5));
  const auto other = std::to_string(random.below(5));
  switch (random.below(6)) {
    case 0:
      return key_value::encode(key_value::get{as_byte_span(key)});
    case 1:
      return key_value::encode(key_value::remove{as_byte_span(key)});
    case 2:
      return key_value::encode(
          key_value::compare_and_swap{as_byte_span(key), as_byte_span(value), as_byte_span(other)});
    case 3:
      return key_value::encode(key_value::increment{as_byte_span(key), static_cast<std::int64_t>(random.below(9)) - 4});
    default:
      return key_value::encode(key_value::put{as_byte_span(key), as_byte_span(value)});
  }
}

}  // namespace

TEST_CASE("the store gives the same answers as a plain map") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    key_value_store store{small_leaves};
    std::map<std::string, std::string> model;
    for (int step = 0; step < 1'000; ++step) {
      const auto key = "k" + std::to_string(random.below(15));
      const auto value = "v" + std::to_string(random.below(4));
      const bool is_there = model.contains(key);
      switch (random.below(4)) {
        case 0:
          CHECK(run_words(store, {"put", key, value}) == operation_result{});
          model[key] = value;
          break;
        case 1:
          CHECK(say(store, {"get", key}) == (is_there ? model[key] : "(none)"));
          break;
        case 2:
          CHECK(say(store, {"delete", key}) == (is_there ? "deleted" : "(none)"));
          model.erase(key);
          break;
        default: {
          const bool swaps = is_there && model[key] == value;
          CHECK((say(store, {"compare-and-swap", key, value, "w"}) == "swapped") == swaps);
          if (swaps) model[key] = "w";
        }
      }
    }
    CHECK(store.size() == model.size());
  }
}

TEST_CASE("a put of a small value costs one byte beside key and value") {
  CHECK(key_value::encode(key_value::put{as_byte_span("key"), as_byte_span("value")}).size() == 9);
  CHECK(key_value::encode(key_value::put{as_byte_span(std::string(128, 'k')), {}}).size() == 129);
  CHECK(key_value::encode(key_value::put{as_byte_span(std::string(129, 'k')), {}}).size() == 132);
}

TEST_CASE("keys of every length and empty values are stored and found") {
  key_value_store store{small_leaves};
  for (const std::size_t length : {1, 127, 128, 129, 255, 256, 1'024}) {
    const std::string key(length, 'k');
    CHECK(run(store, key_value::put{as_byte_span(key), {}}).status == operation_status::applied);
    const auto found = run(store, key_value::get{as_byte_span(key)});
    REQUIRE(key_value::found_value(found));
    CHECK(key_value::found_value(found)->empty());
  }
  CHECK(store.size() == 7);
}

TEST_CASE("an empty value differs from no value") {
  key_value_store store{small_leaves};
  CHECK(say(store, {"get", "k"}) == "(none)");
  CHECK(say(store, {"put", "k", ""}) == "ok");
  CHECK(say(store, {"get", "k"}) == "");
  CHECK(say(store, {"create", "k", "x"}) == "not swapped: the value differs");
  CHECK(say(store, {"compare-and-swap", "k", "", "x"}) == "swapped");
  CHECK(say(store, {"compare-and-swap", "absent", "", "x"}) == "not swapped: the value differs");
  CHECK(say(store, {"create", "absent", "x"}) == "swapped");
}

TEST_CASE("an increment counts in decimal, and refuses other texts and too large numbers") {
  key_value_store store{small_leaves};
  CHECK(say(store, {"increment", "n"}) == "1");
  CHECK(say(store, {"increment", "n", "-3"}) == "-2");
  CHECK(say(store, {"put", "n", "9223372036854775807"}) == "ok");
  CHECK(run_words(store, {"increment", "n"}).status == operation_status::refused);
  CHECK(say(store, {"get", "n"}) == "9223372036854775807");
  for (const auto* text : {"", "x", "007", "-0", "+1", " 1", "1 ", "9223372036854775808"}) {
    CAPTURE(text);
    CHECK(say(store, {"put", "n", text}) == "ok");
    const auto root = store.root();
    CHECK(run_words(store, {"increment", "n"}).status == operation_status::refused);
    CHECK(store.root() == root);
  }
}

TEST_CASE("no truncation of an operation crashes the store, and a malformed one changes nothing") {
  for (const auto& whole : one_of_each()) {
    for (std::size_t length = 0; length < whole.size(); ++length) {
      key_value_store store{small_leaves};
      const auto root = store.root();
      const auto result = store.apply({}, byte_span{whole}.first(length));
      if (result.status != operation_status::applied) CHECK(store.root() == root);
    }
  }
  key_value_store store{small_leaves};
  CHECK(store.apply({}, {}).status == operation_status::malformed);
}

TEST_CASE("no mutation of an operation crashes the store, and a malformed one changes nothing") {
  splitmix64 random{11};
  key_value_store store{small_leaves};
  const auto operations = one_of_each();
  for (int step = 0; step < 20'000; ++step) {
    auto bytes = operations[random.below(operations.size())];
    for (auto changes = random.below(4); changes > 0; --changes) {
      bytes[random.below(bytes.size())] = static_cast<std::byte>(random.below(256));
    }
    if (random.below(3) == 0) bytes.resize(random.below(bytes.size() + 20));
    const auto before = store.size();
    const auto result = store.apply({}, bytes);
    if (result.status != operation_status::malformed) continue;
    CHECK(store.size() == before);
    CHECK_FALSE(result.payload.empty());
    CHECK(store.query(bytes).status == operation_status::malformed);
  }
}

TEST_CASE("every valid operation has one encoding") {
  splitmix64 random{12};
  const auto operations = one_of_each();
  for (int step = 0; step < 20'000; ++step) {
    auto bytes = operations[random.below(operations.size())];
    bytes[random.below(std::min<std::size_t>(bytes.size(), 16))] = static_cast<std::byte>(random.below(256));
    const auto decoded = key_value::decode(bytes);
    if (decoded) CHECK(key_value::encode(*decoded) == bytes);
  }
}

TEST_CASE("an operation above the limit is malformed") {
  const std::string value(limits::operation_bytes_max, 'v');
  const auto bytes = key_value::encode(key_value::put{as_byte_span("k"), as_byte_span(value)});
  key_value_store store{small_leaves};
  CHECK(store.apply({}, bytes).status == operation_status::malformed);
  CHECK(store.size() == 0);
}

TEST_CASE("the answer to a get of the largest value that can be put fits a result") {
  std::string value(authenticated_map::value_bytes_max, 'v');
  key_value_store store{small_leaves};
  CHECK(run(store, key_value::put{as_byte_span("k"), as_byte_span(value)}).status == operation_status::applied);
  CHECK(run(store, key_value::get{as_byte_span("k")}).payload.size() <= limits::result_bytes_max);
  // An operation may be longer than a chunk can hold.
  value.push_back('v');
  const key_value::put longer{as_byte_span("k"), as_byte_span(value)};
  REQUIRE(key_value::encode(longer).size() <= limits::operation_bytes_max);
  const auto root = store.root();
  CHECK(run(store, longer).status == operation_status::refused);
  CHECK(run(store, key_value::compare_and_swap{as_byte_span("x"), std::nullopt, as_byte_span(value)}).status ==
        operation_status::refused);
  CHECK(store.root() == root);
}

TEST_CASE("a query reads like an ordered get, and refuses to write") {
  key_value_store store{small_leaves};
  CHECK(say(store, {"put", "k", "v"}) == "ok");
  const auto root = store.root();
  for (const auto& operation : one_of_each()) {
    const auto decoded = key_value::decode(operation);
    REQUIRE(decoded);
    const auto expected = key_value::is_read(*decoded) ? operation_status::applied : operation_status::refused;
    CHECK(store.query(operation).status == expected);
  }
  const auto get = key_value::encode(key_value::get{as_byte_span("k")});
  CHECK(store.query(get) == store.apply({}, get));
  CHECK(store.root() == root);
}

TEST_CASE("a full store refuses to grow but lets values shrink") {
  key_value_store store{small_leaves, 10};
  CHECK(run_words(store, {"put", "k", "123456789"}).status == operation_status::applied);
  CHECK(run_words(store, {"put", "k", "1234567890"}).status == operation_status::refused);
  CHECK(run_words(store, {"put", "j", ""}).status == operation_status::refused);
  CHECK(run_words(store, {"create", "j", ""}).status == operation_status::refused);
  CHECK(run_words(store, {"increment", "j"}).status == operation_status::refused);
  CHECK(run_words(store, {"put", "k", "1"}).status == operation_status::applied);
  CHECK(run_words(store, {"put", "j", "2"}).status == operation_status::applied);
}

TEST_CASE("a restored store has the same root and the same future") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CAPTURE(seed);
    splitmix64 random{seed};
    key_value_store original{small_leaves};
    for (int step = 0; step < 300; ++step)
      original.apply({}, random_operation(random));
    key_value_store restored{small_leaves};
    restored.apply({}, random_operation(random));
    REQUIRE(restored.restore(original.snapshot()).has_value());
    CHECK(restored.root() == original.root());
    for (int step = 0; step < 300; ++step) {
      const auto operation = random_operation(random);
      CHECK(original.apply({}, operation) == restored.apply({}, operation));
    }
    CHECK(restored.root() == original.root());
  }
}

TEST_CASE("stores that differ in one byte of one value have different roots") {
  key_value_store first{small_leaves};
  key_value_store second{small_leaves};
  for (int index = 0; index < 50; ++index) {
    const auto key = "k" + std::to_string(index);
    CHECK(say(first, {"put", key, "value"}) == "ok");
    CHECK(say(second, {"put", key, "value"}) == "ok");
  }
  CHECK(first.root() == second.root());
  for (std::size_t position = 0; position < 5; ++position) {
    std::string changed = "value";
    changed[position] = 'X';
    CHECK(say(second, {"put", "k7", changed}) == "ok");
    CHECK(first.root() != second.root());
  }
  CHECK(say(second, {"put", "k7", "value"}) == "ok");
  CHECK(first.root() == second.root());
}

TEST_CASE("an unknown command gets a list of the operations") {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"put"},
                                                       {"put", "k"},
                                                       {"get"},
                                                       {"get", ""},
                                                       {"fetch", "k"},
                                                       {"increment", "k", "much"},
                                                       {"put", "k", "v", "w"},
                                                       {"get", std::string(1'025, 'k')}};
  for (const auto& words : wrong) {
    const auto parsed = key_value::parse_operation(words);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().find("put KEY VALUE") != std::string::npos);
  }
  CHECK_FALSE(key_value::parse_operation(std::vector<std::string>{"put", "k", std::string(300'000, 'v')}));
}

TEST_CASE("unprintable bytes are printed as hexadecimal") {
  key_value_store store{small_leaves};
  CHECK(say(store, {"put", "k", "\x01\xff"}) == "ok");
  CHECK(say(store, {"get", "k"}) == "0x01ff");
}

}  // namespace hypermesh::testing
