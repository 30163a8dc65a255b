#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "runtime/state_machines/key_value_store.hpp"
#include "tests/simulation/client_history.hpp"
#include "tests/simulation/key_model.hpp"
#include "tests/simulation/linearizability.hpp"
#include "tests/simulation/operation_text.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/time_draws.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

byte_vector operation(std::string_view words) { return *operation_of(split_words(words)); }

operation_result answer(std::string_view text = {}) { return {operation_status::applied, to_byte_vector(text)}; }
operation_result flag(bool set, std::string_view value = {}) {
  auto result = answer(value);
  result.payload.insert(result.payload.begin(), std::byte{set});
  return result;
}

moment at(std::int64_t microseconds) { return moment{duration{microseconds}}; }

/// A history written by hand.
struct handmade {
  std::vector<client_operation> operations;

  /// Times are in microseconds.
  handmade& did(std::int64_t invoked, std::int64_t returned, std::string_view words, operation_result result) {
    operations.push_back({client_id{0}, at(invoked), at(returned), operation(words), std::move(result), {}});
    return *this;
  }
  handmade& never_heard(std::int64_t invoked, std::string_view words) {
    operations.push_back({client_id{0}, at(invoked), {}, operation(words), {}, {}});
    return *this;
  }
  /// Makes the last operation the operation `index` of request `when`.
  handmade& in(std::uint64_t when, std::size_t index) {
    operations.back().bundle = bundle_place{client_id{0}, timestamp{when}, index};
    return *this;
  }

  [[nodiscard]] std::optional<std::string> violation() const { return check_linearizability(operations).violation; }
  [[nodiscard]] bool is_right() const { return !violation(); }
};

}  // namespace

TEST_CASE("a sequential history is linearizable when the store agrees") {
  CHECK(handmade{}
            .did(0, 10, "put a 1", answer())
            .did(20, 30, "get a", flag(true, "1"))
            .did(40, 50, "increment a 4", answer("5"))
            .did(60, 70, "compare-and-swap a 5 x", flag(true))
            .did(80, 90, "delete a", flag(true))
            .did(100, 110, "get a", flag(false))
            .is_right());
}

TEST_CASE("a stale read is found, and a read that overlaps the write is allowed") {
  handmade stale;
  stale.did(0, 10, "put a 1", answer()).did(20, 30, "put a 2", answer()).did(40, 50, "get a", flag(true, "1"));
  CHECK_FALSE(stale.is_right());
  handmade overlapping;
  overlapping.did(0, 10, "put a 1", answer()).did(20, 45, "put a 2", answer()).did(40, 50, "get a", flag(true, "1"));
  CHECK(overlapping.is_right());
  handmade touching;
  touching.did(0, 10, "put a 1", answer()).did(20, 40, "put a 2", answer()).did(40, 50, "get a", flag(true, "1"));
  CHECK(touching.is_right());
}

TEST_CASE("two reads that see two concurrent writes in different orders are found") {
  handmade history;
  history.did(0, 100, "put a 1", answer()).did(0, 100, "put a 2", answer());
  history.did(10, 20, "get a", flag(true, "1")).did(30, 40, "get a", flag(true, "2"));
  CHECK(history.is_right());
  history.did(50, 60, "get a", flag(true, "1"));
  CHECK_FALSE(history.is_right());
}

TEST_CASE("a lost update is found") {
  handmade history;
  history.did(0, 50, "increment a", answer("1")).did(10, 60, "increment a", answer("1"));
  CHECK_FALSE(history.is_right());
}

TEST_CASE("a double increment is found") {
  handmade history;
  history.did(0, 10, "increment a", answer("1")).did(20, 30, "increment a", answer("3"));
  CHECK_FALSE(history.is_right());
}

TEST_CASE("a value that was never written is found") {
  handmade history;
  history.did(0, 10, "put a 1", answer()).did(5, 30, "get a", flag(true, "7"));
  CHECK_FALSE(history.is_right());
}

TEST_CASE("two compare-and-swaps from one value cannot both succeed") {
  handmade history;
  history.did(0, 50, "create a 1", flag(true)).did(0, 50, "create a 2", flag(true));
  CHECK_FALSE(history.is_right());
}

TEST_CASE("an operation without a result may have been executed late, or not at all") {
  handmade unseen;
  unseen.did(0, 10, "put a 1", answer()).never_heard(20, "put a 2").did(30, 40, "get a", flag(true, "1"));
  CHECK(unseen.is_right());
  unseen.did(50, 60, "get a", flag(true, "2")).did(70, 80, "get a", flag(true, "2"));
  CHECK(unseen.is_right());
  unseen.did(90, 95, "get a", flag(true, "1"));
  CHECK_FALSE(unseen.is_right());
}

