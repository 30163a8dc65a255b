#include <doctest/doctest.h>

#include <string>

#include "tests/support/core_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

void submit_round(core_cluster& cluster, std::uint32_t each, std::string_view name) {
  for (std::uint32_t number = 0; number < each; ++number) {
    for (std::uint32_t client = 0; client < 4; ++client)
      cluster.submit(client_id{client}, std::string{name} + std::to_string(number));
  }
}

void check_settles(core_cluster& cluster, std::uint64_t moments_max, std::size_t requests) {
  const bool settled = cluster.settle(moments_max);
  INFO(cluster.describe());
  REQUIRE(settled);
  CHECK(cluster.checker().requests_executed() == requests);
}

core_cluster_options options_of(std::uint64_t seed) {
  core_cluster_options options;
  options.seed = seed;
  options.cluster = small_cluster(seed % 3 == 0 ? 7 : seed % 3 == 1 ? 4 : 5);
  options.batching.pipeline_depth = 1 + seed % 8;
  options.batching.requests_per_batch_max = 1 + seed % 5;
  return options;
}

}  // namespace

TEST_CASE("a primary that is cut off is replaced and everything is served") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    core_cluster cluster{options_of(seed)};
    submit_round(cluster, 6, "before");
    cluster.run(seed % 40);
    cluster.isolate(replica_id{0});
    submit_round(cluster, 6, "without");
    cluster.run(3'000);
    cluster.heal();
    check_settles(cluster, 60'000, 48);
    CHECK(cluster.node(1).replica().view() > view_number{0});
  }
}

TEST_CASE("f faulty primaries in a row are replaced") {
  auto options = options_of(3);
  core_cluster cluster{options};
  cluster.isolate(replica_id{0});
  cluster.isolate(replica_id{1});
  submit_round(cluster, 6, "op");
  cluster.run(20'000);
  INFO(cluster.describe());
  CHECK(cluster.outcomes().size() == 24);
  CHECK(cluster.node(3).replica().view() == view_number{2});
  cluster.heal();
  check_settles(cluster, 60'000, 24);
}

TEST_CASE("primaries come and go on a lossy, reordering, duplicating network and nothing is lost or doubled") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    auto options = options_of(seed);
    options.faults = {seed % 21, seed % 13, 1 + seed % 7};
    core_cluster cluster{options};
    for (std::uint32_t turn = 0; turn < 5; ++turn) {
      submit_round(cluster, 3, "op" + std::to_string(turn) + "-");
      cluster.isolate(replica_id{turn % options.cluster.replicas});
      cluster.run(100 + seed * 7 % 600);
      cluster.heal();
      cluster.run(seed * 13 % 100);
    }
    check_settles(cluster, 120'000, 60);
  }
}

TEST_CASE("one backup's wrong suspicion does not take it out of its view") {
  core_cluster cluster{options_of(1)};
  // Replica 3 alone does not hear the primary.
  cluster.cut_link(principal::of(replica_id{0}), principal::of(replica_id{3}));
  submit_round(cluster, 20, "op");
  cluster.run(4'000);
  INFO(cluster.describe());
  CHECK(cluster.node(3).replica().is_active());
  CHECK(cluster.node(0).replica().view() == view_number{0});
  cluster.heal();
  check_settles(cluster, 60'000, 80);
}
