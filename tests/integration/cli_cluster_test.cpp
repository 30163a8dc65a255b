#include <doctest/doctest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

nlohmann::json status_of(const running_cluster& cluster) {
  return nlohmann::json::parse(cluster.ask("status", {"-o", "json"}).out);
}

/// The number of links that the replica has closed, for any reason.
std::uint64_t closed_links(const nlohmann::json& replica) {
  std::uint64_t sum = 0;
  for (const auto& [name, value] : replica["counters"].items()) {
    if (name.starts_with("link_closed_")) sum += value.get<std::uint64_t>();
  }
  return sum;
}

/// Sends the bytes to the port and waits until the other side closes the connection or has received the bytes.
void send_bytes(std::uint16_t port, const std::string& bytes) {
  const int connected = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(connected, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  (void)send(connected, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  close(connected);
}

}  // namespace

TEST_CASE("four processes order operations of clients that do not sign, also after the primary is killed") {
  running_cluster cluster{"key-value", {"--request-authentication", "authenticator"}};
  REQUIRE(cluster.made().code == 0);
  REQUIRE(cluster.is_ready());
  CHECK(cluster.ask("submit", {"put", "name", "value"}).out == "ok\n");
  CHECK(cluster.ask("get", {"name"}).out == "value\n");
  const auto lines = cluster.ask("submit", {"--client", "1", "-"}, puts(300) + "get key-299\n");
  CHECK(lines.code == 0);
  CHECK(lines_in(lines.out) == 301);
  cluster.replica(0).send(SIGKILL);
  CHECK(cluster.ask("submit", {"put", "name", "other"}).out == "ok\n");
  CHECK(cluster.ask("get", {"name"}).out == "other\n");
  cluster.start(0);
  CHECK(eventually([&] { return cluster.ask("submit", {"--client", "2", "put", "again", "1"}).out == "ok\n"; }));
}

TEST_CASE("four processes order the operations of a client, report their status, and stop cleanly") {
  running_cluster cluster;
  REQUIRE(cluster.made().code == 0);
  REQUIRE(cluster.is_ready());

  CHECK(cluster.ask("submit", {"put", "name", "value"}).out == "ok\n");
  CHECK(cluster.ask("get", {"name"}).out == "value\n");
  const auto read = cluster.ask("get", {"--mode", "committed", "-o", "json", "name"});
  CHECK(nlohmann::json::parse(read.out)["result"] == "value");
  const auto refused = cluster.ask("submit", {"increment", "name"});
  CHECK(refused.code == 1);
  const auto lines = cluster.ask("submit", {"--client", "1", "--bundle", "16", "-"}, puts(500) + "get key-499\n");
  CHECK(lines.code == 0);
  CHECK(lines_in(lines.out) == 501);
  CHECK(lines.out.ends_with("\n499\n"));

  CHECK(eventually([&] {
    const auto told = status_of(cluster);
    return told["reachable"] == 4 && told["level"] == true && told["replicas"][0]["last_executed"] > 0;
  }));
  const auto told = status_of(cluster);
  CHECK(told["diverged"] == false);
  // A starved machine may have suspected replica 0, so any replica may be the primary.
  int primaries = 0;
  for (const auto& replica : told["replicas"]) {
    CHECK(replica["state_root"] == told["replicas"][0]["state_root"]);
    if (replica["primary"] == true) ++primaries;
  }
  CHECK(primaries == 1);
  CHECK(cluster.ask("status", {}).code == 0);

  for (std::uint32_t number = 0; number < 4; ++number)
    cluster.replica(number).send(SIGTERM);
  for (std::uint32_t number = 0; number < 4; ++number)
    CHECK(cluster.replica(number).wait() == 0);
}

TEST_CASE("a backup that is killed under load loses no acknowledgement") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  constexpr std::size_t operations = 4'000;
  const scratch_folder folder;
  write_text(folder / "in", puts(operations));
  process_streams streams{folder / "in", folder / "out", folder / "err", {}};
  process load{{"submit", "--cluster", cluster.directory(), "--timeout", "60", "-"}, streams};
  CHECK(eventually([&] { return load.has_ended() || lines_in(text_of(folder / "out")) > operations / 10; }));
  cluster.replica(3).send(SIGKILL);
  CHECK(cluster.replica(3).wait() == 1'000 + SIGKILL);
  CHECK(load.wait() == 0);
  CHECK(lines_in(text_of(folder / "out")) == operations);
  const auto told = status_of(cluster);
  CHECK(told["reachable"] == 3);
  CHECK(told["has_quorum"] == true);
  CHECK(cluster.ask("status", {}).code == 0);
}

TEST_CASE("status of fewer than a quorum gives exit code 3") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  for (const std::uint32_t number : {2U, 3U}) {
    cluster.replica(number).send(SIGKILL);
    (void)cluster.replica(number).wait();
  }
  const auto status = cluster.ask("status", {});
  CHECK(status.code == 3);
  CHECK(status.out.find("unreachable") != std::string::npos);
  CHECK(cluster.ask("submit", {"--timeout", "1", "put", "a", "1"}).code == 3);
}

TEST_CASE("garbage at every port is counted and disturbs no client") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"put", "before", "1"}).out == "ok\n");
  const auto before = status_of(cluster);
  std::string garbage(4'096, '\0');
  for (std::size_t index = 0; index < garbage.size(); ++index)
    garbage[index] = static_cast<char>(index * 131 + 7);
  constexpr std::uint64_t rounds = 20;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    for (std::uint32_t number = 0; number < 4; ++number)
      send_bytes(cluster.port_of(number), garbage);
  }
  CHECK(cluster.ask("submit", {"put", "after", "2"}).out == "ok\n");
  CHECK(cluster.ask("get", {"before"}).out == "1\n");
  CHECK(eventually([&] {
    const auto told = status_of(cluster);
    for (std::size_t number = 0; number < 4; ++number) {
      if (told["replicas"][number]["reachable"] != true) return false;
      if (closed_links(told["replicas"][number]) < closed_links(before["replicas"][number]) + rounds) return false;
    }
    return true;
  }));
  for (std::uint32_t number = 0; number < 4; ++number)
    CHECK_FALSE(cluster.replica(number).has_ended());
}

TEST_CASE("two replicas cannot listen at one port: the second reports it and exits") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const auto second = run({"start", "--config", cluster.directory() + "/replica-0/node.toml"});
  CHECK(second.code == 1);
  CHECK(second.err.find("error:") != std::string::npos);
  CHECK(cluster.ask("submit", {"put", "still", "here"}).out == "ok\n");
}

}  // namespace hypermesh::testing::cli_test
