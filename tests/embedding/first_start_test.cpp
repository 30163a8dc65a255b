// Replicas of a host whose data directory is new: in a new group, and in a group that has begun.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

#include "tests/embedding/host_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

namespace fs = std::filesystem;

struct deployed_cluster {
  cluster_files files{"adding"};
  std::vector<std::unique_ptr<consensus_manager>> replicas{4};

  void start(std::uint32_t number) {
    auto started = consensus_manager::start(files.replica(number), std::make_unique<adding_machine>());
    REQUIRE(started);
    replicas[number] = std::move(*started);
  }
  void stop(std::uint32_t number) { replicas[number] = nullptr; }
  [[nodiscard]] fs::path data_of(std::uint32_t number) const {
    return fs::path{files.replica(number).file}.parent_path() / "data";
  }
  [[nodiscard]] std::string add() const {
    auto connected = consensus_client::connect(files.client());
    REQUIRE(connected);
    return text_of((*connected)->submit(to_byte_vector("add 1")));
  }
  [[nodiscard]] bool is_ready(std::uint32_t number) const { return replicas[number]->health().is_ready; }
  [[nodiscard]] bool is_on_probation(std::uint32_t number) const {
    const auto health = replicas[number]->health();
    return std::ranges::any_of(health.reasons, [number](const auto& each) {
      return each.replica == replica_id{number} && each.condition == "on_probation";
    });
  }
};

}  // namespace

TEST_CASE("three replicas of a new group serve a client, and a fourth that starts later is readmitted") {
  deployed_cluster cluster;
  for (const std::uint32_t number : {0, 1, 2})
    cluster.start(number);
  CHECK(cluster.add() == "1");
  cluster.start(3);
  CHECK(becomes_true([&] { return cluster.is_on_probation(3); }));
  CHECK(becomes_true([&] { return cluster.is_ready(3); }));
  CHECK(cluster.add() == "2");
}

TEST_CASE("a second copy of a new data directory does not vote before its readmission") {
  deployed_cluster cluster;
  const auto data = cluster.data_of(1);
  const auto copy = data.parent_path() / "copy";
  fs::copy(data, copy, fs::copy_options::recursive);
  for (const std::uint32_t number : {0, 1, 2, 3})
    cluster.start(number);
  CHECK(cluster.add() == "1");
  REQUIRE(becomes_true([&] { return cluster.is_ready(1); }));
  cluster.stop(1);
  fs::remove_all(data);
  fs::rename(copy, data);
  CHECK(cluster.add() == "2");
  cluster.start(1);
  CHECK(becomes_true([&] { return cluster.is_on_probation(1); }));
  CHECK(becomes_true([&] { return cluster.is_ready(1); }));
  CHECK_FALSE(cluster.is_on_probation(1));
  CHECK(cluster.add() == "3");
  // A restart does not ask again.
  cluster.stop(1);
  cluster.start(1);
  bool asks_again = false;
  CHECK(becomes_true([&] {
    asks_again = asks_again || cluster.is_on_probation(1);
    return cluster.is_ready(1);
  }));
  CHECK_FALSE(asks_again);
}