TEST_CASE("an operation without a result is executed if another one needs it") {
  handmade needed;
  needed.never_heard(0, "increment a 5").did(10, 20, "increment a", answer("6"));
  CHECK(needed.is_right());
  needed.did(30, 40, "get a", flag(true, "1"));
  CHECK_FALSE(needed.is_right());
}

TEST_CASE("an operation without a result is not executed before it was invoked, or twice") {
  handmade early;
  early.did(0, 10, "get a", flag(true, "1")).never_heard(20, "put a 1");
  CHECK_FALSE(early.is_right());
  handmade twice;
  twice.never_heard(0, "increment a").did(10, 20, "get a", flag(true, "1")).did(30, 40, "get a", flag(true, "2"));
  CHECK_FALSE(twice.is_right());
}

TEST_CASE("operations of one request keep their order, and those of different requests need not") {
  const auto history = [](std::uint64_t first, std::uint64_t second) {
    handmade made;
    made.did(0, 50, "put a 1", answer()).in(first, 0).did(1, 50, "put a 2", answer()).in(second, 1);
    return made.did(60, 70, "get a", flag(true, "1")).is_right();
  };
  CHECK(history(1, 2));
  CHECK_FALSE(history(1, 1));
}

TEST_CASE("a request without a reply may have been executed although its first operation changes nothing") {
  handmade history;
  history.never_heard(0, "get a").in(1, 0).never_heard(0, "compare-and-swap a 9 8").in(1, 1);
  history.never_heard(0, "put a 1").in(1, 2).did(10, 20, "get a", flag(true, "1"));
  CHECK(history.is_right());
}

TEST_CASE("an executed operation with a too large result may have had any result") {
  const operation_result unknown{operation_status::result_too_large, {}};
  handmade history;
  history.did(0, 10, "put a 1", unknown).did(20, 30, "get a", flag(true, "1"));
  CHECK(history.is_right());
  history.did(40, 50, "put a 2", unknown).did(60, 70, "get a", flag(true, "1"));
  CHECK_FALSE(history.is_right());
}

TEST_CASE("an invalid operation has exactly one answer") {
  const auto why = key_value::decode(operation("0xff00")).error();
  handmade history;
  history.did(0, 10, "0xff00", {operation_status::malformed, to_byte_vector(why)});
  CHECK(history.is_right());
  history.did(0, 10, "0xff00", answer());
  CHECK_FALSE(history.is_right());
}

TEST_CASE("a violation names its key and prints the shortest failing history") {
  handmade history;
  history.did(0, 10, "put a 1", answer()).did(20, 30, "put b 1", answer()).did(25, 35, "get a", flag(true, "2"));
  history.did(40, 50, "put a 3", answer()).did(60, 70, "get a", flag(true, "1")).did(32, 65, "get b", flag(true, "1"));
  const auto text = history.violation().value_or("");
  CHECK(text ==
        "key \"a\" is not linearizable: no order of these 2 operations yields their results\n"
        "  c0  [      0.000 …      0.010 ms] put a 1 -> ok\n"
        "  c0  [      0.025 …      0.035 ms] get a -> 2   <- the first result that cannot be\n");
}

TEST_CASE("a client's history maps an operation to its request, also when the request was sent again") {
  const request_factory make{small_cluster(4)};
  const client_id client{1};
  const auto bytes = [](std::string_view words) { return std::string{as_text(operation(words))}; };
  client_history history;
  for (const auto* const words : {"put a 1", "put a 2", "get a"})
    history.invoked(client, operation(words), at(10));
  using bundle = std::vector<std::string>;
  const auto first = make.request_of(client, timestamp{5}, bundle{bytes("put a 1"), bytes("put a 2")});
  history.on_request_sent(client, first);
  history.on_request_sent(client, first);
  history.on_request_sent(client, make.request_of(client, timestamp{6}, bundle{bytes("get a")}));
  history.on_request_sent(client, first);
  std::vector<std::pair<std::uint64_t, std::size_t>> places;
  for (const auto& each : history.operations())
    places.emplace_back(each.bundle.value().when.value, each.bundle.value().index);
  CHECK(places == std::vector<std::pair<std::uint64_t, std::size_t>>{{5, 0}, {5, 1}, {6, 0}});
  history.returned(client, 0, answer(), at(20));
  history.returned(client, 1, answer(), at(20));
  history.returned(client, 2, flag(true, "2"), at(30));
  CHECK(!history.check().violation);
  CHECK(history.invoked(client, operation("get a"), at(40)) == 3);
  history.returned(client, 3, flag(true, "1"), at(50));
  CHECK(history.check().violation);
}

