#include "runtime/node_condition.hpp"

#include <doctest/doctest.h>

#include <future>

using namespace hypermesh;
using namespace hypermesh::runtime;

namespace {

node_health health_after(const std::vector<observation>& seen) {
  node_condition condition;
  for (const auto& each : seen)
    condition.on_observation(each);
  return health_of(replica_id{2}, condition.facts(), std::nullopt);
}

}  // namespace

TEST_CASE("a node is ready until an observation speaks against it, and ready again when it is over") {
  CHECK(health_after({}).sentence == "replica 2 is ready");
  const replica_progress waits{view_number{4}, false, {}, 0};
  CHECK(health_after({waits}).sentence == "replica 2 is not ready: it waits for view 4");
  CHECK(health_after({waits, replica_progress{view_number{4}, true, {}, 0}}).is_ready);
  CHECK_FALSE(health_after({divergence_found{sequence_number{128}}}).is_ready);
  CHECK(health_after({divergence_found{sequence_number{128}}, state_was_installed{sequence_number{128}, {}}}).is_ready);
  CHECK_FALSE(health_after({probation_changed{sequence_number{512}, view_number{6}, false}}).is_ready);
  CHECK(health_after({probation_changed{sequence_number{512}, view_number{6}, false},
                      probation_changed{sequence_number{512}, view_number{6}, true}})
            .is_ready);
}

TEST_CASE("the first error of a node is kept, and a node that failed is not live") {
  node_condition condition;
  CHECK(condition.on_failure({"first", "do this"}));
  CHECK_FALSE(condition.on_failure({"second", "do that"}));
  const auto health = health_of(replica_id{0}, condition.facts(), std::nullopt);
  CHECK_FALSE(health.is_live);
  REQUIRE_FALSE(health.running);
  CHECK(health.running.error().what == "first");
  CHECK(health.sentence == "replica 0 is not ready: it failed: first");
}

TEST_CASE("a blocked machine makes the node not ready, but it lives") {
  const auto health = health_of(replica_id{0}, {}, "the state machine has been in 'apply' for 12 s");
  CHECK(health.is_live);
  CHECK_FALSE(health.is_ready);
  CHECK(health.reasons.size() == 1);
}

TEST_CASE("a node that is drained or stopped is not ready, and only a stopped one is not live") {
  node_condition condition;
  condition.on_draining();
  const auto drained = health_of(replica_id{0}, condition.facts(), std::nullopt);
  CHECK(drained.is_live);
  CHECK_FALSE(drained.is_ready);
  CHECK(drained.is_draining);
  CHECK(drained.sentence == "replica 0 is not ready: it is being drained");
  condition.on_stopped();
  const auto stopped = health_of(replica_id{0}, condition.facts(), std::nullopt);
  CHECK_FALSE(stopped.is_live);
  CHECK(stopped.is_draining);
  CHECK(stopped.sentence == "replica 0 is not ready: it was stopped");
  CHECK(stopped.running);
}

TEST_CASE("a failure and a host in a hurry end the waits of a drain") {
  node_condition failed;
  CHECK_FALSE(failed.facts().must_stop());
  failed.on_draining();
  CHECK_FALSE(failed.facts().must_stop());
  (void)failed.on_failure({"the disk is gone", ""});
  CHECK(failed.facts().must_stop());
  node_condition hurried;
  hurried.on_hurry();
  CHECK(hurried.facts().must_stop());
}

TEST_CASE("a wait ends when an observation on another thread makes the condition true, and at its deadline otherwise") {
  node_condition condition;
  const auto in_a_minute = std::chrono::steady_clock::now() + std::chrono::seconds{60};
  auto waiting = std::async(std::launch::async, [&] {
    return condition.wait_until(in_a_minute, [](const auto& facts) { return facts.requests_pending == 3; });
  });
  CHECK(waiting.wait_for(std::chrono::milliseconds{20}) == std::future_status::timeout);
  condition.on_observation(batcher_progress{2, 100, false});
  CHECK(waiting.wait_for(std::chrono::milliseconds{20}) == std::future_status::timeout);
  condition.on_observation(batcher_progress{3, 100, false});
  REQUIRE(waiting.wait_for(std::chrono::seconds{30}) == std::future_status::ready);
  CHECK(waiting.get());
  const auto now = std::chrono::steady_clock::now();
  CHECK_FALSE(condition.wait_until(now, [](const auto& facts) { return facts.is_admitting; }));
}
