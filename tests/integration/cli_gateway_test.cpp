// `hypermesh gateway` as its users run it: real replicas, a real gateway, and clients that speak RESP.
#include <doctest/doctest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"
#include "tests/integration/gateway_process.hpp"
#include "tests/tools/json_schema.hpp"
#include "tools/hypermesh-lab/resp_client.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// The commands INCR of a pipeline, without waiting for their replies.
void send_increments(lab::resp_client& client, const std::string& key, int count) {
  std::string bytes;
  for (int number = 0; number < count; ++number)
    bytes += "INCR " + key + "\r\n";
  REQUIRE(client.send_bytes(bytes));
}

}  // namespace

TEST_CASE("a gateway keeps the order of each connection, in pipelines and in transactions") {
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  running_gateway gateway{cluster, 0};
  lab::resp_client client{gateway.port()};
  REQUIRE(client.is_open());
  CHECK(client.ask({"SET", "a", "1"}) == "+OK");
  CHECK(client.ask({"GET", "a"}) == "$1");
  CHECK(client.ask({"GET", "no-such-key"}) == "$-1");
  CHECK(client.ask({"LPUSH", "a", "x"}) == "-WRONGTYPE Operation against a key holding the wrong kind of value");

  constexpr int increments = 2'000;
  lab::resp_client second{gateway.port()};
  send_increments(client, "mine", increments);
  send_increments(second, "other", increments);
  for (int number = 1; number <= increments; ++number) {
    REQUIRE(client.receive() == ":" + std::to_string(number));
    REQUIRE(second.receive() == ":" + std::to_string(number));
  }

  CHECK(client.ask({"MULTI"}) == "+OK");
  CHECK(client.ask({"INCR", "mine"}) == "+QUEUED");
  CHECK(client.ask({"GET", "mine"}) == "+QUEUED");
  CHECK(client.ask({"EXEC"}) == "[:2001, $2001]");
  // A key that another connection changes makes EXEC fail, and one that it does not change lets it pass.
  CHECK(client.ask({"WATCH", "mine"}) == "+OK");
  CHECK(second.ask({"INCR", "mine"}) == ":2002");
  CHECK(client.ask({"MULTI"}) == "+OK");
  CHECK(client.ask({"SET", "mine", "0"}) == "+QUEUED");
  CHECK(client.ask({"EXEC"}) == "*-1");
  CHECK(client.ask({"GET", "mine"}) == "$2002");
  REQUIRE(client.send_bytes("WATCH mine\r\nMULTI\r\nINCR mine\r\nEXEC\r\nGET mine\r\n"));
  CHECK(client.receive() == "+OK");
  CHECK(client.receive() == "+OK");
  CHECK(client.receive() == "+QUEUED");
  CHECK(client.receive() == "[:2003]");
  CHECK(client.receive() == "$2003");

  // INFO knows the cluster some seconds after the start, and sees that a backup ends.
  const auto shows = [&client](const std::string& text) {
    return eventually([&] { return has(client.ask({"INFO", "hypermesh"}), text); });
  };
  CHECK(shows("hypermesh_members_answering:4\r\nhypermesh_view:0\r\nhypermesh_primary:0\r\n"));
  cluster.replica(3).send(SIGKILL);
  CHECK(shows("hypermesh_members_answering:3\r\n"));

  gateway.running().send(SIGTERM);
  CHECK(gateway.running().wait() == 0);
  CHECK(has(gateway.err(), "0 outcomes are unknown"));
}

