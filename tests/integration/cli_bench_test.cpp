#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

/// `hypermesh bench` as a real process. The tests make no claim about speed.
namespace hypermesh::testing::cli_test {

namespace {

nlohmann::json measured(const words& more, const std::string& time = "1s") {
  words arguments{"bench", "--warm-up", "200ms", "--duration", time, "-o", "json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const auto result = run(arguments);
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  return nlohmann::json::parse(result.out);
}

}  // namespace

TEST_CASE("the bench measures a closed loop of its own cluster, with every figure") {
  const auto json = measured({"--bundle", "4", "--in-flight", "16", "--clients", "2", "--load-processes", "2"});
  const auto& run = json["runs"].at(0);
  CHECK(run["load"]["loop"] == "closed");
  CHECK(run["load"]["latency_since"] == "sent");
  CHECK(run["answered"].get<double>() > 0);
  CHECK(run["failed"] == 0);
  CHECK(run["processor_us"]["replicas"].get<double>() > 0);
  CHECK(run["processor_us"]["load"].get<double>() > 0);
  CHECK(run["processor_us"]["roles"]["actors"].get<double>() > 0);
  CHECK(run["requests_per_batch"].get<double>() > 0);
  CHECK(run["writes_per_batch"].get<double>() > 0);
  CHECK(run["wire_bytes"]["signatures"].get<double>() > 0);
  CHECK(run["crypto_floor"]["replicas_us"].get<double>() > 0);
  CHECK(run["times_floor"].get<double>() > 0);
  CHECK(run["resident_bytes"].size() == 4);
  CHECK(json["crypto_us"]["verify"].get<double>() > json["crypto_us"]["sign"].get<double>());
  CHECK(json["knee"].is_null());
  CHECK_FALSE(json["environment"]["file_system"].get<std::string>().empty());
}

TEST_CASE("the bench counts every operation of an open loop, in memory and with reads") {
  const auto json = measured({"--rate", "100", "--arrivals", "even", "--durability", "memory", "--machine", "key-value",
                              "--reads", "50", "--read-mode", "committed"});
  const auto& run = json["runs"].at(0);
  CHECK(run["load"]["loop"] == "open");
  CHECK(run["load"]["latency_since"] == "intended");
  // 100 a second were intended for the second that was measured: none is left out, whether answered or failed.
  CHECK(run["latency_us"]["count"].get<int>() + run["failed"].get<int>() == 100);
  CHECK(json["cluster"]["durability"] == "memory");
}

TEST_CASE("the bench joins a running cluster, and leaves it running") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const auto json = measured({"--cluster", cluster.directory(), "--machine", "key-value", "--in-flight", "8"});
  const auto& run = json["runs"].at(0);
  CHECK(json["cluster"]["joined"] == true);
  CHECK(run["answered"].get<double>() > 0);
  CHECK(run["processor_us"]["replicas"].get<double>() > 0);
  // The replicas of this cluster have no HTTP server, and the report says what is missing for that reason.
  CHECK(run["wire_bytes"].is_null());
  CHECK(has(run["warnings"].dump(), "the kinds of frames are unknown"));
  CHECK(cluster.ask("submit", {"put", "a", "1"}).code == 0);
  SUBCASE("it refuses a load for another machine, and names the right one") {
    const auto wrong = run_with({"bench", "--cluster", cluster.directory()}, {});
    CHECK(wrong.code == 2);
    CHECK(has(wrong.err, "--machine key-value"));
  }
  SUBCASE("it refuses more clients than the cluster knows") {
    const auto wrong =
        run_with({"bench", "--cluster", cluster.directory(), "--machine", "key-value", "--clients", "99"}, {});
    CHECK(wrong.code == 2);
    CHECK(has(wrong.err, "hypermesh init --clients"));
  }
}

TEST_CASE("the search for the knee reports each step") {
  const auto json = measured({"--find-knee", "--rate", "20", "--p99-max", "1ms"}, "300ms");
  CHECK(json["knee"]["p99_us_max"] == 1'000);
  CHECK(json["runs"].size() >= 2);
  CHECK(json["runs"].at(0)["load"]["loop"] == "closed");
  CHECK(json["runs"].at(1)["load"]["loop"] == "open");
}

TEST_CASE("an overload is refused in part, and reported with its verdict") {
  words arguments{"bench", "--overload", "3",  "--overload-for", "2s",  "--duration", "300ms", "--warm-up",
                  "100ms", "--rate",     "50", "--p99-max",      "10s", "-o",         "json"};
  // The verdict depends on this machine, so only the figures are checked.
  const auto result = run(arguments);
  CAPTURE(result.err);
  REQUIRE((result.code == 0 || result.code == 1));
  const auto json = nlohmann::json::parse(result.out);
  const auto& overload = json["overload"];
  CHECK(overload["factor"] == 3);
  CHECK(overload["knee_per_second"].get<double>() > 0);
  // No operation of the overload is forgotten.
  CHECK(overload["answered"].get<std::uint64_t>() + overload["refused"].get<std::uint64_t>() +
            overload["unanswered"].get<std::uint64_t>() ==
        overload["intended"].get<std::uint64_t>());
  CHECK(overload["p99_max_us"].get<std::uint64_t>() >= 2 * overload["p99_before_us"].get<std::uint64_t>());
  CHECK(overload["ok"].get<bool>() == (result.code == 0));
}

TEST_CASE("an interrupted bench leaves no process and no file") {
  const scratch_folder folder;
  process_streams streams;
  streams.temporary = folder.path();
  process bench{{"bench", "--duration", "60s", "--warm-up", "0"}, streams};
  // The load processes have begun when the file with the moment of the beginning exists.
  const auto is_under_load = [&folder] {
    std::error_code gone;
    fs::recursive_directory_iterator each{folder.path(), gone};
    for (; !gone && each != fs::recursive_directory_iterator{}; each.increment(gone)) {
      if (each->path().filename() == "begin-0") return true;
    }
    return false;
  };
  REQUIRE(eventually(is_under_load));
  bench.send(SIGINT);
  CHECK(bench.wait() == 130);
  CHECK(fs::is_empty(folder.path()));
  CHECK(processes_with(folder.path().string()).empty());
}

}  // namespace hypermesh::testing::cli_test
