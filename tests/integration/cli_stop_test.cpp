#include <doctest/doctest.h>

#include "tests/integration/cli_process.hpp"

using namespace hypermesh::testing;
using namespace hypermesh::testing::cli_test;

TEST_CASE("a primary that gets SIGTERM hands its view over before it stops, and nobody suspects it") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"put", "colour", "blue"}).code == 0);
  cluster.replica(0).send(SIGTERM);
  CHECK(cluster.replica(0).wait() == 0);
  const auto own = text_of(cluster.err_of(0));
  CAPTURE(own);
  CHECK(has(own, "Terminated: stopping"));
  CHECK(has(own, "the view was handed over"));
  CHECK(eventually([&] { return has(text_of(cluster.err_of(1)), "entered view 1, the primary is replica-1"); }));
  CHECK(has(cluster.ask("get", {"colour"}).out, "blue"));
  for (std::uint32_t number = 1; number < 4; ++number) {
    const auto other = text_of(cluster.err_of(number));
    CAPTURE(other);
    CHECK_FALSE(has(other, "this replica suspects the primary"));
  }
}

TEST_CASE("only SIGTERM and only a primary hands over") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  cluster.replica(3).send(SIGTERM);
  cluster.replica(0).send(SIGINT);
  for (const std::uint32_t number : {3U, 0U}) {
    CHECK(cluster.replica(number).wait() == 0);
    const auto log = text_of(cluster.err_of(number));
    CAPTURE(log);
    CHECK(has(log, ": stopping"));
    CHECK_FALSE(has(log, "handing the view over"));
  }
}

TEST_CASE("a second signal ends the wait of a primary for a group that cannot agree") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  for (const std::uint32_t number : {2U, 3U}) {
    cluster.replica(number).send(SIGKILL);
    (void)cluster.replica(number).wait();
  }
  cluster.replica(0).send(SIGTERM);
  REQUIRE(eventually([&] { return has(text_of(cluster.err_of(0)), "handing the view over"); }));
  cluster.replica(0).send(SIGTERM);
  CHECK(cluster.replica(0).wait() == 0);
  const auto log = text_of(cluster.err_of(0));
  CAPTURE(log);
  CHECK(has(log, "it is still the primary"));
  CHECK_FALSE(has(log, "the view was handed over"));
}
