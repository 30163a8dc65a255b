#include <doctest/doctest.h>

#include "runtime/scheduling/consensus_port.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"
#include "tests/embedding/host_cluster.hpp"
#include "tests/runtime/scheduling_contract.hpp"

namespace hypermesh::testing {

namespace {

host_cluster::machine_maker scheduler_machines() {
  return [](std::uint32_t) { return std::make_unique<machines::resource_scheduler>(); };
}

}  // namespace

TEST_CASE("the scheduler's contract holds over a cluster of four replicas") {
  host_cluster cluster{"scheduler", scheduler_machines()};
  const auto one = cluster.connect(0);
  const auto another = cluster.connect(1);
  scheduling::consensus_port first{*one};
  scheduling::consensus_port second{*another};
  check_scheduling_contract(first, second);
}

TEST_CASE("the scheduler's contract holds over a cluster whose unordered answers all come too late") {
  host_cluster cluster{"scheduler", scheduler_machines()};
  const auto one = cluster.connect(0);
  const auto another = cluster.connect(1);
  scheduling::consensus_port first{*one, std::chrono::milliseconds{0}};
  scheduling::consensus_port second{*another, std::chrono::milliseconds{0}};
  check_scheduling_contract(first, second);
}

TEST_CASE("a query without f + 1 equal answers ends after the patience of the port, long before that of the client") {
  host_cluster cluster{"scheduler", scheduler_machines()};
  const auto client = cluster.connect();
  scheduling::consensus_port port{*client};
  scheduling::scheduler_client mesh{port};
  REQUIRE(mesh.register_node({"n", 1'000, 1'000, 0, ""}));
  for (const std::uint32_t number : {0U, 1U, 2U})
    cluster.stop(number);
  const auto begun = std::chrono::steady_clock::now();
  for (std::size_t queries = 0; queries <= scheduling::consensus_port::ordered_row; ++queries) {
    const auto outcome = port.query(machines::scheduler::encode(machines::scheduler::query_summary{}));
    REQUIRE(std::holds_alternative<client_error>(outcome));
    CHECK(std::get<client_error>(outcome) == client_error::timed_out);
  }
  // One of these queries waited for 250 ms. The deadline of the client is 30 s.
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds{20});
}

}  // namespace hypermesh::testing