TEST_CASE("a linearizable read has no place in its client's order, and an old answer is found") {
  const request_factory make{small_cluster(4)};
  const client_id client{1};
  client_history history{true};
  history.invoked(client, operation("put a 1"), at(10));
  const auto early = history.read_invoked(client, operation("get a"), at(11));
  history.invoked(client, operation("put a 2"), at(12));
  const auto put_and_read = make.request_of(client, timestamp{1}, std::vector<std::string>{"put", "get", "put"});
  history.on_request_sent(client, put_and_read, {0, std::nullopt, 1});
  CHECK_FALSE(history.operations().at(early).bundle);
  CHECK(history.operations().back().bundle.value().index == 1);
  history.returned(client, 0, answer(), at(20));
  history.returned(client, 1, answer(), at(20));
  // The read may see a write that its client submitted after it.
  history.read_returned(early, flag(true, "2"), at(21));
  CHECK_FALSE(history.check().violation);
  const auto late = history.read_invoked(client, operation("get a"), at(30));
  history.read_returned(late, flag(true, "1"), at(31));
  CHECK(history.check().violation);
}

// --- Random histories -------------------------------------------------------------

namespace {

byte_vector random_operation(splitmix64& chance, std::uint64_t keys, std::uint64_t values) {
  const auto key = fmt::format("k{}", chance.below(keys));
  const auto value = chance.below(values);
  switch (chance.below(6)) {
    case 0:
      return operation(fmt::format("get {}", key));
    case 1:
      return operation(fmt::format("delete {}", key));
    case 2:
      return operation(fmt::format("compare-and-swap {} {} {}", key, value, chance.below(values)));
    case 3:
      return operation(fmt::format("create {} {}", key, value));
    case 4:
      return operation(fmt::format("put {} {}", key, chance.below(10) == 0 ? "text" : fmt::to_string(value)));
    default:
      return operation(fmt::format("increment {} {}", key, 1 + value));
  }
}

struct execution {
  std::size_t operations = 0;
  std::uint64_t keys = 1;
  /// The number of operations that are in progress at once.
  std::uint64_t width = 1;
  /// One of this many operations has no result; 0 means that every operation has a result.
  std::uint64_t lost = 0;
  std::uint64_t values = 3;
};

/// Executes operations one after the other, ten microseconds apart, and gives each an interval around its execution.
std::vector<client_operation> execute(splitmix64& chance, const execution& how) {
  key_value_store store{256};
  std::vector<client_operation> history;
  for (std::size_t index = 0; index < how.operations; ++index) {
    const auto when = moment{1ms + 10us * index};
    client_operation done;
    done.client = client_id{static_cast<std::uint32_t>(index % 4)};
    done.operation = random_operation(chance, how.keys, how.values);
    done.invoked = when - draw_below(chance, 5us * how.width);
    done.returned = when + draw_below(chance, 5us * how.width);
    done.result = store.apply({sequence_number{index + 1}, done.client, timestamp{index + 1}, 0}, done.operation);
    if (how.lost > 0 && chance.below(how.lost) == 0) done.returned.reset();
    history.push_back(std::move(done));
  }
  return history;
}

/// Changes the result of an operation.
void corrupt(client_operation& done) {
  auto& payload = done.result.payload;
  if (done.result.status != operation_status::applied || payload.empty()) {
    done.result = answer("9");
  } else if (payload.size() == 1 && payload[0] <= std::byte{1}) {
    payload[0] ^= std::byte{1};
  } else {
    payload.back() ^= std::byte{1};
  }
}

/// Whether some order of the history is right, possibly without some operations that have no result. All orders are
/// tried one by one on the product's store.
bool has_order(const std::vector<client_operation>& history) {
  const auto fits = [&](const std::vector<std::size_t>& order) {
    key_value_store store{64};
    std::vector<bool> done(history.size(), false);
    for (const auto index : order) {
      const auto& each = history[index];
      const auto result = store.apply({sequence_number{1}, each.client, timestamp{1}, 0}, each.operation);
      if (each.returned && result != each.result) return false;
      for (std::size_t other = 0; other < history.size(); ++other) {
        const auto& before = history[other];
        if (!done[other] && other != index && before.returned && *before.returned < each.invoked) return false;
      }
      done[index] = true;
    }
    return true;
  };
  for (std::uint64_t chosen = 0; chosen < (1ULL << history.size()); ++chosen) {
    std::vector<std::size_t> order;
    bool leaves_out_known = false;
    for (std::size_t index = 0; index < history.size(); ++index) {
      const bool taken = ((chosen >> index) & 1U) != 0;
      if (taken) order.push_back(index);
      leaves_out_known = leaves_out_known || (!taken && history[index].returned);
    }
    if (leaves_out_known) continue;
    do {
      if (fits(order)) return true;
    } while (std::ranges::next_permutation(order).found);
  }
  return false;
}

}  // namespace

