#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

/// Tests how the commands react to unusual files, directories and addresses of an operator.
namespace hypermesh::testing::cli_test {

namespace {

/// A cluster whose replicas do not run.
struct resting_cluster {
  scratch_folder folder;
  fs::path root = folder / "cluster";
  std::uint16_t first_port = free_port_row(4);

  resting_cluster() { REQUIRE(run({"init", root.string(), "--first-port", std::to_string(first_port)}).code == 0); }

  [[nodiscard]] fs::path node_file() const { return root / "replica-0" / "node.toml"; }
  [[nodiscard]] finished start() const { return run({"start", "--config", node_file().string()}); }
};

}  // namespace

TEST_CASE("init creates no file for an empty argument or for a value that it could not read back") {
  const scratch_folder folder;
  const auto target = (folder / "cluster").string();
  for (const auto& arguments :
       {words{"init", ""}, words{"init", target, "--host", "\"x\""}, words{"init", target, "--host", "a b"},
        words{"init", target, "--host", "[::1"}, words{"init", target, "--host", ""},
        words{"init", target, "--host", "0.0.0.0"}, words{"init", target, "--name", "\x1b[31m"},
        words{"init", target, "--name", "\xff"}, words{"init", target, "--name", "a\nb"},
        words{"init", target, "--name", ""}, words{"init", target, "--first-port", "0"},
        words{"init", target, "--first-port", "65534"}}) {
    const auto result = run(arguments);
    CAPTURE(arguments.back());
    CAPTURE(result.err);
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK_FALSE(has(result.err, "\x1b"));
    CHECK_FALSE(fs::exists(target));
    CHECK_FALSE(fs::exists("genesis.toml"));
  }
}

TEST_CASE("init names a state machine that a host brings, and the commands that do not know it refuse it") {
  const scratch_folder folder;
  const auto root = folder / "cluster";
  const auto target = root.string();
  for (const auto& arguments : {words{"init", target, "--host-machine", ""}, words{"init", target, "--machine", "bank"},
                                words{"init", target, "--host-machine", "bank", "--machine", "scheduler"}}) {
    CAPTURE(arguments.back());
    CHECK(run(arguments).code == 2);
    CHECK_FALSE(fs::exists(root));
  }
  const auto port = std::to_string(free_port_row(4));
  const auto made = run({"init", target, "--host-machine", "bank", "--first-port", port});
  REQUIRE(made.code == 0);
  CHECK(has(made.err, "consensus_manager::start"));
  CHECK_FALSE(has(made.err, "hypermesh start"));
  const auto checked = run({"config", "check", (root / "genesis.toml").string()});
  CHECK(checked.code == 0);
  CHECK(has(checked.err, "'bank' is none of this program"));
  CHECK(run({"config", "check", (root / "replica-0/node.toml").string()}).code == 0);
  for (const auto& arguments :
       {words{"start", "--config", (root / "replica-0/node.toml").string()}, words{"get", "--cluster", target, "key"},
        words{"submit", "--cluster", target, "put", "key", "value"}, words{"submit", "--cluster", target, "-"}}) {
    const auto refused = run(arguments);
    CAPTURE(arguments.front());
    CAPTURE(refused.err);
    CHECK(refused.code == 2);
    CHECK(refused.out.empty());
    CHECK(has(refused.err, "bank"));
    CHECK((has(refused.err, "the host application's own machine") || has(refused.err, "consensus_client")));
  }
}

TEST_CASE("a cluster with an unusual name is read by every command") {
  const scratch_folder folder;
  const auto root = folder / "cluster";
  const auto port = std::to_string(free_port_row(4));
  REQUIRE(run({"init", root.string(), "--name", "the \"best\" \\ one", "--first-port", port}).code == 0);
  const auto node = (root / "replica-0/node.toml").string();
  CHECK(run({"config", "check", (root / "genesis.toml").string(), node}).code == 0);
  process replica{{"start", "--config", node}, {"/dev/null", folder / "out", folder / "err", {}}};
  CHECK(eventually([&] { return has(text_of(folder / "out"), "ready replica=0") || replica.has_ended(); }));
  replica.send(SIGTERM);
  CHECK(replica.wait() == 0);
}

TEST_CASE_FIXTURE(resting_cluster, "a wrong key, directory, address or file is wrong configuration: exit code 2") {
  SUBCASE("the key of another replica") {
    fs::copy_file(root / "replica-1/secret.key", root / "replica-0/secret.key", fs::copy_options::overwrite_existing);
    CHECK(has(start().err, "belongs to replica-1"));
  }
  SUBCASE("no key") { fs::remove(root / "replica-0/secret.key"); }
  SUBCASE("the directory of another replica") {
    edit(node_file(), "directory = \"data\"", "directory = \"../replica-1/data\"");
    CHECK(has(start().err, "belongs to replica 1"));
  }
  SUBCASE("an empty directory") {
    fs::remove(root / "replica-0/data/node.identity");
    CHECK(has(start().err, "mount its disk"));
  }
  SUBCASE("an address of another machine") {
    edit(node_file(), "# listen = \"*:7400\"", "listen = \"192.0.2.1:7400\"");
    CHECK(has(start().err, "no interface of this machine has this address"));
    CHECK_FALSE(has(start().err, "ss -ltnp"));
  }
  SUBCASE("a host name that does not resolve") {
    edit(node_file(), "# listen = \"*:7400\"", "listen = \"no-such-host.invalid:7400\"");
    CHECK(has(start().err, "getent"));
    CHECK_FALSE(has(start().err, "ss -ltnp"));
  }
  SUBCASE("an IPv6 address without brackets") {
    edit(node_file(), "# listen = \"*:7400\"", "listen = \"2001:db8::20\"");
    CHECK(has(start().err, "[2001:db8::20]:7400"));
  }
  SUBCASE("a directory in place of the genesis") {
    fs::remove(root / "genesis.toml");
    fs::create_directory(root / "genesis.toml");
    CHECK(has(start().err, "is a directory"));
    CHECK_FALSE(has(start().err, "correct the lines"));
  }
  const auto result = start();
  CAPTURE(result.err);
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK(run({"config", "check", node_file().string()}).code != 1);
}

TEST_CASE_FIXTURE(resting_cluster, "a port that another process holds is not a configuration error") {
  process first{{"start", "--config", node_file().string()}, {"/dev/null", folder / "out", folder / "err", {}}};
  REQUIRE(eventually([&] { return has(text_of(folder / "out"), "ready replica=0"); }));
  edit(root / "replica-1/node.toml", "# listen = \"*:7400\"", "listen = \"*:" + std::to_string(first_port) + "\"");
  const auto result = run({"start", "--config", (root / "replica-1/node.toml").string()});
  CAPTURE(result.err);
  CHECK(result.code == 1);
  CHECK(has(result.err, "ss -ltnp"));
}

TEST_CASE_FIXTURE(resting_cluster, "config check reports all problems of a member and names them") {
  const auto genesis = root / "genesis.toml";
  const auto port = std::to_string(first_port);
  edit(genesis, "127.0.0.1:" + std::to_string(first_port + 1), "127.0.0.1:" + port);
  edit(genesis, "127.0.0.1:" + std::to_string(first_port + 2), "127.0.0.1:0");
  edit(node_file(), "directory = \"audit\"", "directory = \"data\"");
  edit(node_file(), "[batching]", "[batching]\nrequests_per_batch_max = 4\nrequests_per_batch_target = 5");
  fs::permissions(root / "replica-0/secret.key", fs::perms::others_read, fs::perm_options::add);
  const auto result = run({"config", "check", node_file().string()});
  CAPTURE(result.err);
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK(has(result.err, "replica 0 already has the address"));
  CHECK(has(result.err, "'127.0.0.1:0' has no port from 1 to 65535"));
  CHECK(has(result.err, "must not be the same, nor one inside the other"));
  CHECK(has(result.err, "'requests_per_batch_target' is 5"));
  CHECK(has(result.err, "chmod 600"));
}

TEST_CASE("swapped addresses are reported by the replica and the client that found them") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const auto swapped = fs::path{cluster.directory()} / "swapped.toml";
  fs::copy_file(fs::path{cluster.directory()} / "genesis.toml", swapped);
  const auto at = [&](std::uint32_t number) { return "127.0.0.1:" + std::to_string(cluster.port_of(number)); };
  edit(swapped, at(1), "127.0.0.1:1");
  edit(swapped, at(2), at(1));
  edit(swapped, "127.0.0.1:1\"", at(2) + "\"");
  for (const auto* member : {"replica-3/node.toml", "client-0/client.toml"})
    edit(fs::path{cluster.directory()} / member, "../genesis.toml", "../swapped.toml");

