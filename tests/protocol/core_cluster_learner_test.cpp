#include <doctest/doctest.h>

#include <string>

#include "tests/support/core_cluster.hpp"

// Tests of whole clusters of cores in which a replica loses its disk. The checker remembers the replica's earlier
// messages. So a second vote of one kind for one view and sequence, or a VIEW-CHANGE for a view that it had left for,
// is a violation.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

void load(core_cluster& cluster, std::uint64_t moments) {
  for (std::uint64_t moment = 0; moment < moments && !cluster.violation(); ++moment) {
    if (moment % 6 == 0) cluster.submit(client_id{static_cast<std::uint32_t>(moment / 6 % 4)}, "under load");
    cluster.run(1);
  }
}

core_cluster_options options_of(std::uint64_t seed) {
  core_cluster_options options;
  options.seed = seed;
  options.cluster = small_cluster(seed % 2 == 0 ? 7 : 4, 4, 4, 8);
  options.batching.requests_per_batch_max = 1;
  options.faults = {seed % 11, seed % 7, 1 + seed % 5};
  return options;
}

}  // namespace

TEST_CASE("a replica without its disk never contradicts its earlier messages, and returns in a later view") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    core_cluster cluster{options_of(seed)};
    const auto replicas = options_of(seed).cluster.replicas;
    const replica_id lost{static_cast<std::uint32_t>(seed % replicas)};
    load(cluster, 50 + seed * 17 % 300);
    // In some runs a replica is cut off, so that views change before and after the loss.
    if (seed % 3 == 0) cluster.isolate(replica_id{0});
    load(cluster, 100 + seed * 31 % 400);
    cluster.heal();
    cluster.lose_disk(lost);
    load(cluster, 600);
    // Two primaries are cut off. In the view after them, the replica cannot have sent any message before.
    for (int times = 0; times < 4; ++times) {
      const auto primary = cluster.node((lost.value + 1) % replicas).replica().primary();
      if (primary == lost) {
        load(cluster, 400);
        continue;
      }
      cluster.isolate(primary);
      load(cluster, 600);
      cluster.heal();
      load(cluster, 300);
    }
    INFO(cluster.describe());
    REQUIRE_FALSE(cluster.violation());
    CHECK(cluster.node(lost.value).is_readmitted());
    REQUIRE(cluster.settle(60'000));
    CHECK(cluster.node(lost.value).root() == cluster.node((lost.value + 1) % replicas).root());
  }
}

TEST_CASE("the group serves while its primary has lost its disk") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    core_cluster cluster{options_of(seed)};
    load(cluster, 100 + seed);
    cluster.lose_disk(replica_id{0});
    load(cluster, 900);
    INFO(cluster.describe());
    REQUIRE_FALSE(cluster.violation());
    CHECK(cluster.node(1).replica().view() > view_number{0});
    REQUIRE(cluster.settle(60'000));
  }
}
