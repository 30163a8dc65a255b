#include <doctest/doctest.h>

#include <string>

#include "tests/support/core_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Operations of all clients, spread over time.
void submit_round(core_cluster& cluster, std::uint32_t clients, std::uint32_t each, std::string_view name) {
  for (std::uint32_t number = 0; number < each; ++number) {
    for (std::uint32_t client = 0; client < clients; ++client) {
      cluster.submit(client_id{client}, std::string{name} + std::to_string(number));
    }
  }
}

/// Every replica that is not corrupt is in the same state.
void check_same_state(core_cluster& cluster, std::uint32_t first, std::uint32_t replicas) {
  for (auto number = first + 1; number < replicas; ++number) {
    CHECK(cluster.node(number).root() == cluster.node(first).root());
  }
}

}  // namespace

TEST_CASE("on a perfect network every group size executes everything on every replica") {
  for (const std::uint32_t replicas : {4U, 5U, 6U, 7U, 10U}) {
    core_cluster_options options;
    options.cluster = small_cluster(replicas);
    core_cluster cluster{options};
    submit_round(cluster, 4, 10, "op");
    const bool settled = cluster.settle(2'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.outcomes().size() == 40);
    CHECK(cluster.checker().requests_executed() == 40);
    check_same_state(cluster, 0, replicas);
  }
}

TEST_CASE("a lossy, reordering, duplicating network delays but loses nothing") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    options.cluster = small_cluster(seed % 3 == 0 ? 7 : seed % 3 == 1 ? 4 : 5);
    options.faults = {seed % 31, seed % 17, 1 + seed % 9};
    options.batching.pipeline_depth = 1 + seed % 8;
    options.batching.requests_per_batch_max = 1 + seed % 5;
    core_cluster cluster{options};
    submit_round(cluster, 4, 12, "op");
    const bool settled = cluster.settle(60'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.outcomes().size() == 48);
    CHECK(cluster.checker().requests_executed() == 48);
    check_same_state(cluster, 0, options.cluster.replicas);
  }
}
