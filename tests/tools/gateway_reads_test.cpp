#include <doctest/doctest.h>

#include "tests/tools/gateway_bench.hpp"

namespace hypermesh::testing {

TEST_CASE("a read that is alone is not ordered while the time of the database is known") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.say(client, "get a\r\n");
  CHECK_FALSE(bench.sent.front().is_unordered);
  bench.answer("_\r\n");
  (void)bench.hear(client);
  bench.now += 20ms;
  bench.say(client, "get a\r\n");
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.sent.front().is_unordered);
  // What follows waits for its result, so a write of the same connection cannot overtake the read.
  bench.say(client, "set a 1\r\n");
  CHECK(bench.sent.size() == 1);
  bench.answer("_\r\n");
  REQUIRE(bench.sent.size() == 1);
  CHECK(bench.first_sent() == "set a 1");
  CHECK_FALSE(bench.sent.front().is_unordered);
  // A read behind an unfinished write is ordered behind it.
  bench.say(client, "get a\r\n");
  CHECK_FALSE(bench.sent.back().is_unordered);
  // Another connection does not wait for it.
  const auto other = bench.connect();
  bench.say(other, "get a\r\n");
  CHECK(bench.sent.back().is_unordered);
}

TEST_CASE("reads of a pipeline, of a transaction, of WATCH and of chance are ordered") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.expect_small_replies(client, {"get a", "randomkey", "mget a b"});
  bench.say(client, "get a\r\nget b\r\n");
  REQUIRE(bench.sent.size() >= 1);
  CHECK_FALSE(bench.sent.front().is_unordered);
  while (!bench.sent.empty())
    bench.answer("_\r\n");
  (void)bench.hear(client);
  for (const auto* const command : {"randomkey\r\n", "srandmember s\r\n", "set a 1\r\n", "watch a b\r\n"}) {
    const auto fresh = bench.connect();
    bench.say(fresh, command);
    CAPTURE(command);
    REQUIRE(!bench.sent.empty());
    for (const auto& each : bench.sent)
      CHECK_FALSE(each.is_unordered);
    while (!bench.sent.empty())
      bench.answer(":1\r\n");
  }
}

TEST_CASE("a read in each half of the bound is ordered, so that the time of the database moves") {
  gateway_bench bench;
  const auto client = bench.connect();
  bench.expect_small_replies(client, {"get a"});
  const auto age_max = gateway_settings{}.time_age_max;
  std::size_t ordered = 0;
  for (int count = 0; count < 200; ++count) {
    bench.now += age_max / 50;
    bench.say(client, "get a\r\n");
    ordered += bench.sent.front().is_unordered ? 0 : 1;
    bench.answer("_\r\n");
    (void)bench.hear(client);
  }
  CHECK(ordered >= 7);
  CHECK(ordered <= 9);
  // After a pause the time is not known, so the first read is ordered.
  bench.now += age_max + 1ms;
  bench.say(client, "get a\r\n");
  CHECK_FALSE(bench.sent.front().is_unordered);
}

}  // namespace hypermesh::testing
