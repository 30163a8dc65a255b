#include <doctest/doctest.h>

#include <condition_variable>
#include <mutex>
#include <stdexcept>

#include "tests/embedding/gate.hpp"
#include "tests/embedding/host_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// A machine of the replica `wrong` that misbehaves for the operation "trap"; the others answer it.
host_cluster::machine_maker trap_at(std::uint32_t wrong, adding_machine::trap_handler does) {
  return [wrong, does](std::uint32_t replica) -> std::unique_ptr<state_machine> {
    const adding_machine::trap_handler answers = [](std::uint64_t&, byte_span) {
      return operation_result{operation_status::applied, to_byte_vector("passed")};
    };
    return std::make_unique<adding_machine>(replica == wrong ? does : answers);
  };
}

}  // namespace

TEST_CASE("a machine that throws stops its replica with an error that names machine, operation and sequence") {
  host_cluster cluster{"adding", trap_at(2, [](std::uint64_t&, byte_span) -> operation_result {
                         throw std::logic_error("this case was forgotten");
                       })};
  auto client = cluster.connect();
  REQUIRE(text_of(client->submit(to_byte_vector("add 5"))) == "5");
  // The three others answer.
  CHECK(text_of(client->submit(to_byte_vector("trap"))) == "passed");
  REQUIRE(cluster.replica(2).wait_for_failure(embedding_patience));
  const auto health = cluster.replica(2).health();
  CHECK_FALSE(health.is_live);
  CHECK_FALSE(health.is_ready);
  REQUIRE_FALSE(health.running);
  const auto& what = health.running.error().what;
  INFO(what);
  CHECK(what.find("'adding'") != std::string::npos);
  CHECK(what.find("this case was forgotten") != std::string::npos);
  CHECK(what.find("sequence ") != std::string::npos);
  CHECK(what.find("74726170") != std::string::npos);  // The operation in hexadecimal: "trap".
  CHECK(text_of(client->submit(to_byte_vector("add 1"))) == "6");
  // The operation is in the log, so the machine meets it again until it is corrected.
  cluster.stop(2);
  const auto again = consensus_manager::start(
      cluster.files().replica(2), trap_at(2, [](std::uint64_t&, byte_span) -> operation_result { throw 1; })(2));
  // It may meet the operation before `start` returns, or after it.
  if (again) REQUIRE((*again)->wait_for_failure(embedding_patience));
  const auto met = again ? (*again)->health().running : or_error<void>{failure_of(again)};
  REQUIRE_FALSE(met);
  CHECK(met.error().what.find("'adding'") != std::string::npos);
}

TEST_CASE("a query that throws has no answer, and stops no replica") {
  host_cluster cluster{"adding", [](std::uint32_t) { return std::make_unique<adding_machine>(); }};
  client_settings hasty;
  hasty.deadline = std::chrono::seconds{2};
  auto client = cluster.connect(0, hasty);
  auto events = cluster.replica(1).events();
  CHECK(text_of(client->query(to_byte_vector("throw"), read_mode::committed)) == "error: timed_out");
  // Replicas that have just started report other events too.
  auto event = events->next(embedding_patience);
  while (event && event->kind != event_kind::query_failed)
    event = events->next(embedding_patience);
  CHECK(event);
  for (std::uint32_t number = 0; number < 4; ++number)
    CHECK(cluster.replica(number).health().is_live);
  CHECK(text_of(client->submit(to_byte_vector("add 1"))) == "1");
}

TEST_CASE("a machine that blocks is reported by health, and the others go on") {
  gate held{false};
  host_cluster cluster{"adding", trap_at(3, [&held](std::uint64_t&, byte_span) {
                         held.pass();
                         return operation_result{operation_status::applied, to_byte_vector("passed")};
                       })};
  auto client = cluster.connect();
  CHECK(text_of(client->submit(to_byte_vector("trap"))) == "passed");
  constexpr std::chrono::milliseconds bound{300};
  // A replica that has just started is not ready for another reason.
  node_health health;
  REQUIRE(becomes_true([&] {
    health = cluster.replica(3).health(bound);
    return health.sentence.find("'apply'") != std::string::npos;
  }));
  CHECK(health.is_live);
  CHECK_FALSE(health.is_ready);
  REQUIRE(becomes_true([&] { return cluster.replica(2).health(bound).is_ready; }));
  // The metrics tell an operator what is wrong, so they must not wait for the machine.
  CHECK(cluster.replica(3).metrics(embedding_patience));
  CHECK_FALSE(cluster.replica(3).state(bound));
  CHECK(text_of(client->submit(to_byte_vector("add 7"))) == "7");
  held.set(true);
  REQUIRE(becomes_true([&] { return cluster.replica(3).health(bound).is_ready; }));
}

TEST_CASE("a machine that is not deterministic is found by the checkpoint, and its answers are never believed") {
  host_cluster cluster{"adding", trap_at(1, [](std::uint64_t& sum, byte_span) {
                         sum += 1'000;
                         return operation_result{operation_status::applied, to_byte_vector("wrong")};
                       })};
  auto client = cluster.connect();
  auto events = cluster.replica(1).events();
  CHECK(text_of(client->submit(to_byte_vector("trap"))) == "passed");
  std::uint64_t sum = 0;
  bool has_diverged = false;
  // More than two checkpoint periods.
  for (int count = 0; count < 48; ++count) {
    REQUIRE(text_of(client->submit(to_byte_vector("add 1"))) == std::to_string(++sum));
  }
  has_diverged = becomes_true([&] {
    const auto event = events->next(std::chrono::milliseconds{100});
    return event && event->kind == event_kind::state_diverged;
  });
  CHECK(has_diverged);
  // The replica repairs its state from the others.
  REQUIRE(becomes_true([&] {
    const auto mine = cluster.replica(1).state(embedding_patience);
    const auto other = cluster.replica(2).state(embedding_patience);
    return mine && other && mine->last_executed == other->last_executed && mine->state_root == other->state_root;
  }));
}
