#include <doctest/doctest.h>

#include <string>

#include "tests/support/core_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Submits operations of all clients, spread over time.
void submit_round(core_cluster& cluster, std::uint32_t clients, std::uint32_t each, std::string_view name) {
  for (std::uint32_t number = 0; number < each; ++number) {
    for (std::uint32_t client = 0; client < clients; ++client) {
      cluster.submit(client_id{client}, std::string{name} + std::to_string(number));
    }
  }
}

/// Checks that every replica that is not corrupt has the same state.
void check_same_state(core_cluster& cluster, std::uint32_t first, std::uint32_t replicas) {
  for (auto number = first + 1; number < replicas; ++number) {
    CHECK(cluster.node(number).root() == cluster.node(first).root());
  }
}

}  // namespace

TEST_CASE("every group size executes everything on every replica in a perfect network") {
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

TEST_CASE("a lossy, reordering, duplicating network delays operations but loses none") {
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

TEST_CASE("a replica that was cut off catches up by state transfer and ends in the same state") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    options.faults = {seed % 11, seed % 7, 1 + seed % 5};
    options.batching.requests_per_batch_max = 1 + seed % 3;
    options.state_padding = seed % 4 * 1'000;
    core_cluster cluster{options};
    cluster.isolate(replica_id{static_cast<std::uint32_t>(1 + seed % 3)});
    submit_round(cluster, 4, 15, "while away");
    cluster.run(1'500);
    cluster.heal();
    submit_round(cluster, 4, 5, "after");
    const bool settled = cluster.settle(60'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.checker().requests_executed() == 80);
    check_same_state(cluster, 0, 4);
  }
}

TEST_CASE("a primary that received nothing for a while continues with its whole pipeline afterwards") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    options.faults.delay_max = 1 + seed % 4;
    options.batching.pipeline_depth = 8;
    options.batching.requests_per_batch_max = 1;
    core_cluster cluster{options};
    submit_round(cluster, 4, 2, "before");
    REQUIRE(cluster.settle(2'000));
    for (std::uint32_t backup = 1; backup < 4; ++backup) {
      cluster.cut_link(principal::of(replica_id{backup}), principal::of(replica_id{0}));
    }
    submit_round(cluster, 4, 10, "unheard");
    cluster.run(1'000);
    cluster.heal();
    submit_round(cluster, 4, 10, "heard");
    const bool settled = cluster.settle(30'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.checker().requests_executed() == 88);
    CHECK(cluster.node(0).batcher().in_flight() == 0);
    CHECK(cluster.node(0).batcher().requests_pending() == 0);
  }
}

TEST_CASE("swizzled one-way partitions that heal leave one history and no open operation") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    const auto replicas = seed % 2 == 0 ? 4U : 7U;
    const auto period = static_cast<std::uint32_t>(1 + seed % 4);
    options.cluster = small_cluster(replicas, 4, period, 2 * period + static_cast<std::uint32_t>(seed % 5));
    options.faults = {seed % 9, seed % 5, 1 + seed % 6};
    options.batching.requests_per_batch_max = 1 + seed % 4;
    core_cluster cluster{options};
    sample_source random{seed + 1'000};
    for (int phase = 0; phase < 8; ++phase) {
      submit_round(cluster, 4, 4, "phase " + std::to_string(phase) + " ");
      for (int cuts = 0; cuts < 8; ++cuts) {
        const auto from = static_cast<std::uint32_t>(random.below(replicas));
        const auto to = static_cast<std::uint32_t>(random.below(replicas));
        cluster.cut_link(principal::of(replica_id{from}), principal::of(replica_id{to}));
      }
      cluster.run(30 + random.below(300));
      cluster.heal();
    }
    const bool settled = cluster.settle(60'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.checker().requests_executed() == 128);
    check_same_state(cluster, 0, replicas);
  }
}

TEST_CASE("f silent backups do not stop progress") {
  for (const std::uint32_t replicas : {4U, 5U, 6U, 7U, 10U}) {
    core_cluster_options options;
    options.cluster = small_cluster(replicas);
    options.faults.delay_max = 3;
    core_cluster cluster{options};
    for (std::uint32_t faulty = 0; faulty < options.cluster.group().faulty_max(); ++faulty) {
      cluster.corrupt(replica_id{replicas - 1 - faulty},
                      [](principal, const frame_ptr&) { return std::vector<frame_ptr>{}; });
    }
    submit_round(cluster, 4, 10, "op");
    const bool settled = cluster.settle(5'000);
    INFO(cluster.describe());
    REQUIRE(settled);
  }
}

TEST_CASE("f + 1 silent backups stop progress and violate no invariant") {
  core_cluster cluster{core_cluster_options{}};
  for (const std::uint32_t faulty : {2U, 3U}) {
    cluster.corrupt(replica_id{faulty}, [](principal, const frame_ptr&) { return std::vector<frame_ptr>{}; });
  }
  submit_round(cluster, 4, 3, "op");
  CHECK_FALSE(cluster.settle(2'000));
  INFO(cluster.describe());
  CHECK_FALSE(cluster.violation());
  CHECK(cluster.checker().last_committed() == sequence_number{0});
}

TEST_CASE("equal seeds give equal histories, and another seed gives another one") {
  const auto history_of = [](std::uint64_t seed) {
    core_cluster_options options;
    options.seed = seed;
    options.faults = {10, 10, 5};
    core_cluster cluster{options};
    submit_round(cluster, 4, 5, "op");
    REQUIRE(cluster.settle(20'000));
    return cluster.checker().history();
  };
  CHECK(history_of(7) == history_of(7));
  CHECK(history_of(7) != history_of(8));
}
