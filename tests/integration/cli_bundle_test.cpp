// `hypermesh bundle`: it contains what a maintainer needs, and no secret, wherever one is.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "runtime/base/keys.hpp"
#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// Unpacks the bundle with the system's tar and returns all files, names and contents, as one text.
std::string unpacked(const fs::path& bundle, const fs::path& into) {
  fs::create_directory(into);
  const auto command = "tar -xzf '" + bundle.string() + "' -C '" + into.string() + "'";
  REQUIRE(std::system(command.c_str()) == 0);
  std::string all;
  for (const auto& entry : fs::recursive_directory_iterator{into}) {
    all += entry.path().string() + "\n";
    if (entry.is_regular_file()) all += text_of(entry.path());
  }
  return all;
}

/// The secret key in the file of a member, in hexadecimal.
std::string seed_in(const fs::path& key_file) {
  const auto text = text_of(key_file);
  const auto digits = text.substr(0, text.find_last_not_of('\n') + 1);
  return digits.substr(digits.find_last_of('\n') + 1);
}

void append(const fs::path& file, const std::string& text) { std::ofstream{file, std::ios::app} << text; }

}  // namespace

TEST_CASE("a bundle has no key, token or password, wherever one was planted, also if the configuration is broken") {
  for (const bool is_broken : {false, true}) {
    CAPTURE(is_broken);
    const scratch_folder folder;
    const auto root = folder / "cluster";
    REQUIRE(run({"init", root.string(), "--first-port", std::to_string(free_port_row(4))}).code == 0);
    const auto node = root / "replica-0";
    const auto seed = seed_in(node / "secret.key");
    const auto client_seed = seed_in(root / "client-0/secret.key");
    const std::string token = "planted-token-0123456789";
    const std::string password = "planted-password";
    REQUIRE(seed.size() == 64);
    write_text(node / "token", token + "\n");
    fs::permissions(node / "token", fs::perms::owner_read | fs::perms::owner_write);
    edit(node / "node.toml", "# enabled = false",
         "enabled = true\ntoken_file = \"token\"\n# " + seed + " " + token + (is_broken ? "\nbroken = [" : ""));
    append(root / "genesis.toml",
           "\n# the operator noted " + seed + " and " + token + "\n# password = " + password + "\n");
    write_text(node / "data" / ("file-" + seed), token);
    write_text(node / "data" / token, seed);
    write_text(folder / "node.log", "started with token=" + token + "\nalso " + token + "\nseed " + client_seed +
                                        "\npassword: \"" + password + "\"\nAuthorization: Bearer " + token + "\n" +
                                        text_of(node / "secret.key") +
                                        "-----BEGIN PRIVATE KEY-----\nplanted-pem\n-----END PRIVATE KEY-----\n");

    const auto bundle = folder / "out.tar.gz";
    const auto result = run({"bundle", "--cluster", root.string(), "--timeout", "200ms", "--log",
                             (folder / "node.log").string(), "-o", bundle.string()});
    CAPTURE(result.err);
    REQUIRE(result.code == 0);
    const auto all = unpacked(bundle, folder / "unpacked") + result.out + result.err;
    std::string upper = seed;
    for (auto& each : upper)
      each = static_cast<char>(std::toupper(each));
    for (const auto& secret : {seed, upper, client_seed, token, password, std::string{"planted-pem"}}) {
      CAPTURE(secret);
      CHECK_FALSE(has(all, secret));
    }
    CHECK(has(all, "[left out]"));
    CHECK(has(all, "started with token="));
    CHECK(has(all, "node-0-replica-0/data-files.txt") == !is_broken);
    CHECK((fs::status(bundle).permissions() & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
  }
}

TEST_CASE("a bundle of a running cluster has status, configuration, files and trails, and says what is missing") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"put", "a", "1"}).code == 0);
  cluster.replica(3).send(SIGKILL);
  (void)cluster.replica(3).wait();
  const scratch_folder folder;
  const auto bundle = folder / "out.tar.gz";
  const auto result = cluster.ask("bundle", {"-o", bundle.string(), "--report", "json"});
  CAPTURE(result.err);
  REQUIRE(result.code == 0);
  const auto report = nlohmann::json::parse(result.out);
  std::string files;
  for (const auto& each : report["files"])
    files += each["name"].get<std::string>() + "\n";
  for (const auto* part : {"build.txt", "machine.txt", "cluster/genesis.toml", "cluster/status.json",
                           "cluster/rates.json", "cluster/report-0.txt", "config.txt", "data-files.txt", "audit.txt"}) {
    CAPTURE(part);
    CHECK(has(files, part));
  }
  CHECK(has(report["missing"].dump(), "counters of replica 3"));
  CHECK(has(report["missing"].dump(), "HTTP server is off"));
  const auto all = unpacked(bundle, folder / "unpacked");
  CHECK(has(all, "views.request_timeout_us = 1000000  # default"));
  CHECK(has(all, "key_file = [left out]"));
  CHECK(has(all, "\"has_quorum\": true"));
  CHECK(has(all, "The newest "));
  CHECK(has(all, "open files: "));

  const auto again = cluster.ask("bundle", {"-o", bundle.string()});
  CHECK(again.code == 1);
  CHECK(has(again.err, "exists already"));
}

TEST_CASE("a bundle is made of one node's files without a client, and not without anything") {
  const scratch_folder folder;
  const auto root = folder / "cluster";
  REQUIRE(run({"init", root.string(), "--first-port", std::to_string(free_port_row(4))}).code == 0);
  const auto result =
      run({"bundle", "--node", (root / "replica-1/node.toml").string(), "-o", (folder / "a.tgz").string()});
  CHECK(result.code == 0);
  CHECK(has(result.out, "node-1-replica-1/config.txt"));
  CHECK(has(result.out, "missing: status of the cluster: no client was given"));
  CHECK(run({"bundle", "-o", (folder / "b.tgz").string()}).code == 2);
  CHECK_FALSE(fs::exists(folder / "b.tgz"));
  CHECK(run({"bundle", "--node", "no/such/file", "-o", (folder / "no/folder/c.tgz").string()}).code == 1);
}

}  // namespace hypermesh::testing::cli_test
