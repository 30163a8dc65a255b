#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "runtime/state_machines/registry.hpp"

namespace hypermesh::testing {

TEST_CASE("every known state machine is made by its name, always in the same initial state") {
  for (const auto* name : {"key-value", "scheduler", "redis"}) {
    const auto first = make_state_machine(name);
    const auto second = make_state_machine(name);
    REQUIRE(first);
    REQUIRE(second);
    CHECK((*first)->name() == name);
    CHECK((*first)->root() == (*second)->root());
    CHECK((*first)->restore((*second)->snapshot()).has_value());
    CHECK_FALSE(operations_usage(name).empty());
  }
}

TEST_CASE("an unknown state machine is an error that lists the known names") {
  const auto made = make_state_machine("bank");
  REQUIRE_FALSE(made);
  CHECK(made.error() == "unknown state machine \"bank\"; use one of: key-value, scheduler, redis, null");
  CHECK_FALSE(parse_operation("bank", std::vector<std::string>{"get", "k"}));
  CHECK(operations_usage("bank").empty());
}

TEST_CASE("each machine has its own commands") {
  const auto machine = make_state_machine("scheduler");
  REQUIRE(machine);
  const auto summary = parse_operation("scheduler", std::vector<std::string>{"summary"});
  REQUIRE(summary);
  const auto text = interpret("scheduler", *summary, (*machine)->query(*summary)).line;
  CHECK(text.substr(0, text.find('\n')) == "nodes 0");
  CHECK_FALSE(parse_operation("key-value", std::vector<std::string>{"summary"}));
  CHECK_FALSE(parse_operation("redis", std::vector<std::string>{"summary"}));
}

}  // namespace hypermesh::testing
