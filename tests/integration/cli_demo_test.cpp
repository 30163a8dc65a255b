// The demonstration of the laboratory, with real processes.
#include <doctest/doctest.h>

#include <random>

#include "tests/integration/cli_process.hpp"
#include "tests/integration/http_test_client.hpp"

namespace hypermesh::testing::cli_test {

namespace {

process_streams streams_in(const scratch_folder& folder) {
  fs::create_directory(folder / "temporary");
  return {"/dev/null", folder / "out", folder / "err", folder / "temporary", HYPERMESH_LAB};
}

bool nothing_is_left(const scratch_folder& folder) {
  return fs::is_empty(folder / "temporary") && processes_with((folder / "temporary").string()).empty();
}

/// The port of the first page that the demonstration prints; 0 if there is none yet.
std::uint16_t page_port(const std::string& text) {
  const std::string before = "page of replica 0: http://127.0.0.1:";
  const auto at = text.find(before);
  return at == std::string::npos ? std::uint16_t{0}
                                 : static_cast<std::uint16_t>(std::atoi(text.c_str() + at + before.size()));
}

/// The ports of this machine on which a demonstration in `folder` listens: those in its files, and those in its output.
std::vector<std::uint16_t> ports_of(const scratch_folder& folder) {
  std::vector<std::uint16_t> ports;
  const auto add = [&](const std::string& text) {
    const std::string before = "127.0.0.1:";
    for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
      const auto port = static_cast<std::uint16_t>(std::atoi(text.c_str() + at + before.size()));
      if (port != 0) ports.push_back(port);
    }
  };
  std::error_code gone;
  for (fs::recursive_directory_iterator each{folder / "temporary", gone}; !gone && each != fs::end(each);
       each.increment(gone)) {
    if (each->path().extension() == ".toml") add(text_of(each->path()));
  }
  add(text_of(folder / "err"));
  return ports;
}

}  // namespace

TEST_CASE("the script causes each fault once, convicts the liar, and all states are equal at the end") {
  const scratch_folder folder;
  process demo{{"demo", "--script", "--pause", "0s"}, streams_in(folder)};
  CHECK(demo.wait(std::chrono::seconds{280}) == 0);
  const auto steps = text_of(folder / "err");
  INFO(steps);
  for (const auto* step : {"a made-up trace", "page of replica 0: http://127.0.0.1:", "a new primary leads",
                           "is cut off from the others", "no half has a quorum, so nothing is ordered",
                           "the group continues", "is readmitted", "the liar is convicted"}) {
    CHECK(has(steps, step));
  }
  CHECK(has(text_of(folder / "out"), " 0 with a wrong result, 0 without an answer"));
  CHECK(has(text_of(folder / "out"), "the states of all replicas are equal"));
  CHECK(nothing_is_left(folder));
}

TEST_CASE("a trace from files is the load, and a file that is missing is an error with a remedy") {
  const scratch_folder folder;
  write_text(folder / "nodes.csv", "sn,cpu_milli,memory_mib,gpu,model\nnode-1,64000,262144,2,P100\n");
  write_text(folder / "pods.csv", "name,cpu_milli,memory_mib,num_gpu,gpu_milli\npod-1,1000,1024,1,500\n");
  process demo{
      {"demo", "--buttons", "--nodes", (folder / "nodes.csv").string(), "--pods", (folder / "pods.csv").string()},
      streams_in(folder)};
  CHECK(eventually([&] { return page_port(text_of(folder / "err")) != 0; }));
  CHECK(has(text_of(folder / "err"), "the trace of a real cluster, 1 machines, 1 tasks"));
  demo.send(SIGINT);
  CHECK(demo.wait() == 130);
  const auto refused = run_with({"demo", "--script", "--nodes", "nowhere.csv", "--pods", "nowhere.csv"},
                                {.temporary = folder / "temporary", .binary = HYPERMESH_LAB});
  CHECK(refused.code == 2);
  CHECK(has(refused.err, "nowhere.csv"));
  CHECK(has(refused.err, "fix: "));
  CHECK(nothing_is_left(folder));
}

TEST_CASE("an interrupted demonstration leaves nothing behind, and its page was there to see") {
  const scratch_folder folder;
  process demo{{"demo", "--script", "--pause", "30s"}, streams_in(folder)};
  CHECK(eventually([&] { return page_port(text_of(folder / "err")) != 0; }));
  const auto port = page_port(text_of(folder / "err"));
  CHECK(http_test::ask(port, "/").status == 200);
  CHECK(has(http_test::ask(port, "/api/v1/batches").body, "\"commits\":"));
  // The node itself has no button: nothing of the laboratory, and no request that changes something.
  CHECK(http_test::ask(port, "/lab/control.js").status == 404);
  CHECK(http_test::ask(port, "/lab/orders", "Content-Length: 0\r\n", "POST").status == 404);
  CHECK_FALSE(has(http_test::ask(port, "/").body, "/lab/"));
  demo.send(SIGINT);
  CHECK(demo.wait() == 130);
  CHECK(nothing_is_left(folder));
}

TEST_CASE("an interruption at any moment leaves no process, no file and no port behind") {
  std::random_device seeds;
  const auto seed = seeds();
  CAPTURE(seed);
  std::minstd_rand random{seed};
  for (int round = 0; round < 5; ++round) {
    const scratch_folder folder;
    const std::chrono::milliseconds moment{std::uniform_int_distribution<int>{0, 6'000}(random)};
    CAPTURE(moment.count());
    process demo{{"demo", "--script", "--pause", "0s"}, streams_in(folder)};
    std::this_thread::sleep_for(moment);
    const auto ports = ports_of(folder);
    demo.send(SIGINT);
    const auto code = demo.wait();
    // A fast machine may have come to the end of the script.
    CHECK((code == 130 || code == 0));
    CHECK(nothing_is_left(folder));
    for (const auto port : ports) {
      CAPTURE(port);
      CHECK_FALSE(http_test::http_connection{port}.is_open());
    }
  }
}

}  // namespace hypermesh::testing::cli_test
