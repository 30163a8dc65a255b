#include <doctest/doctest.h>

#include <algorithm>

#include "messages/codec.hpp"
#include "tests/support/core_cluster.hpp"

// Tests of whole clusters of cores whose replicas start with the directories that `init` made: all together, one late,
// or one with a second copy after the first copy has voted.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

core_cluster_options options_of(std::uint32_t replicas, std::uint64_t seed) {
  core_cluster_options options;
  options.seed = seed;
  options.cluster = small_cluster(replicas, 4, 4, 8);
  options.faults.delay_max = 3;
  options.new_directories = true;
  return options;
}

void load(core_cluster& cluster, std::uint64_t moments, std::uint64_t every = 6) {
  for (std::uint64_t moment = 0; moment < moments && !cluster.violation(); ++moment) {
    if (moment % every == 0) cluster.submit(client_id{static_cast<std::uint32_t>(moment / every % 4)}, "under load");
    cluster.run(1);
  }
}

/// Notes every vote that `replica` sends.
struct vote_watch {
  std::size_t votes = 0;

  void on(core_cluster& cluster, replica_id replica) {
    cluster.filter(replica, [this, replica](principal, const frame_ptr& frame) {
      const auto value = decode(frame);
      const auto kind = value ? kind_of(*value) : message_kind::status;
      // A replica passes the PRE-PREPARE of another primary on to a replica that lacks it. That is no vote.
      const auto* proposal = value ? std::get_if<pre_prepare>(&*value) : nullptr;
      const bool is_relayed = proposal != nullptr && proposal->header.content.replica != replica;
      if (is_relayed) return std::vector{frame};
      if (kind == message_kind::pre_prepare || kind == message_kind::prepare || kind == message_kind::commit ||
          kind == message_kind::view_change || kind == message_kind::checkpoint) {
        ++votes;
      }
      return std::vector{frame};
    });
  }
};

}  // namespace

TEST_CASE("a new group starts by itself in view 0, and all replicas are full members") {
  for (const std::uint32_t replicas : {4U, 5U, 7U}) {
    for (std::uint64_t seed = 1; seed <= 10; ++seed) {
      auto options = options_of(replicas, seed);
      options.faults.drop_percent = seed % 2 == 0 ? 5 : 0;
      core_cluster cluster{options};
      // Requests arrive before the replicas have heard from each other.
      load(cluster, 60);
      INFO(cluster.describe());
      REQUIRE(cluster.settle(20'000));
      for (std::uint32_t number = 0; number < replicas; ++number) {
        CHECK(cluster.node(number).is_readmitted());
        if (seed % 2 != 0) CHECK(cluster.node(number).replica().view() == view_number{0});
      }
    }
  }
}

TEST_CASE("a quorum of a new group starts without the others, and the last replica is readmitted") {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    core_cluster cluster{options_of(4, seed)};
    const replica_id late{static_cast<std::uint32_t>(seed % 3 + 1)};
    cluster.isolate(late);
    load(cluster, 300);
    INFO(cluster.describe());
    CHECK(cluster.node((late.value + 1) % 4).state().last_executed() > sequence_number{0});
    CHECK_FALSE(cluster.node(late.value).is_readmitted());
    cluster.heal();
    load(cluster, 900);
    REQUIRE_FALSE(cluster.violation());
    CHECK(cluster.node(late.value).is_readmitted());
    REQUIRE(cluster.settle(20'000));
  }
}

TEST_CASE("without a quorum of new replicas nobody votes") {
  core_cluster cluster{options_of(4, 3)};
  vote_watch watch;
  watch.on(cluster, replica_id{0});
  watch.on(cluster, replica_id{1});
  cluster.isolate(replica_id{2});
  cluster.isolate(replica_id{3});
  load(cluster, 600);
  CHECK(watch.votes == 0);
  CHECK_FALSE(cluster.violation());
}

TEST_CASE("a copy of a new directory that is deployed a second time does not vote before its readmission") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    auto options = options_of(4, seed);
    // In the short runs no checkpoint is stable yet: only the slots show that the group has begun.
    const bool is_short = seed % 3 == 0;
    if (is_short) options.cluster = small_cluster(4, 4, 16, 32);
    core_cluster cluster{options};
    const replica_id copied{static_cast<std::uint32_t>(seed % 4)};
    load(cluster, is_short ? 40 : 90 + 20 * seed);
    const auto& other = cluster.node((copied.value + 1) % 4);
    const auto before = other.state().last_executed();
    REQUIRE(before > sequence_number{0});
    REQUIRE((other.replica().marks().low() == sequence_number{0}) == is_short);
    cluster.deploy_again(copied);
    vote_watch watch;
    watch.on(cluster, copied);
    bool was_silent = true;
    for (std::uint64_t moment = 0; moment < 1'200; ++moment) {
      load(cluster, 1);
      const auto& node = cluster.node(copied.value);
      if (node.replica().marks().low() < before) was_silent = was_silent && watch.votes == 0;
    }
    INFO(cluster.describe());
    REQUIRE_FALSE(cluster.violation());
    CHECK(was_silent);
    CHECK(cluster.node(copied.value).is_readmitted());
    REQUIRE(cluster.settle(60'000));
  }
}