  cluster.replica(3).send(SIGTERM);
  CHECK(cluster.replica(3).wait() == 0);
  cluster.start(3);
  const words as_another{"--client", "1"};
  CHECK(eventually([&] {
    const auto status = cluster.ask("status", as_another).err;
    return has(status, "replica-3 dialed the address of replica 1 and reached replica 2") &&
           has(status, "replica-3 dialed the address of replica 2 and reached replica 1");
  }));
  CHECK(eventually([&] { return has(text_of(cluster.err_of(3)), "the address of replica 1 reaches replica 2"); }));
  const auto told = nlohmann::json::parse(cluster.ask("status", {"--client", "1", "-o", "json"}).out);
  REQUIRE(told["wrong_addresses"].size() == 2);
  CHECK(told["wrong_addresses"][0]["seen_by"] == "replica-3");
  CHECK(told["wrong_addresses"][0]["replica"] == 1);
  CHECK(told["wrong_addresses"][0]["answers_as"] == 2);
  const auto own = cluster.ask("status", {});
  CAPTURE(own.err);
  CHECK(has(own.err, "client-0 dialed the address of replica 2 and reached replica 1"));
}

TEST_CASE("a replay into a cluster that is not empty fails and names the refused operations") {
  running_cluster cluster{"scheduler"};
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("replay", {"--operations", "300"}).code == 0);
  const auto second = cluster.ask("replay", {"--operations", "300"});
  CAPTURE(second.out);
  CHECK(second.code == 1);
  CHECK_FALSE(has(second.out, "✓"));
  CHECK(has(second.out, "operations were refused, the first: register node"));
  const auto third = cluster.ask("replay", {"--operations", "300", "-o", "json"});
  const auto told = nlohmann::json::parse(third.out);
  CHECK(told["verdict"]["right"] == false);
  CHECK(told["results"]["refused"].get<std::uint64_t>() > 0);
}

