#include "actors/protocol/execution/held_queries.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace hypermesh;
using namespace hypermesh::protocol;

namespace {

constexpr sequence_number at(std::uint64_t value) { return sequence_number{value}; }

using queries = held_queries<std::string>;

query_admission admit(queries& to, std::string name, std::uint64_t executed, std::uint32_t client = 0,
                      std::size_t bytes = 10) {
  return to.admit(client_id{client}, bytes, at(executed), name);
}

}  // namespace

TEST_CASE("no query is answered before the replica knows its earlier votes") {
  queries tested;
  CHECK(admit(tested, "a", 100) == query_admission::votes_unknown);
  tested.on_prepared(at(0));
  CHECK(admit(tested, "b", 0) == query_admission::answer);
}

TEST_CASE("a query waits for everything that was prepared when it arrived, and for nothing later") {
  queries tested;
  tested.on_prepared(at(5));
  CHECK(admit(tested, "a", 4) == query_admission::held);
  tested.on_prepared(at(7));
  CHECK(admit(tested, "b", 4) == query_admission::held);
  CHECK(tested.release(at(4)).empty());
  CHECK(tested.release(at(5)) == std::vector<std::string>{"a"});
  CHECK(tested.release(at(6)).empty());
  CHECK(tested.release(at(9)) == std::vector<std::string>{"b"});
  CHECK(tested.size() == 0);
  CHECK(admit(tested, "c", 7) == query_admission::answer);
}

TEST_CASE("what was prepared never falls, and an earlier state holds queries again") {
  queries tested;
  tested.on_prepared(at(8));
  tested.on_prepared(at(3));
  CHECK(admit(tested, "a", 7) == query_admission::held);
  // A certified state at 4 replaces a wrong one.
  CHECK(tested.release(at(4)).empty());
  CHECK(tested.release(at(8)).size() == 1);
}

TEST_CASE("a client holds a bounded number of queries and bytes, and takes no room of another client (attack 33)") {
  queries tested;
  tested.on_prepared(at(1));
  for (std::size_t count = 0; count < queries::queries_per_client_max; ++count)
    REQUIRE(admit(tested, "many", 0) == query_admission::held);
  CHECK(admit(tested, "one more", 0) == query_admission::over_quota);
  CHECK(admit(tested, "large", 0, 1, limits::operation_bytes_max) == query_admission::held);
  CHECK(admit(tested, "large", 0, 1, limits::operation_bytes_max) == query_admission::held);
  CHECK(admit(tested, "one byte more", 0, 1, 1) == query_admission::over_quota);
  CHECK(tested.release(at(1)).size() == queries::queries_per_client_max + 2);
  tested.on_prepared(at(2));
  CHECK(admit(tested, "again", 1) == query_admission::held);
  CHECK(admit(tested, "again", 1, 1, limits::operation_bytes_max) == query_admission::held);
}

TEST_CASE("the queries of all clients together are bounded, and their room comes back (attack 33)") {
  queries tested;
  tested.on_prepared(at(1));
  std::uint32_t client = 0;
  while (admit(tested, "large", 0, client, limits::operation_bytes_max) == query_admission::held)
    ++client;
  CHECK(client == queries::bytes_max / (limits::operation_bytes_max + queries::query_bytes));
  CHECK(tested.release(at(1)).size() == client);
  tested.on_prepared(at(2));
  CHECK(admit(tested, "again", 1, client, limits::operation_bytes_max) == query_admission::held);
}
