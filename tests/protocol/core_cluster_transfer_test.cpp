#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>

#include "tests/support/core_cluster.hpp"

// Tests of whole clusters of cores in which a replica fetches the state while the others continue.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Options with one request for each batch and a wide window, so that many checkpoints pass.
core_cluster_options busy_cluster(std::uint64_t seed) {
  core_cluster_options options;
  options.seed = seed;
  options.cluster = small_cluster(4, 4, 4, 64);
  options.batching.requests_per_batch_max = 1;
  options.state_padding = 1'000;
  options.state_ballast = 60;
  return options;
}

/// Runs under load: a client submits a request every six moments. Ends when `done` is true. Returns the number of
/// moments, or nothing if `done` stayed false.
template <class Done>
std::optional<std::uint64_t> run_loaded(core_cluster& cluster, std::uint64_t moments, Done&& done) {
  const auto begin = cluster.now();
  for (std::uint64_t moment = 0; moment < moments && !cluster.violation(); ++moment) {
    if (moment % 6 == 0) cluster.submit(client_id{static_cast<std::uint32_t>(moment / 6 % 4)}, "under load");
    cluster.run(1);
    if (done()) return cluster.now() - begin;
  }
  return std::nullopt;
}

const auto never = [] { return false; };

/// Whether the replica executes batches as new as those of the others.
bool is_abreast(const core_cluster& cluster, std::uint32_t number) {
  return cluster.node(number).state().last_executed().plus(4) >= cluster.checker().last_committed();
}

}  // namespace

TEST_CASE("a replica without any state catches up over a slow network under load (attack 26)") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto options = busy_cluster(seed);
    options.faults.delay_max = 1 + seed % 4;
    // The transfer of a state of some 70 chunks takes 560 moments, which is 90 batches. This is more than the window,
    // and longer than donors would keep a state that no replica is reading.
    options.faults.moments_per_chunk = 8;
    core_cluster cluster{options};
    cluster.isolate(replica_id{3});
    run_loaded(cluster, 1'500, never);
    cluster.heal();
    const auto took = run_loaded(cluster, 4'000, [&] { return is_abreast(cluster, 3); });
    INFO(cluster.describe());
    REQUIRE_FALSE(cluster.violation());
    REQUIRE(took);
    CHECK(*took <= 1'500);
    CHECK(cluster.node(3).installs() >= 1);
    // Chunks that never change were sent once. The rest of each state is a dozen chunks, and two chunks of each client.
    CHECK(cluster.chunks_carried() <= 60 + 28 * (cluster.node(3).installs() + 2));
    // The replica keeps up and ends in the same state as the others.
    run_loaded(cluster, 500, never);
    CHECK(is_abreast(cluster, 3));
    REQUIRE(cluster.settle(20'000));
    CHECK(cluster.node(3).root() == cluster.node(0).root());
  }
}

TEST_CASE("a replica that was cut off fetches only the chunks that changed since its last checkpoint") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    core_cluster cluster{busy_cluster(seed)};
    run_loaded(cluster, 100, never);
    cluster.isolate(replica_id{2});
    run_loaded(cluster, 1'000, never);
    cluster.heal();
    REQUIRE(run_loaded(cluster, 1'000, [&] { return is_abreast(cluster, 2); }));
    INFO(cluster.describe());
    CHECK(cluster.node(2).installs() >= 1);
    CHECK(cluster.chunks_carried() <= 20 * cluster.node(2).installs());
    CHECK(cluster.settle(20'000));
  }
}

TEST_CASE("a replica catches up under load although one donor lies and answers slowly") {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto options = busy_cluster(seed);
    options.faults.moments_per_chunk = 4;
    core_cluster cluster{options};
    std::uint64_t answers = 0;
    cluster.corrupt(replica_id{1}, [&](principal, const frame_ptr& frame) -> std::vector<frame_ptr> {
      if (kind_of(byte_span{*frame}) != message_kind::state_chunk) return {frame};
      // Two of three answers are lost, and every ninth answer is spoiled.
      if (++answers % 3 != 0) return {};
      if (answers % 9 != 0) return {frame};
      auto bytes = *frame;
      bytes[bytes.size() / 2] ^= std::byte{1};
      return {std::make_shared<const byte_vector>(std::move(bytes))};
    });
    cluster.isolate(replica_id{3});
    run_loaded(cluster, 1'500, never);
    cluster.heal();
    const auto took = run_loaded(cluster, 4'000, [&] { return is_abreast(cluster, 3); });
    INFO(cluster.describe());
    REQUIRE_FALSE(cluster.violation());
    REQUIRE(took);
    CHECK(*took <= 1'400);
  }
}

TEST_CASE("a replica with a corrupted state notices at the next checkpoint and fetches the certified one (attack 27)") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    core_cluster cluster{busy_cluster(seed)};
    const replica_id spoiled{static_cast<std::uint32_t>(1 + seed % 3)};
    // The checker no longer treats the replica as correct, but the replica sends the messages that it believes to be
    // right.
    cluster.corrupt(spoiled, [](principal, const frame_ptr& frame) { return std::vector{frame}; });
    run_loaded(cluster, 200, never);
    auto& node = cluster.node(spoiled.value);
    node.spoil();
    const auto repaired = run_loaded(cluster, 600, [&] { return node.installs() > 0; });
    INFO(cluster.describe());
    REQUIRE_FALSE(cluster.violation());
    REQUIRE(repaired);
    CHECK(node.has_diverged());
    CHECK_FALSE(node.state().has_diverged());
    // Only a few of the 70 chunks differ.
    CHECK(cluster.chunks_carried() <= 20);
    // The replica works again. When another replica is isolated, the group has no quorum without it.
    run_loaded(cluster, 200, never);
    CHECK(is_abreast(cluster, spoiled.value));
    const auto before = cluster.checker().last_committed();
    cluster.isolate(replica_id{static_cast<std::uint32_t>(1 + (seed + 1) % 3)});
    run_loaded(cluster, 600, never);
    CHECK(cluster.checker().last_committed() > before.plus(20));
    CHECK_FALSE(cluster.violation());
    CHECK(node.root() == cluster.node(0).root());
  }
}
