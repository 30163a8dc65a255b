#include <doctest/doctest.h>

#include <string>

#include "messages/codec.hpp"
#include "tests/support/core_cluster.hpp"

// Requests without signatures: `vouch_board` and attack 45.

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using frames = std::vector<frame_ptr>;

core_cluster_options options_of(std::uint64_t seed) {
  core_cluster_options options;
  options.seed = seed;
  options.cluster = small_cluster(seed % 2 == 0 ? 4 : 7);
  options.cluster.requests_by = request_authentication::authenticator;
  options.batching.pipeline_depth = 1 + seed % 4;
  return options;
}

void submit_round(core_cluster& cluster, std::uint32_t each, std::string_view name) {
  for (std::uint32_t number = 0; number < each; ++number) {
    for (std::uint32_t client = 0; client < 4; ++client)
      cluster.submit(client_id{client}, std::string{name} + std::to_string(number));
  }
}

}  // namespace

TEST_CASE("requests without signatures are executed, also while frames are lost, repeated and overtaken") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    auto options = options_of(seed);
    options.faults = {seed % 8, seed % 6, 1 + seed % 5};
    core_cluster cluster{options};
    submit_round(cluster, 8, "op");
    const bool settled = cluster.settle(60'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.checker().requests_executed() == 32);
  }
}

TEST_CASE("requests without signatures survive a change of the view") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto options = options_of(seed);
    options.faults.delay_max = 1 + seed % 4;
    core_cluster cluster{options};
    submit_round(cluster, 4, "before");
    cluster.run(10);
    cluster.isolate(replica_id{0});
    submit_round(cluster, 4, "during");
    cluster.run(2'000);
    cluster.heal();
    submit_round(cluster, 2, "after");
    const bool settled = cluster.settle(60'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.node(1).replica().view() > view_number{0});
    CHECK(cluster.checker().requests_executed() == 40);
  }
}

// Without the check of the backups, the request would be executed in the name of a client that never sent it.
TEST_CASE("a primary cannot propose a request that its client did not send") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto options = options_of(seed);
    core_cluster cluster{options};
    const auto& factory = cluster.factory();
    const auto invented = factory.unsigned_request(client_id{0}, timestamp{1}, "invented");
    cluster.corrupt(replica_id{0}, [&](principal to, const frame_ptr& frame) -> frames {
      if (kind_of(byte_span{*frame}) != message_kind::pre_prepare) return {frame};
      const auto proposal = std::get<pre_prepare>(*decode(frame));
      const auto& content = proposal.header.content;
      const auto forged = factory.batch_of({invented});
      const auto vouched = encode(vouch{{reference_of(invented)}});
      return {vouched, factory.pre_prepare_of(content.view, content.sequence, forged).raw};
    });
    submit_round(cluster, 3, "op");
    cluster.run(1'500);
    INFO(cluster.describe());
    REQUIRE_FALSE(cluster.violation());
    // The checker compares each executed request with those that the clients sent (I3). The backups leave the view.
    CHECK(cluster.checker().requests_executed() > 0);
    for (std::uint32_t number = 1; number < options.cluster.replicas; ++number)
      CHECK(cluster.node(number).replica().view() > view_number{0});
  }
}

// §5.2: a faulty client can send a request that only some replicas can authenticate. Without VOUCHes, the
// primary would propose it, and the others would replace the primary.
TEST_CASE("a client that sends to some replicas only changes no view and delays no other client (attack 45)") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    const auto options = options_of(seed);
    core_cluster cluster{options};
    const auto f = options.cluster.group().faulty_max();
    // The client reaches 1 … 2f + 1 replicas, the primary among them or not.
    const auto reached = 1 + seed % (2 * f + 1);
    const auto first = seed / 2 % options.cluster.replicas;
    for (std::uint32_t number = 0; number < options.cluster.replicas; ++number) {
      const auto place = (number + options.cluster.replicas - first) % options.cluster.replicas;
      if (place >= reached) cluster.cut_link(principal::of(client_id{0}), principal::of(replica_id{number}));
    }
    submit_round(cluster, 6, "op");
    cluster.run(1'500);
    INFO(cluster.describe());
    REQUIRE_FALSE(cluster.violation());
    // f + 1 correct replicas are enough to tell all others.
    CHECK(cluster.checker().requests_executed() == (reached > f ? 24U : 18U));
    for (std::uint32_t number = 0; number < options.cluster.replicas; ++number) {
      CHECK(cluster.node(number).replica().view() == view_number{0});
      CHECK(cluster.node(number).suspicions() == 0);
    }
  }
}
