#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

/// Tests `hypermesh config explain`, `print-default`, `print-effective` and `print-reference`.
namespace hypermesh::testing::cli_test {

namespace {

using nlohmann::json;

/// A cluster whose replicas do not run.
struct configured_cluster {
  scratch_folder folder;
  fs::path root = folder / "cluster";

  configured_cluster() { REQUIRE(run({"init", root.string()}).code == 0); }

  [[nodiscard]] std::string node_file() const { return (root / "replica-0" / "node.toml").string(); }
};

/// The entry of a key in the output of a command.
json entry_of(const json& printed, const std::string& key) {
  for (const auto& each : printed["keys"]) {
    if (each["key"] == key) return each;
  }
  return {};
}

}  // namespace

TEST_CASE("config explain prints unit, bounds, default and purpose of a key") {
  const auto one = run({"config", "explain", "links.client_links_max"});
  CHECK(one.code == 0);
  CHECK(one.err.empty());
  for (const auto* part : {"links.client_links_max", "node.toml", "links", "64 to 65,536", "1,024", "Open links"})
    CHECK(has(one.out, part));
  const auto both = run({"config", "explain", "retain_mib"});
  CHECK(has(both.out, "storage.retain_mib"));
  CHECK(has(both.out, "audit.retain_mib"));
  const auto table = run({"config", "explain", "views", "-o", "json"});
  CHECK(json::parse(table.out)["keys"].size() == 4);
  const auto mode = entry_of(json::parse(run({"config", "explain", "mode", "-o", "json"}).out), "storage.mode");
  CHECK(mode["words"] == json{"sync", "async", "memory"});
  CHECK(mode["default"] == "sync");
  CHECK(mode["minimum"].is_null());
}

TEST_CASE("config explain suggests the nearest key, and the new name of an old key") {
  const auto near = run({"config", "explain", "links.client_link_max"});
  CHECK(near.code == 2);
  CHECK(near.out.empty());
  CHECK(has(near.err, "unknown key 'links.client_link_max'; did you mean 'links.client_links_max'?"));
  CHECK(has(run({"config", "explain", "checkpoint_perod"}).err, "did you mean 'checkpoint_period'?"));
  CHECK(has(run({"config", "explain", "veiws"}).err, "did you mean 'views'?"));
  const auto old = run({"config", "explain", "periods.checkpoint_us"});
  CHECK(old.code == 2);
  CHECK(has(old.err, "is now called 'periods.checkpoint_resend_us'"));
  const auto far = run({"config", "explain", std::string(100'000, 'z')});
  CHECK(far.code == 2);
  CHECK(far.err.size() < 1'000);
  CHECK(has(far.err, "unknown key"));
}

TEST_CASE_FIXTURE(configured_cluster, "config print-default is a file that works") {
  const auto printed = run({"config", "print-default"});
  CHECK(printed.code == 0);
  CHECK(has(printed.out, "\n[links]\n"));
  CHECK(has(printed.out, "\nclient_links_max = 1024\n"));
  write_text(node_file(), printed.out);
  CHECK(run({"config", "check", node_file()}).code == 0);
  const auto all = json::parse(run({"config", "print-default", "-o", "json"}).out);
  const auto resend = entry_of(all, "periods.checkpoint_resend_us");
  CHECK(resend["unit"] == "µs");
  CHECK(resend["default"] == 500'000);
  CHECK(resend["minimum"] == 1'000);
  CHECK(entry_of(all, "cluster.checkpoint_period")["file"] == "genesis.toml");
  CHECK(entry_of(all, "links.links_per_client_max")["bounded_by"]["key"] == "links.client_links_max");
}

TEST_CASE_FIXTURE(configured_cluster, "config print-effective prints the value of each key and its origin") {
  edit(node_file(), "# client_links_max = 1024", "client_links_max = 500");
  const auto table = run({"config", "print-effective", node_file(), "--show-origin"});
  CHECK(table.code == 0);
  CHECK(has(table.out, "links.handshakes_max"));
  CHECK(has(table.out, node_file() + ":"));
  CHECK(has(table.out, "default"));
  const auto plain = run({"config", "print-effective", node_file()});
  CHECK(has(plain.out, "500"));
  CHECK_FALSE(has(plain.out, node_file() + ":"));
  const auto with = json::parse(run({"config", "print-effective", node_file(), "--show-origin", "-o", "json"}).out);
  const auto changed = entry_of(with, "links.client_links_max");
  CHECK(changed["value"] == 500);
  CHECK(changed["origin"]["kind"] == "file");
  CHECK(changed["origin"]["file"] == node_file());
  const auto line = changed["origin"]["line"].get<int>();
  std::ifstream in{node_file()};
  std::string text;
  for (int number = 0; number < line; ++number)
    std::getline(in, text);
  CHECK(text == "client_links_max = 500");
  CHECK(entry_of(with, "links.handshakes_max")["origin"]["kind"] == "default");
  CHECK(entry_of(with, "links.handshakes_max")["origin"]["line"].is_null());
  CHECK(entry_of(with, "audit.enabled")["value"] == true);
  CHECK(has(entry_of(with, "cluster.checkpoint_period")["origin"]["file"].get<std::string>(), "genesis.toml"));
  const auto without = json::parse(run({"config", "print-effective", node_file(), "-o", "json"}).out);
  CHECK_FALSE(entry_of(without, "links.client_links_max").contains("origin"));
}

TEST_CASE_FIXTURE(configured_cluster,
                  "config print-effective of a wrong file reports its problems and prints nothing") {
  edit(node_file(), "# client_links_max = 1024", "client_links_max = 5");
  edit(node_file(), "mode = \"sync\"", "mode = \"\\u001b[31m\"");
  const auto result = run({"config", "print-effective", node_file(), "--show-origin", "-o", "json"});
  CHECK(result.code == 2);
  CHECK(result.out.empty());
  CHECK(has(result.err, "'client_links_max' must be a whole number from 64 to 65536"));
  CHECK(has(result.err, "has the unknown value"));
  CHECK_FALSE(has(result.err, "\x1b"));
}

TEST_CASE("config print-reference prints the reference of the repository") {
  const auto printed = run({"config", "print-reference"});
  CHECK(printed.code == 0);
  CHECK(printed.out == text_of(fs::path{HYPERMESH_SOURCE_DIR} / "runtime" / "CONFIGURATION.md"));
}

}  // namespace hypermesh::testing::cli_test
