#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

std::string line_with(const fs::path& file, const std::string& part) {
  std::ifstream in{file};
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    if (has(line, part)) return ":" + std::to_string(number) + ":";
  }
  return "no such line";
}

}  // namespace

TEST_CASE("wrong usage gives exit code 2, a message on stderr and nothing on stdout") {
  for (const auto& arguments :
       {words{}, words{"no-such-command"}, words{"demo", "--operations", "many"}, words{"start"}, words{"submit"},
        words{"submit", "put", "a", "1"}, words{"config"}, words{"status", "--cluster", "no/such/directory"},
        words{"demo", "--lose-disk"}, words{"demo", "--endure", "100", "--absent-for", "100"},
        words{"demo", "--endure", "100", "--kill-all-every", "2s"}, words{"init", "x", "--replicas", "3"},
        words{"replay", "--nodes", "only-one.csv"}, words{"replay", "--operations", "1", "--cluster", ""},
        words{"get", "--cluster=", "a"}, words{"replay", "--seed", "99999999999999999999999999"},
        words{"replay", "--cluster", "x", "--kill-primary-every", "2s"}}) {
    const auto result = run(arguments);
    CAPTURE(arguments.size());
    CAPTURE(result.err);
    CHECK(result.code == 2);
    CHECK(result.out.empty());
    CHECK(has(result.err, "error:"));
  }
}

TEST_CASE("every command has a help text with examples") {
  for (const auto* command : {"demo", "init", "keygen", "start", "submit", "get", "status", "replay"}) {
    const auto result = run({command, "--help"});
    CAPTURE(command);
    CHECK(result.code == 0);
    CHECK(has(result.out, "Example"));
    CHECK(has(result.out, std::string{"hypermesh "} + command));
  }
}

TEST_CASE("a key file is created once, and readable by its owner only") {
  const scratch_folder folder;
  const auto file = (folder / "secret.key").string();
  const auto made = run({"keygen", file});
  CHECK(made.code == 0);
  CHECK(made.out.size() == 65);
  CHECK((fs::status(file).permissions() & fs::perms::mask) == (fs::perms::owner_read | fs::perms::owner_write));
  const auto before = text_of(file);
  const auto again = run({"keygen", file});
  CHECK(again.code == 1);
  CHECK(again.out.empty());
  CHECK(has(again.err, file));
  CHECK(text_of(file) == before);
}

TEST_CASE("init leaves a directory with files unchanged") {
  const scratch_folder folder;
  write_text(folder / "mine", "precious");
  const auto result = run({"init", folder.path().string()});
  CHECK(result.code == 1);
  CHECK(has(result.err, folder.path().string()));
  CHECK(text_of(folder / "mine") == "precious");
  CHECK(std::distance(fs::directory_iterator{folder.path()}, fs::directory_iterator{}) == 1);
}

TEST_CASE("the files of a new cluster pass config check") {
  const scratch_folder folder;
  const auto root = folder / "cluster";
  REQUIRE(run({"init", root.string()}).code == 0);
  const auto result = run({"config", "check", (root / "genesis.toml").string(), (root / "replica-0/node.toml").string(),
                           (root / "client-0/client.toml").string()});
  CAPTURE(result.err);
  CHECK(result.code == 0);
  CHECK(has(result.out, "genesis ok"));
  CHECK(has(result.out, "node ok"));
  CHECK(has(result.out, "client ok"));
}

TEST_CASE("config check names every problem of every file with its line") {
  const scratch_folder folder;
  const auto root = folder / "cluster";
  REQUIRE(run({"init", root.string()}).code == 0);
  const auto genesis = root / "genesis.toml";
  const auto node = root / "replica-1/node.toml";
  const auto client = root / "client-0/client.toml";
  fs::copy_file(genesis, root / "broken.toml");
  edit(root / "broken.toml", "checkpoint_period = 128", "checkpoint_period = 0");
  edit(root / "broken.toml", "127.0.0.1:7401", "nowhere");
  edit(node, "mode = \"sync\"", "mode = \"papyrus\"\nspeed = 9");
  edit(client, "client = 0", "client = 77");
  const auto result = run({"config", "check", (root / "broken.toml").string(), node.string(), client.string()});
  CAPTURE(result.err);
  CHECK(result.code == 2);
  CHECK(has(result.err, "broken.toml" + line_with(root / "broken.toml", "checkpoint_period")));
  CHECK(has(result.err, "broken.toml" + line_with(root / "broken.toml", "nowhere")));
  CHECK(has(result.err, "node.toml" + line_with(node, "papyrus")));
  CHECK(has(result.err, "node.toml" + line_with(node, "speed")));
  CHECK(has(result.err, "client.toml" + line_with(client, "77")));
}

TEST_CASE("a node refuses a secret key that others can read, and prints how to protect it") {
  const scratch_folder folder;
  const auto root = folder / "cluster";
  REQUIRE(run({"init", root.string()}).code == 0);
  const auto key = root / "replica-0/secret.key";
  fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read | fs::perms::others_read);
  const auto result = run({"start", "--config", (root / "replica-0/node.toml").string()});
  CHECK(result.code != 0);
  CHECK(result.out.empty());
  CHECK(has(result.err, "chmod"));
  CHECK(has(result.err, key.filename().string()));
}

TEST_CASE("submitting to a stopped cluster times out with exit code 3") {
  const scratch_folder folder;
  const auto root = (folder / "cluster").string();
  REQUIRE(run({"init", root, "--first-port", std::to_string(free_port_row(4))}).code == 0);
  const auto submitted = run({"submit", "--cluster", root, "--timeout", "1", "put", "a", "1"});
  CHECK(submitted.code == 3);
  CHECK(submitted.out.empty());
  CHECK(has(submitted.err, "error:"));
  CHECK(run({"get", "--cluster", root, "--timeout", "1", "--mode", "committed", "a"}).code == 3);
  const auto status = run({"status", "--cluster", root, "--timeout", "1", "-o", "json"});
  CHECK(status.code == 3);
  const auto told = nlohmann::json::parse(status.out);
  CHECK(told["reachable"] == 0);
  CHECK(told["has_quorum"] == false);
  CHECK(told["replicas"].size() == 4);
}

TEST_CASE("an unknown operation gives exit code 2 and a list of the operations") {
  const scratch_folder folder;
  const auto root = (folder / "cluster").string();
  REQUIRE(run({"init", root}).code == 0);
  const auto result = run({"submit", "--cluster", root, "fly", "away"});
  CHECK(result.code == 2);
  CHECK(has(result.err, "put KEY VALUE"));
}

}  // namespace hypermesh::testing::cli_test
