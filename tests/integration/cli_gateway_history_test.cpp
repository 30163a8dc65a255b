// What clients of two gateways saw while replicas failed is linearizable.
#include <doctest/doctest.h>

#include <atomic>
#include <random>
#include <thread>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"
#include "tests/integration/gateway_process.hpp"
#include "tools/hypermesh-lab/gateway_history.hpp"

namespace hypermesh::testing::cli_test {

TEST_CASE("the history at two gateways is linearizable while the primary is killed and a backup lies") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  cluster.corrupt(3, "wrong-replies");
  REQUIRE(cluster.is_ready());
  running_gateway first{cluster, 0, {"--timeout", "3s"}};
  const running_gateway second{cluster, 1, {"--timeout", "3s"}};
  lab::gateway_history history{{first.port(), second.port()}};
  std::atomic<bool> goes_on{true};
  std::vector<std::thread> clients;
  constexpr std::uint32_t client_count = 6;
  for (std::uint32_t number = 0; number < client_count; ++number)
    clients.emplace_back([&, number] { history.run_client(number, seed, goes_on); });
  const auto answers_more = [&](std::size_t more) {
    const auto until = history.answered() + more;
    return eventually([&] { return history.answered() >= until; });
  };
  CHECK(answers_more(300));
  // Two of the three others agree on each result, and outvote the third.
  cluster.replica(0).send(SIGKILL);
  CHECK(answers_more(300));
  CHECK(cluster.replica(0).wait().has_value());
  cluster.start(0);
  CHECK(answers_more(300));
  goes_on = false;
  for (auto& each : clients)
    each.join();
  const auto verdict = check_linearizability(history.operations());
  CHECK(history.unexpected() == "");
  CHECK(verdict.undecided == 0);
  CHECK_MESSAGE(!verdict.violation, verdict.violation.value_or(""));
  MESSAGE("operations: ", verdict.operations, ", without a result: ", history.unanswered());
  first.running().send(SIGTERM);
  CHECK(first.running().wait() == 0);
  // The backup did lie.
  CHECK(has(first.err(), "replica 3 returned"));
}

TEST_CASE("the laboratory checks a history while the primary is killed and a backup lies") {
  const process_streams in_lab{.binary = HYPERMESH_LAB};
  const auto done =
      run_with({"history", "--runs", "1", "--duration", "12s", "--kill-every", "6s", "-o", "json"}, in_lab);
  CHECK(done.code == 0);
  const auto told = nlohmann::json::parse(done.out);
  REQUIRE(told["runs"].size() == 1);
  const auto& result = told["runs"][0];
  CHECK(result["ok"] == true);
  CHECK(result["operations"] > 100);
  CHECK(result["kills"] == 2);
  CHECK(result["found_liar"] == true);
  CHECK(run_with({"history", "--strategy", "no-such-strategy"}, in_lab).code == 2);
}

}  // namespace hypermesh::testing::cli_test
