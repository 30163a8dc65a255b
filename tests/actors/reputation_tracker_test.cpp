#include "actors/reputation_tracker.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// The reputation tracker of replica 1.
struct tracker_bench : virtual_bench {
  reputation_tracker_actor tested = connect(system().spawn(reputation_tracker, identity()));

  tracker_bench() : virtual_bench(replica_id{1}) {}

  void agree(bool quarantined) {
    agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
    if (quarantined) {
      agreed.replicas[2].convictions = 1;
      agreed.replicas[2].score = 0;
      agreed.replicas[2].quarantined_until = sequence_number{99};
    }
    give(tested, reputation_agreed{std::make_shared<const agreed_reputation>(agreed)});
  }
};

}  // namespace

TEST_CASE_FIXTURE(tracker_bench, "ingress and coordinator are notified of each change in trust") {
  agree(false);
  CHECK(is_quiet());
  agree(true);
  const auto told = take<trust_changed>("coordinator");
  REQUIRE(told.size() == 1);
  CHECK(told.front().now->avoided_as_primary == std::vector<replica_id>{replica_id{2}});
  CHECK(take<trust_changed>("ingress").size() == 1);
  CHECK(take<trust_changed>("state-transfer").size() == 1);
  const auto shown = take<counters_reported>("monitor");
  REQUIRE(shown.size() == 1);
  CHECK(shown.front().counters->size() == 6);
  agree(true);
  CHECK(take<trust_changed>("coordinator").empty());
}

TEST_CASE_FIXTURE(tracker_bench, "the monitor shows the number of rate-limited clients, also when it returns to zero") {
  const auto shown_with = [&](std::uint64_t until) {
    agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
    agreed.clients[client_id{5}].rate_limited_until = sequence_number{until};
    give(tested, reputation_agreed{std::make_shared<const agreed_reputation>(agreed)});
    std::map<std::string, std::uint64_t> all;
    for (const auto& told : take<counters_reported>("monitor")) {
      for (const auto& each : *told.counters)
        all[each.name] = each.value;
    }
    return all;
  };
  CHECK(shown_with(0).empty());
  CHECK(shown_with(99) == std::map<std::string, std::uint64_t>{{"clients_rate_limited", 1}});
  CHECK(shown_with(0) == std::map<std::string, std::uint64_t>{{"clients_rate_limited", 0}});
  CHECK(shown_with(0).empty());
}

TEST_CASE_FIXTURE(tracker_bench, "misbehaviour throttles a replica for a limited time") {
  for (int count = 0; count < 5; ++count)
    give(tested, misbehaved{{replica_id{3}, complaint_reason::bad_state}});
  const auto told = take<trust_changed>("ingress");
  REQUIRE(told.size() == 1);
  CHECK(told.front().now->throttled == std::vector<replica_id>{replica_id{3}});
  forget();
  advance(std::chrono::seconds{60});
  const auto healed = take<trust_changed>("ingress");
  REQUIRE(healed.size() == 1);
  CHECK(healed.front().now->throttled.empty());
}
