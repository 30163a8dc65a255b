#include "runtime/node_condition.hpp"

#include <doctest/doctest.h>

#include <future>

using namespace hypermesh;
using namespace hypermesh::runtime;

TEST_CASE("the first error of a node is kept") {
  node_condition condition;
  CHECK(condition.on_failure({"first", "do this"}));
  CHECK_FALSE(condition.on_failure({"second", "do that"}));
  REQUIRE_FALSE(condition.facts().running);
  CHECK(condition.facts().running.error().what == "first");
}

TEST_CASE("a failure and a host in a hurry end the waits of a drain") {
  node_condition failed;
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
