#include <doctest/doctest.h>

#include "actors/protocol/execution/client_table.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using standing = request_standing;

client_table::shared_outcome outcome_of(std::string_view result, std::size_t operations = 1) {
  request_outcome outcome;
  for (std::size_t index = 0; index < operations; ++index)
    outcome.append(0, as_byte_span(result));
  return std::make_shared<const request_outcome>(std::move(outcome));
}

request_id id_of(std::uint32_t client, std::uint64_t when) { return {client_id{client}, timestamp{when}}; }

/// The outcome of a request; null when the request is not done.
client_table::shared_outcome outcome_in(const client_table& table, request_id id) {
  return table.standing_of(id) == standing::done ? table.answer_of(id).outcome : nullptr;
}

byte_vector bytes_of(client_table& table) {
  byte_vector all;
  for (const auto& chunk : table.snapshot())
    all.insert(all.end(), chunk.bytes->begin(), chunk.bytes->end());
  return all;
}

state_chunk chunk_of(byte_vector bytes) {
  const auto leaf = state_chunk_digest(bytes);
  return {std::make_shared<const byte_vector>(std::move(bytes)), leaf};
}

/// Requests of `clients` in a random order.
std::vector<std::pair<request_id, client_table::shared_outcome>> random_requests(sample_source& random,
                                                                                 std::uint32_t clients,
                                                                                 std::size_t each) {
  std::vector<std::pair<request_id, client_table::shared_outcome>> all;
  for (std::uint32_t client = 0; client < clients; ++client) {
    for (std::size_t index = 0; index < each; ++index) {
      const auto text = "result " + std::to_string(random.below(1'000));
      all.emplace_back(id_of(client * 7, 1 + index * 3 + client), outcome_of(text, 1 + random.below(3)));
    }
  }
  for (auto left = all.size(); left > 1; --left)
    std::swap(all[left - 1], all[random.below(left)]);
  return all;
}

}  // namespace

TEST_CASE("a request is fresh, then done with its reply, for its own client only") {
  client_table table;
  CHECK(table.standing_of(id_of(1, 5)) == standing::fresh);
  CHECK(outcome_in(table, id_of(1, 5)) == nullptr);
  const auto outcome = outcome_of("answer");
  table.record({id_of(1, 5), {}}, outcome);
  CHECK(table.standing_of(id_of(1, 5)) == standing::done);
  CHECK(outcome_in(table, id_of(1, 5)) == outcome);
  CHECK(table.standing_of(id_of(2, 5)) == standing::fresh);
  CHECK(table.standing_of(id_of(1, 4)) == standing::fresh);
}

TEST_CASE("timestamp 0 is past from the beginning") {
  CHECK(client_table{}.standing_of(id_of(0, 0)) == standing::past);
}

TEST_CASE("a full window forgets the oldest request, which is past for ever, and no other") {
  client_table table;
  for (std::uint64_t when = 1; when <= limits::requests_in_flight_max; ++when)
    table.record({id_of(0, when), {}}, outcome_of("x"));
  CHECK(table.standing_of(id_of(0, 1)) == standing::done);
  table.record({id_of(0, 1'000), {}}, outcome_of("x"));
  CHECK(table.standing_of(id_of(0, 1)) == standing::past);
  CHECK(outcome_in(table, id_of(0, 1)) == nullptr);
  CHECK(table.standing_of(id_of(0, 2)) == standing::done);
  CHECK(table.standing_of(id_of(0, 500)) == standing::fresh);
}

TEST_CASE("a client with less than a window between its oldest and newest open request loses none") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sample_source random{seed};
    client_table table;
    std::uint64_t oldest = 1;
    std::uint64_t next = 1;
    std::set<std::uint64_t> open;
    for (int step = 0; step < 5'000; ++step) {
      if (next - oldest < limits::requests_in_flight_max && random.below(2) == 0) {
        open.insert(next++);
      } else if (!open.empty()) {
        auto place = open.begin();
        std::advance(place, random.below(open.size()));
        REQUIRE(table.standing_of(id_of(0, *place)) == standing::fresh);
        table.record({id_of(0, *place), {}}, outcome_of("x"));
        REQUIRE(outcome_in(table, id_of(0, *place)) != nullptr);
        open.erase(place);
      }
      oldest = open.empty() ? next : *open.begin();
    }
  }
}

TEST_CASE("a client that jumps to the largest timestamp does not affect other clients") {
  client_table table;
  table.record({id_of(0, ~0ULL), {}}, outcome_of("x"));
  CHECK(table.standing_of(id_of(0, ~0ULL)) == standing::done);
  CHECK(table.standing_of(id_of(0, 1)) == standing::fresh);
  CHECK(table.standing_of(id_of(1, 1)) == standing::fresh);
}

TEST_CASE("large results are forgotten oldest first, but no request is: none runs twice and none is lost") {
  client_table table;
  table.record({id_of(1, 1), {}}, outcome_of("small"));
  const std::string large(limits::reply_bytes_max, 'x');
  for (std::uint64_t when = 1; when <= 5; ++when) {
    table.record({id_of(0, when), {}}, outcome_of(large));
    CHECK(outcome_in(table, id_of(0, when))->results.size() == large.size());
  }
  CHECK(table.standing_of(id_of(0, 1)) == standing::done);
  CHECK(outcome_in(table, id_of(0, 1))->statuses ==
        std::vector{static_cast<std::uint8_t>(operation_status::result_too_large)});
  // A request that was overtaken by these requests can still be executed.
  CHECK(table.standing_of(id_of(0, 6)) == standing::fresh);
  std::size_t held = 0;
  for (std::uint64_t when = 1; when <= 5; ++when) {
    if (const auto outcome = outcome_in(table, id_of(0, when))) held += outcome->results.size();
  }
  CHECK(held <= client_table::session_bytes_max);
  CHECK(outcome_in(table, id_of(1, 1)) != nullptr);
}

TEST_CASE("the order in which clients and requests came leaves no trace in the snapshot") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sample_source random{seed};
    auto all = random_requests(random, 5, 30);
    client_table one;
    for (const auto& [id, outcome] : all)
      one.record({id, {}}, outcome);
    for (auto left = all.size(); left > 1; --left)
      std::swap(all[left - 1], all[random.below(left)]);
    client_table other;
    for (const auto& [id, outcome] : all)
      other.record({id, {}}, outcome);
    CAPTURE(seed);
    CHECK(bytes_of(one) == bytes_of(other));
    CHECK(state_root(one.snapshot()) == state_root(other.snapshot()));
  }
}