TEST_CASE("the model of a key equals the store") {
  splitmix64 chance{5};
  key_value_store store{128};
  key_model model;
  std::map<std::string, value_number> values;
  for (std::uint64_t index = 1; index <= 5'000; ++index) {
    auto bytes = random_operation(chance, 3, 3);
    if (chance.below(50) == 0) bytes = operation("increment k0 9223372036854775807");
    const auto decoded = key_value::decode(bytes);
    auto& value = values[std::string{as_text(key_of(*decoded))}];
    const auto step = model.apply(*decoded, value);
    value = step.after;
    CHECK(step.result == store.apply({sequence_number{index}, client_id{0}, timestamp{index}, 0}, bytes));
  }
}

TEST_CASE("histories of real executions with overlapping intervals are linearizable") {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    splitmix64 chance{seed};
    const auto history = execute(chance, {200, 1 + chance.below(4), 1 + chance.below(16), chance.below(2) * 10});
    const auto verdict = check_linearizability(history);
    CHECK_MESSAGE(!verdict.violation, verdict.violation.value_or(""));
    CHECK(verdict.undecided == 0);
  }
}

TEST_CASE("a changed result is nearly always found") {
  std::size_t found = 0;
  std::size_t undecided = 0;
  constexpr std::uint64_t runs = 500;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    splitmix64 chance{seed};
    auto history = execute(chance, {120, 2, 8, 0, 100});
    corrupt(history[chance.below(history.size())]);
    const auto verdict = check_linearizability(history);
    if (verdict.violation) ++found;
    undecided += verdict.undecided;
  }
  MESSAGE(found << " of " << runs << " changed results found");
  CHECK(found >= runs * 90 / 100);
  CHECK(undecided == 0);
}

TEST_CASE("small histories get the verdict of an exhaustive search") {
  std::size_t right = 0;
  for (std::uint64_t seed = 1; seed <= 1'500; ++seed) {
    CAPTURE(seed);
    splitmix64 chance{seed};
    auto history = execute(chance, {5, 1, 1 + chance.below(8), 4});
    for (auto& each : history) {
      if (chance.below(4) == 0) corrupt(each);
    }
    const bool expected = has_order(history);
    if (expected) ++right;
    CHECK(!check_linearizability(history).violation == expected);
  }
  CHECK(right > 300);
  CHECK(right < 1'200);
}

TEST_CASE("a long history on one key with sixteen concurrent operations needs few search states") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    splitmix64 chance{seed};
    const auto verdict = check_linearizability(execute(chance, {400, 1, 16}));
    CHECK(!verdict.violation);
    CHECK(verdict.states < 20'000);
  }
}

TEST_CASE("a search beyond its budget is undecided and no violation") {
  handmade history;
  for (std::uint64_t index = 0; index < 24; ++index)
    history.did(0, 100, fmt::format("put a {}", index), answer());
  history.did(200, 300, "get a", flag(true, "nobody wrote this"));
  const auto verdict = check_linearizability(history.operations, 2'000);
  CHECK(verdict.undecided == 1);
  CHECK(!verdict.violation);
}

TEST_CASE("the text of an operation gives its bytes back") {
  for (const std::string words : {"put a b", "get a", "delete a", "create a b", "compare-and-swap a b c",
                                  "increment a -4", "0xff206e6f6e73656e7365"}) {
    CHECK(words_of(operation(words)) == words);
  }
  for (const std::string_view value : {"", "two words", "line\nbreak"}) {
    const auto bytes = key_value::encode(key_value::put{as_byte_span("a"), as_byte_span(value)});
    CHECK(words_of(bytes).starts_with("0x"));
    CHECK(operation(words_of(bytes)) == bytes);
  }
  CHECK_FALSE(operation_of(split_words("put a")).has_value());
  CHECK_FALSE(operation_of(split_words("0xf")).has_value());
}
