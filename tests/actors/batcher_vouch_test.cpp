#include "actors/batcher.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "tests/support/virtual_bench.hpp"

// The batcher where clients do not sign their requests.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using sizes = std::vector<std::size_t>;

cluster_parameters unsigned_cluster() {
  auto cluster = small_cluster(4);
  cluster.requests_by = request_authentication::authenticator;
  return cluster;
}

/// The batcher of replica 0 in a group whose clients do not sign.
struct vouching_bench : virtual_bench {
  batcher_actor tested;

  vouching_bench() : virtual_bench(replica_id{0}, unsigned_cluster()) {
    tested = connect(system().spawn(batcher, identity(), batch_settings{}, 2ms));
  }

  [[nodiscard]] messages::request ask(std::uint64_t when) const {
    return make().unsigned_request(client_id{0}, timestamp{when}, "o");
  }
  void vouch_from(std::uint32_t replica, const std::vector<messages::request>& all) {
    vouch value;
    for (const auto& each : all)
      value.requests.push_back(reference_of(each));
    give_verified(tested, principal::of(replica_id{replica}), value);
  }
  /// The number of requests in each VOUCH that was sent to the replica.
  std::vector<std::size_t> vouches_to(std::uint32_t replica) {
    std::vector<std::size_t> counts;
    for (const auto& each : take_frames("peer-" + std::to_string(replica))) {
      if (const auto* value = std::get_if<vouch>(&each)) counts.push_back(value->requests.size());
    }
    return counts;
  }
};

}  // namespace

TEST_CASE("a primary proposes an unsigned request once 2f + 1 replicas vouch for it (attack 45)") {
  vouching_bench bench;
  bench.give_verified(bench.tested, principal::of(client_id{0}), bench.ask(1));
  CHECK(bench.vouches_to(1) == sizes{1});
  CHECK(bench.take<batch_cut>("replica").empty());
  bench.vouch_from(2, {bench.ask(1)});
  CHECK(bench.take<batch_cut>("replica").empty());
  bench.vouch_from(3, {bench.ask(1)});
  CHECK(bench.take<batch_cut>("replica").size() == 1);
}

TEST_CASE("requests that one VOUCH certifies are in one batch, and so are the VOUCHes for requests of one burst") {
  vouching_bench bench;
  std::vector<messages::request> all;
  for (std::uint64_t when = 1; when <= 5; ++when) {
    all.push_back(bench.ask(when));
    const auto value = std::make_shared<const message>(all.back());
    caf::anon_send(bench.tested, verified_message{principal::of(client_id{0}), {}, value, {}});
  }
  bench.settle();
  CHECK(bench.vouches_to(1) == sizes{5});
  bench.vouch_from(1, all);
  bench.vouch_from(2, all);
  const auto cut = bench.take<batch_cut>("replica");
  REQUIRE(cut.size() == 1);
  CHECK(cut.front().content->requests.size() == 5);
}

TEST_CASE("the batcher says which batch of another primary has only authentic requests, now or later") {
  vouching_bench bench;
  bench.give(bench.tested, view_entered{view_number{1}});
  const auto body = bench.make().batch_of({bench.ask(1), bench.ask(2)});
  const auto value = digest_of_batch(*body);
  bench.give(bench.tested, batch_unproven{{view_number{1}, sequence_number{1}, value, body}});
  bench.give_verified(bench.tested, principal::of(client_id{0}), bench.ask(1));
  CHECK(bench.take<batch_authentic>("replica").empty());
  bench.vouch_from(1, {bench.ask(2)});
  CHECK(bench.take<batch_authentic>("replica").empty());
  bench.vouch_from(3, {bench.ask(2)});
  const auto proven = bench.take<batch_authentic>("replica");
  REQUIRE(proven.size() == 1);
  CHECK(proven.front().value == value);
  // The next batch is known at once.
  bench.give(bench.tested, batch_unproven{{view_number{1}, sequence_number{2}, value, body}});
  CHECK(bench.take<batch_authentic>("replica").size() == 1);
}