TEST_CASE("a restored table answers like the original and gives the same bytes again") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    sample_source random{seed};
    client_table original;
    const auto all = random_requests(random, 4, 10 * (seed % 40));
    for (const auto& [id, outcome] : all) {
      if (original.standing_of(id) == standing::fresh) original.record({id, {}}, outcome);
    }
    client_table copy;
    copy.record({id_of(99, 1), {}}, outcome_of("must go"));
    const auto snapshot = original.snapshot();
    REQUIRE(copy.restore(snapshot).has_value());
    CAPTURE(seed);
    CHECK(bytes_of(copy) == bytes_of(original));
    CHECK(copy.sessions() == original.sessions());
    for (const auto& [id, outcome] : all) {
      CHECK(copy.standing_of(id) == original.standing_of(id));
      if (outcome_in(original, id) != nullptr) CHECK(*outcome_in(copy, id) == *outcome_in(original, id));
    }
  }
}

TEST_CASE("the byte bound holds after a restore as before it") {
  client_table original;
  const std::string large(limits::reply_bytes_max / 2, 'x');
  for (std::uint64_t when = 1; when <= 3; ++when)
    original.record({id_of(0, when), {}}, outcome_of(large));
  client_table copy;
  REQUIRE(copy.restore(original.snapshot()).has_value());
  for (std::uint64_t when = 4; when <= 8; ++when) {
    original.record({id_of(0, when), {}}, outcome_of(large));
    copy.record({id_of(0, when), {}}, outcome_of(large));
    CHECK(bytes_of(copy) == bytes_of(original));
  }
}

TEST_CASE("an unchanged session shares its chunks with the last snapshot") {
  client_table table;
  table.record({id_of(0, 1), {}}, outcome_of("a"));
  table.record({id_of(1, 1), {}}, outcome_of("b"));
  const auto before = table.snapshot();
  table.record({id_of(1, 2), {}}, outcome_of("c"));
  const auto after = table.snapshot();
  REQUIRE(before.size() == 2);
  REQUIRE(after.size() == 2);
  CHECK(before[0].bytes == after[0].bytes);
  CHECK(before[1].leaf != after[1].leaf);
}

