#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "messages/codec.hpp"
#include "tests/support/core_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

core_cluster_options options_of(std::uint64_t seed) {
  core_cluster_options options;
  options.seed = seed;
  options.cluster = small_cluster(seed % 2 == 0 ? 4 : 7);
  options.cluster.clock_skew_max = 100ms;
  options.batching.pipeline_depth = 1 + seed % 4;
  return options;
}

void submit_round(core_cluster& cluster, std::uint32_t each, std::string_view name) {
  for (std::uint32_t number = 0; number < each; ++number) {
    for (std::uint32_t client = 0; client < 4; ++client)
      cluster.submit(client_id{client}, std::string{name} + std::to_string(number));
  }
}

/// Serves requests for some seconds. A replica that left its view alone catches up with the next checkpoint.
void check_served(core_cluster& cluster, std::string_view name) {
  bool settled = true;
  for (std::uint32_t round = 0; round < 12; ++round) {
    submit_round(cluster, 2, std::string{name} + std::to_string(round));
    cluster.run(150);
  }
  for (std::uint32_t nudge = 0; nudge < 6; ++nudge) {
    settled = cluster.settle(30'000);
    if (settled) break;
    submit_round(cluster, 1, std::string{name} + "nudge" + std::to_string(nudge));
  }
  INFO(cluster.describe());
  REQUIRE(settled);
}

wall_time time_of(core_cluster& cluster) {
  auto latest = cluster.node(0).state().ordered_time();
  for (std::uint32_t number = 1; number < cluster.factory().cluster().replicas; ++number)
    CHECK(cluster.node(number).state().ordered_time() == latest);
  return latest;
}

}  // namespace

TEST_CASE("all replicas have one ordered time, which follows the clocks (I19)") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    CAPTURE(seed);
    core_cluster cluster{options_of(seed)};
    check_served(cluster, "a");
    const auto first = time_of(cluster);
    check_served(cluster, "b");
    CHECK(time_of(cluster) >= first + 1s);
    CHECK(time_of(cluster) <= cluster.node(0).wall_clock());
  }
}

TEST_CASE("one wrong clock of four moves the ordered time by the bound at most (attack 42)") {
  for (const duration error : {duration{1h}, duration{-1h}, duration{90ms}, duration{-90ms}}) {
    for (std::uint32_t wrong = 0; wrong < 4; ++wrong) {
      CAPTURE(error.count());
      CAPTURE(wrong);
      core_cluster cluster{options_of(2)};
      cluster.node(wrong).set_clock_error(error);
      check_served(cluster, "op");
      const auto right = cluster.node((wrong + 1) % 4).wall_clock();
      CHECK(time_of(cluster) <= right + 100ms);
      // A primary whose clock is slow was replaced, so the time has gone on.
      CHECK(time_of(cluster) >= right - 2s);
    }
  }
}

TEST_CASE("whatever the wall clocks show, every request is served (attack 42)") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    core_cluster cluster{options_of(seed)};
    // All clocks differ by more than the bound, in an order that the seed chooses.
    const auto replicas = cluster.factory().cluster().replicas;
    for (std::uint32_t number = 0; number < replicas; ++number)
      cluster.node(number).set_clock_error(((number * seed) % replicas) * duration{1h});
    check_served(cluster, "apart");
    // All clocks step while the group works.
    for (std::uint32_t number = 0; number < replicas; ++number)
      cluster.node(number).set_clock_error(((number + seed) % replicas) * duration{-1h});
    const auto before = time_of(cluster);
    check_served(cluster, "stepped");
    CHECK(time_of(cluster) >= before);
  }
}

TEST_CASE("a backup that was away for long catches up without a suspicion of a correct primary (attack 42)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    auto options = options_of(seed);
    // The backup can get all batches by retransmission, and needs no state.
    options.cluster.checkpoint_period = 64;
    options.cluster.watermark_window = 128;
    core_cluster cluster{options};
    const auto away = options.cluster.replicas - 1;
    cluster.isolate(replica_id{away});
    for (std::uint32_t round = 0; round < 8; ++round) {
      submit_round(cluster, 1, "away" + std::to_string(round));
      cluster.run(100);
    }
    cluster.heal();
    // The group is idle, so the backup gets nothing but old batches. Most of them are lost again, so it catches up over
    // several time-outs.
    std::uint64_t sent = 0;
    for (std::uint32_t number = 0; number < away; ++number) {
      cluster.filter(replica_id{number}, [&sent, away](principal to, const frame_ptr& frame) {
        const bool passes = to != principal::of(replica_id{away}) || ++sent % 4 == 0;
        return passes ? std::vector{frame} : std::vector<frame_ptr>{};
      });
    }
    cluster.run(1'200);
    for (std::uint32_t number = 0; number < away; ++number)
      cluster.filter(replica_id{number}, [](principal, const frame_ptr& frame) { return std::vector{frame}; });
    check_served(cluster, "back");
    for (std::uint32_t number = 0; number < options.cluster.replicas; ++number)
      CHECK_FALSE(cluster.node(number).has_suspected_for(suspicion_reason::behind));
  }
}