TEST_CASE("a replay accepts the pod lists of the public trace that lack six columns") {
  const scratch_folder folder;
  write_text(folder / "nodes.csv", "sn,cpu_milli,memory_mib,gpu,model\nn,8000,8000,2,G2\n");
  write_text(folder / "pods.csv",
             "name,cpu_milli,memory_mib,num_gpu,gpu_milli\np,1000,1000,1,500\nq,1000,1000,2,1000\n");
  const words files{"replay", "--nodes", (folder / "nodes.csv").string(), "--pods", (folder / "pods.csv").string()};
  const auto result = run(files);
  CAPTURE(result.err);
  CHECK(result.code == 0);
  CHECK(has(result.out, "2 submitted, 1 placed, 1 queued"));
  write_text(folder / "pods.csv", "name,cpu_milli,cpu_milli\np,1,1\n");
  const auto twice = run(files);
  CHECK(twice.code == 2);
  CHECK(has(twice.err, "duplicate column"));
}

TEST_CASE("a short endurance run reports operations and rate for every tenth") {
  const auto result = run({"demo", "--endure", "30", "-o", "json"});
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  const auto told = nlohmann::json::parse(result.out);
  REQUIRE(told["tenths"].size() == 10);
  for (std::size_t part = 0; part < 10; ++part) {
    const auto& tenth = told["tenths"][part];
    CAPTURE(part);
    CHECK(tenth["answered"] == 3 * (part + 1));
    CHECK(tenth["operations_per_second"].get<double>() > 0);
    CHECK(tenth["latency_us"]["p50"].get<std::uint64_t>() > 0);
  }
}

}  // namespace hypermesh::testing::cli_test