TEST_CASE("a pipeline whose replies exceed a bundle loses no element that it removes") {
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  constexpr int elements = 30;
  for (const bool expects_small_replies : {false, true}) {
    CAPTURE(expects_small_replies);
    running_gateway gateway{cluster, 0};
    lab::resp_client client{gateway.port()};
    for (int number = 0; number < elements; ++number) {
      const auto length = client.ask({"RPUSH", "list", std::to_string(100 + number) + std::string(100'000, 'x')});
      REQUIRE(length == ":" + std::to_string(number + 1));
    }
    if (expects_small_replies) CHECK(client.ask({"LPOP", "no-such-list"}) == "$-1");
    std::string pipeline;
    for (int number = 0; number < elements; ++number)
      pipeline += "LPOP list\r\n";
    REQUIRE(client.send_bytes(pipeline + "LRANGE list 0 1\r\n"));
    int returned = 0;
    int refused = 0;
    for (int number = 0; number < elements; ++number) {
      const auto reply = client.receive().value_or("gone");
      if (reply.starts_with("-TRYAGAIN this command was not executed")) {
        ++refused;
        continue;
      }
      CHECK(reply.substr(0, 4) == "$" + std::to_string(100 + returned));
      ++returned;
    }
    CHECK(client.receive().has_value());
    CHECK(returned + refused == elements);
    CHECK(client.ask({"LLEN", "list"}) == ":" + std::to_string(refused));
    // A gateway that knows nothing of the replies sends one command after another.
    if (!expects_small_replies) CHECK(refused == 0);
    MESSAGE(refused << " of " << elements << " commands were not executed");
    CHECK(has(client.ask({"INFO", "stats"}), "hypermesh_replies_lost:0\r\n"));
    CHECK((client.ask({"DEL", "list"}).starts_with(":")));
  }
}

TEST_CASE("a primary that is killed during a pipeline loses no command, and executes none twice") {
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  running_gateway gateway{cluster, 0, {"--timeout", "60s"}};
  lab::resp_client client{gateway.port()};
  CHECK(client.ask({"INCR", "k"}) == ":1");
  constexpr int increments = 3'000;
  send_increments(client, "k", increments);
  for (int number = 2; number <= increments + 1; ++number) {
    if (number == 200) cluster.replica(0).send(SIGKILL);
    REQUIRE(client.receive() == ":" + std::to_string(number));
  }
  CHECK(client.ask({"GET", "k"}) == "$" + std::to_string(increments + 1));
}

TEST_CASE("a gateway that is killed loses nothing that it acknowledged, and another one serves the same data") {
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  running_gateway first{cluster, 0};
  running_gateway second{cluster, 1};
  running_gateway third{cluster, 1};
  lab::resp_client client{first.port()};
  lab::resp_client other{second.port()};
  lab::resp_client same_key{third.port()};
  CHECK(client.ask({"SET", "a", "1"}) == "+OK");
  // What one gateway has acknowledged, every other one shows.
  CHECK(other.ask({"GET", "a"}) == "$1");
  CHECK(same_key.ask({"INCR", "a"}) == ":2");
  constexpr int increments = 5'000;
  send_increments(client, "k", increments);
  int acknowledged = 0;
  while (acknowledged < 500 && client.receive() == ":" + std::to_string(acknowledged + 1))
    ++acknowledged;
  REQUIRE(acknowledged == 500);
  first.running().send(SIGKILL);
  while (client.receive() == ":" + std::to_string(acknowledged + 1))
    ++acknowledged;
  const auto count = other.ask({"GET", "k"});
  REQUIRE(count.starts_with("$"));
  CHECK(std::stoi(count.substr(1)) >= acknowledged);
  CHECK(std::stoi(count.substr(1)) <= increments);
}

TEST_CASE("without a quorum a command ends with TIMEOUT and its connection, and is executed once at most") {
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  running_gateway gateway{cluster, 0, {"--timeout", "1s"}};
  lab::resp_client client{gateway.port()};
  CHECK(client.ask({"INCR", "k"}) == ":1");
  cluster.replica(2).send(SIGKILL);
  cluster.replica(3).send(SIGKILL);
  REQUIRE(client.send_bytes("INCR k\r\nINCR k\r\nPING\r\n"));
  const auto reply = client.receive().value_or("gone");
  CHECK(reply.starts_with("-TIMEOUT"));
  CHECK(has(reply, "may still be executed"));
  CHECK_FALSE(client.receive());
  CHECK((cluster.replica(2).wait().has_value() && cluster.replica(3).wait().has_value()));
  cluster.start(2);
  cluster.start(3);
  const auto reads = [&] {
    lab::resp_client again{gateway.port()};
    return again.ask({"GET", "k"});
  };
  std::string value;
  CHECK(eventually([&] { return (value = reads()).starts_with("$"); }));
  // The session repeats what was sent, so both are executed before the read.
  CHECK(value == "$3");
}

TEST_CASE("a gateway with a password closes a connection that guesses") {
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  const scratch_folder folder;
  const auto file = folder / "password";
  write_text(file, "0123456789abcdef\nanother line\n");
  fs::permissions(file, fs::perms::owner_read);
  running_gateway gateway{cluster, 0, {"--password-file", file.string(), "--connections", "2"}};
  lab::resp_client client{gateway.port()};
  CHECK(client.ask({"GET", "a"}) == "-NOAUTH Authentication required.");
  CHECK(client.ask({"AUTH", "0123456789abcdef"}) == "+OK");
  CHECK(client.ask({"SET", "a", "1"}) == "+OK");
  {
    lab::resp_client guesser{gateway.port()};
    for (int count = 0; count < 3; ++count)
      CHECK(guesser.ask({"AUTH", "0123456789abcde"}).starts_with("-WRONGPASS"));
    CHECK(guesser.ask({"PING"}) == "gone");
  }
  lab::resp_client second{gateway.port()};
  CHECK(second.ask({"AUTH", "default", "0123456789abcdef"}) == "+OK");
  // The bound of connections.
  lab::resp_client third{gateway.port()};
  CHECK(third.receive() == "-ERR max number of clients reached");
  CHECK(client.ask({"GET", "a"}) == "$1");
}

TEST_CASE("the JSON of a gateway fits its schema") {
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  running_gateway gateway{cluster, 0, {"-o", "json"}};
  {
    lab::resp_client client{gateway.port()};
    CHECK(client.ask({"SET", "a", "1"}) == "+OK");
    CHECK(client.ask({"NOSUCH"}) == "-ERR unknown command 'NOSUCH', with args beginning with: ");
  }
  gateway.running().send(SIGTERM);
  CHECK(gateway.running().wait() == 0);
  const auto schema = nlohmann::json::parse(text_of(HYPERMESH_SOURCE_DIR "/tools/hypermesh/schema/gateway.json"));
  std::istringstream lines{gateway.out()};
  std::vector<nlohmann::json> documents;
  for (std::string line; std::getline(lines, line);) {
    documents.push_back(nlohmann::json::parse(line));
    CHECK(schema_checker{schema}.errors_of(documents.back()).empty());
  }
  REQUIRE(documents.size() == 2);
  CHECK(documents[0]["resp"] == "127.0.0.1:" + std::to_string(gateway.port()));
  CHECK(documents[1]["commands"] == 2);
  CHECK(documents[1]["operations"] == 1);
  CHECK(documents[1]["error_replies"] == 1);
}

TEST_CASE("a gateway refuses options that would expose it, and clusters of another machine") {
  const scratch_folder folder;
  const auto root = (folder / "cluster").string();
  REQUIRE(run({"init", root, "--machine", "redis"}).code == 0);
  const auto refused = [&](const words& more) {
    words all{"gateway", "--cluster", root};
    all.insert(all.end(), more.begin(), more.end());
    const auto done = run(all);
    CHECK(done.code == 2);
    CHECK(has(done.err, "fix:"));
    return done.err;
  };
  CHECK(has(refused({"--resp", "0.0.0.0:7001"}), "needs a password and TLS"));
  CHECK(has(refused({"--resp", "*:7001", "--password-file", (folder / "none").string()}), "needs TLS"));
  CHECK(has(refused({"--resp", "7001", "--tls-key", "x"}), "TLS needs a certificate and its key"));
  CHECK(has(refused({"--resp", "7001", "--password-file", (folder / "none").string()}), "none"));
  write_text(folder / "open", "0123456789abcdef0123\n");
  fs::permissions(folder / "open", fs::perms::all);
  CHECK(has(refused({"--resp", "7001", "--password-file", (folder / "open").string()}), "open"));
  CHECK(has(refused({"--resp", "host:port"}), "host:port"));
  const auto other = (folder / "other").string();
  REQUIRE(run({"init", other}).code == 0);
  const auto wrong = run({"gateway", "--cluster", other, "--resp", "7001"});
  CHECK(wrong.code == 2);
  CHECK(has(wrong.err, "serves only the machine 'redis'"));
}

}  // namespace hypermesh::testing::cli_test
