#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

std::vector<nlohmann::json> lines_of(const std::string& text) {
  std::vector<nlohmann::json> all;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);)
    all.push_back(nlohmann::json::parse(line));
  return all;
}

/// A cluster that has executed some operations, and the paths of replica 1.
struct audited_cluster {
  running_cluster cluster;
  std::string config = cluster.directory() + "/replica-1/node.toml";
  fs::path trail = fs::path{cluster.directory()} / "replica-1" / "audit";
  std::string genesis = cluster.directory() + "/genesis.toml";

  void submit(std::size_t count) { REQUIRE(cluster.ask("submit", {"-"}, puts(count)).code == 0); }
  nlohmann::json verdict(const words& more = {}) const {
    words arguments{"audit", "verify", "--config", config, "-o", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return nlohmann::json::parse(run(arguments).out);
  }
  void stop() {
    for (std::uint32_t number = 0; number < 4; ++number)
      cluster.replica(number).send(SIGTERM);
    for (std::uint32_t number = 0; number < 4; ++number)
      REQUIRE(cluster.replica(number).wait() == 0);
  }
};

}  // namespace

TEST_CASE("a replica's trail verifies offline with the genesis file alone, and an edit is found (attack 40)") {
  audited_cluster audited;
  REQUIRE(audited.cluster.is_ready());
  audited.submit(300);
  CHECK(eventually([&] { return audited.verdict()["entries_by_kind"]["committed"] > 0; }));
  CHECK(audited.verdict()["live"] == true);
  audited.stop();

  // The trail is verified in another folder that has neither keys nor a configuration.
  const scratch_folder elsewhere;
  fs::copy(audited.trail, elsewhere / "trail");
  fs::copy(audited.genesis, elsewhere / "genesis.toml");
  const auto trail = (elsewhere / "trail").string();
  const words verify{"audit", "verify", trail, "--genesis", (elsewhere / "genesis.toml").string()};
  const auto sound = run(verify);
  CAPTURE(sound.err);
  CHECK(sound.code == 0);
  CHECK(has(sound.out, "replica 1 of cluster"));
  const auto told = audited.verdict();
  CHECK(told["sound"] == true);
  CHECK(told["closed"] == true);
  CHECK(told["unsealed"] == 0);
  CHECK(told["replica"] == 1);
  CHECK(told["signatures_checked"] > 20);
  CHECK(told["entries_by_kind"]["vote"] > 0);
  CHECK(told["contradictions"].empty());

  const auto file = elsewhere / "trail" / "000001.log";
  auto bytes = text_of(file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  write_text(file, bytes);
  const auto edited = run(verify);
  CHECK(edited.code == 1);
  CHECK(has(edited.err, "error: "));
  CHECK(has(edited.err, "000001.log, byte "));
  CHECK(has(edited.err, ", entry "));
  auto in_json = verify;
  in_json.insert(in_json.end(), {"-o", "json"});
  const auto bad = nlohmann::json::parse(run(in_json).out);
  CHECK(bad["sound"] == false);
  CHECK(bad["bad"]["offset"] <= bytes.size() / 2);
  CHECK(run({"audit", "show", trail}).code == 1);
}

TEST_CASE("show and export print the entries of the trail") {
  audited_cluster audited;
  REQUIRE(audited.cluster.is_ready());
  audited.submit(100);
  // The other three replicas may have committed the operations without replica 1, so the test waits for it.
  CHECK(eventually([&] { return audited.verdict()["entries_by_kind"].value("committed", 0) > 0; }));
  audited.stop();
  const auto shown = run({"audit", "show", "--config", audited.config});
  CHECK(shown.code == 0);
  CHECK(has(shown.out, "started"));
  CHECK(has(shown.out, "COMMITs of"));
  CHECK(has(shown.out, "stopped"));
  const auto some = run({"audit", "show", audited.trail.string(), "--since", "2", "--kind", "committed", "-o", "json"});
  const auto entries = lines_of(some.out);
  REQUIRE_FALSE(entries.empty());
  for (const auto& each : entries) {
    CHECK(each["kind"] == "committed");
    CHECK(each["index"] >= 2);
    std::set<std::uint64_t> signers;
    for (const auto& one : each["fields"]["signed_by"]) {
      signers.insert(one["replica"].get<std::uint64_t>());
      CHECK(one["signature"].get<std::string>().size() == 128);
    }
    // At least a quorum has signed.
    CHECK(signers.size() >= 3);
  }
  const auto exported = lines_of(run({"audit", "export", audited.trail.string()}).out);
  CHECK(exported.front()["record"] == "segment");
  CHECK(exported.back()["record"] == "head");
  for (std::size_t index = 0; index + 2 < exported.size(); ++index)
    CHECK(exported[index + 1]["index"] == index);
  CHECK(run({"audit", "show", audited.trail.string(), "--kind", "no_such_kind"}).code == 2);
}

TEST_CASE("a replica that is killed repeatedly keeps one trail, and refuses an edited one") {
  audited_cluster audited;
  REQUIRE(audited.cluster.is_ready());
  for (int round = 0; round < 3; ++round) {
    audited.submit(40);
    // The client does not wait for replica 1, so the test does.
    CHECK(eventually([&] { return audited.verdict()["entries_by_kind"]["committed"] > 0; }));
    audited.cluster.replica(1).send(SIGKILL);
    (void)audited.cluster.replica(1).wait();
    audited.cluster.start(1);
    REQUIRE(audited.cluster.is_ready());
  }
  audited.submit(40);
  CHECK(eventually([&] { return audited.verdict()["entries_by_kind"]["started"] == 4; }));
  audited.stop();
  auto told = audited.verdict();
  CAPTURE(told.dump());
  CHECK(told["sound"] == true);
  CHECK(told["entries_by_kind"]["committed"] > 0);

  auto bytes = text_of(audited.trail / "000001.log");
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  write_text(audited.trail / "000001.log", bytes);
  const auto refused = run({"start", "--config", audited.config});
  CHECK(refused.code == 1);
  CHECK(has(refused.err, "the audit trail was changed after this node wrote it"));
  CHECK(has(refused.err, "mv "));
  // After the trail was moved away, the node begins a new trail.
  fs::rename(audited.trail, audited.trail.string() + ".kept");
  audited.cluster.start(1);
  CHECK(eventually([&] { return text_of(audited.cluster.out_of(1)).starts_with("ready"); }));
  CHECK(audited.verdict()["first_index"] == 0);
}

TEST_CASE("audit: wrong usage gives exit code 2, and each command has a help text") {
  CHECK(run({"audit"}).code == 2);
  CHECK(run({"audit", "verify"}).code == 2);
  CHECK(run({"audit", "show"}).code == 2);
  CHECK(run({"audit", "verify", "somewhere"}).code == 2);
  CHECK(run({"audit", "show", "no/such/folder"}).code == 1);
  for (const auto* command : {"show", "verify", "export"}) {
    const auto help = run({"audit", command, "--help"});
    CHECK(help.code == 0);
    CHECK(has(help.out, "Example"));
  }
}

}  // namespace hypermesh::testing::cli_test
