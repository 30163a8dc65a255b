#include <doctest/doctest.h>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// Replica 0 of a cluster whose other replicas do not run.
class lone_replica {
 public:
  lone_replica() {
    const auto port = std::to_string(free_port_row(4));
    REQUIRE(run({"init", (folder_ / "cluster").string(), "--first-port", port}).code == 0);
  }

  [[nodiscard]] fs::path data() const { return folder_ / "cluster" / "replica-0" / "data"; }
  [[nodiscard]] words start_with(const words& more) const {
    words all{"start", "--config", (folder_ / "cluster" / "replica-0" / "node.toml").string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  /// Starts the replica and stops it when it listens. Returns whether both steps succeeded.
  [[nodiscard]] bool listens_and_stops(const words& more) {
    const auto out = folder_ / ("out-" + std::to_string(++runs_));
    process replica{start_with(more), {"/dev/null", out, folder_ / "err", {}}};
    const bool listened =
        eventually([&] { return replica.has_ended() || text_of(out).starts_with("ready replica=0"); });
    replica.send(SIGTERM);
    return listened && replica.wait() == 0;
  }

 private:
  scratch_folder folder_;
  int runs_ = 0;
};

}  // namespace

TEST_CASE("a replica that holds its votes does not start as a learner, and prints the fix") {
  lone_replica replica;
  REQUIRE(replica.listens_and_stops({}));
  const auto refused = run(replica.start_with({"--learner"}));
  CAPTURE(refused.err);
  CHECK(refused.code == 2);
  CHECK(refused.out.empty());
  CHECK(refused.err.find(replica.data().string()) != std::string::npos);
  CHECK(refused.err.find("start without --learner") != std::string::npos);
  CHECK(refused.err.find("move the directory away") != std::string::npos);
  CHECK(refused.err.find("counts as one of the f faulty replicas") != std::string::npos);
  CHECK(replica.listens_and_stops({}));
}

TEST_CASE("a replica starts as a learner on an empty data directory and on none") {
  lone_replica replica;
  fs::remove_all(replica.data());
  SUBCASE("none") {}
  SUBCASE("empty") { fs::create_directory(replica.data()); }
  const auto refused = run(replica.start_with({}));
  CHECK(refused.code == 2);
  CHECK(refused.err.find("mount its disk") < refused.err.find("--learner"));
  CHECK(replica.listens_and_stops({"--learner"}));
  // From now on the directory belongs to a replica that lost its disk, with or without the option `--learner`.
  CHECK(replica.listens_and_stops({"--learner"}));
  CHECK(replica.listens_and_stops({}));
}

}  // namespace hypermesh::testing::cli_test