TEST_CASE("small sessions share one chunk, and a large session has its own, which others do not change") {
  client_table table;
  const auto open = [&](std::uint64_t session) {
    (void)table.open({{client_id{0}, timestamp{0}, session_id{session}}, {}}, session_mode::ordered);
  };
  const auto record = [&](std::uint64_t session, std::uint64_t when, std::string_view result) {
    table.record({{client_id{0}, timestamp{when}, session_id{session}}, {}}, outcome_of(result));
  };
  for (std::uint64_t session = 1; session <= limits::sessions_per_client_max; ++session) {
    open(session);
    record(session, 1, "small");
  }
  CHECK(table.snapshot().size() == 1);
  record(9, 2, std::string(limits::state_chunk_bytes_max / 2, 'x'));
  const auto before = table.snapshot();
  REQUIRE(before.size() == 2);
  record(8, 2, "small");
  const auto after = table.snapshot();
  REQUIRE(after.size() == 2);
  CHECK(before[0].leaf != after[0].leaf);
  CHECK(before[1].bytes == after[1].bytes);
  client_table copy;
  REQUIRE(copy.restore(after).has_value());
  CHECK(bytes_of(copy) == bytes_of(table));
  CHECK(copy.sessions() == table.sessions());
}

TEST_CASE("the replies of a client stay within their bound, however many operations one signature covers") {
  client_table table;
  std::uint64_t last = 0;
  for (std::uint64_t session = 1; session <= 8; ++session) {
    (void)table.open({{client_id{0}, timestamp{0}, session_id{session}}, {}}, session_mode::ordered);
    for (std::uint64_t when = 1; when <= limits::requests_in_flight_max; ++when) {
      const request_id id{client_id{0}, timestamp{when}, session_id{session}};
      const auto given = outcome_of("", limits::operations_per_request_max);
      table.record({id, {}}, given);
      // A client that missed the reply can still get it.
      CHECK(outcome_in(table, id) == given);
      last = when;
    }
  }
  std::size_t kept = 0;
  for (const auto& chunk : table.snapshot())
    kept += chunk.bytes->size();
  CHECK(kept <= client_table::client_bytes_max + 8 * limits::requests_in_flight_max * 64);
  // The least recently used session has lost its replies, and nothing else.
  const request_id old{client_id{0}, timestamp{last}, session_id{1}};
  REQUIRE(table.standing_of(old) == standing::done);
  CHECK(table.answer_of(old).outcome->statuses.size() == limits::operations_per_request_max);
  CHECK(table.answer_of(old).outcome->statuses.front() ==
        static_cast<std::uint8_t>(operation_status::result_too_large));
}

TEST_CASE("every truncation of a table is refused and changes nothing") {
  client_table original;
  for (std::uint32_t client = 0; client < 3; ++client) {
    for (std::uint64_t when = 1; when <= 3; ++when)
      original.record({id_of(client, when), {}}, outcome_of("result", 2));
  }
  const auto whole = bytes_of(original);
  const auto one_client = whole.size() / 3;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    client_table table;
    table.record({id_of(5, 5), {}}, outcome_of("kept"));
    const std::vector chunks = {chunk_of({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)})};
    const auto restored = table.restore(chunks);
    CAPTURE(size);
    // A cut between two clients gives a valid smaller table. Only the root of the certificate excludes it.
    if (size % one_client == 0) continue;
    REQUIRE_FALSE(restored.has_value());
    CHECK(outcome_in(table, id_of(5, 5)) != nullptr);
  }
}

TEST_CASE("a mutated table is refused, or is read as another table that is consistent in itself") {
  client_table original;
  for (std::uint64_t when = 1; when <= 4; ++when)
    original.record({id_of(1, when), {}}, outcome_of("result", 2));
  original.record({id_of(2, 1), {}}, outcome_of("result"));
  const auto whole = bytes_of(original);
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    auto changed = whole;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    client_table table;
    const std::vector chunks = {chunk_of(changed)};
    if (!table.restore(chunks)) continue;
    CAPTURE(bit);
    CHECK(bytes_of(table) == changed);
  }
}

TEST_CASE("a table with clients or timestamps out of order is refused") {
  client_table low;
  low.record({id_of(1, 1), {}}, outcome_of("a"));
  client_table high;
  high.record({id_of(2, 1), {}}, outcome_of("a"));
  client_table table;
  const std::vector swapped = {chunk_of(bytes_of(high)), chunk_of(bytes_of(low))};
  CHECK_FALSE(table.restore(swapped).has_value());
  const std::vector twice = {chunk_of(bytes_of(low)), chunk_of(bytes_of(low))};
  CHECK_FALSE(table.restore(twice).has_value());
}
