#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "actors/protocol/receipts/receipt.hpp"
#include "runtime/base/keys.hpp"
#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

using nlohmann::json;

/// A folder with receipts, and the genesis that is left when the cluster is gone.
struct receipt_folder {
  scratch_folder folder;

  [[nodiscard]] std::string file(const std::string& name) const { return (folder / name).string(); }
  [[nodiscard]] finished verify(const std::string& name, const words& more = {}) const {
    words all{"verify", file(name), "--genesis", file("genesis.toml")};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
  void keep_genesis(const running_cluster& cluster) const {
    fs::copy_file(cluster.directory() + "/genesis.toml", file("genesis.toml"));
  }
};

/// The receipt with another result, signed with the keys of these replicas: the lie of colluding replicas.
void forge(const running_cluster& cluster, const std::string& from, const std::string& to, const words& replicas) {
  auto lie = read_receipt(to_byte_vector(text_of(from)));
  REQUIRE(lie);
  lie->what.result = to_byte_vector("another result");
  lie->signatures.clear();
  const auto value = receipt_value_of(lie->what, lie->place);
  for (const auto& number : replicas) {
    const auto key = read_secret_key(cluster.directory() + "/replica-" + number + "/secret.key");
    REQUIRE(key);
    const replica_id signer{static_cast<std::uint32_t>(std::stoul(number))};
    const auto input = receipt_signing_input(lie->context, lie->place.sequence, *value, signer);
    lie->signatures.push_back({signer, key->sign(input)});
  }
  write_text(to, std::string{as_text(bytes_of(*lie))});
}

}  // namespace

TEST_CASE("the judge names the replicas that signed two receipts of different results (attack 44)") {
  const receipt_folder kept;
  {
    running_cluster cluster;
    REQUIRE(cluster.is_ready());
    kept.keep_genesis(cluster);
    REQUIRE(cluster.ask("submit", {"--receipt", kept.file("true"), "put", "colour", "blue"}).code == 0);
    forge(cluster, kept.file("true"), kept.file("lie"), {"0", "1", "2"});
  }
  const auto truth = json::parse(kept.verify("true", {"-o", "json"}).out);
  CHECK(kept.verify("lie").code == 0);
  const auto found =
      run({"judge", kept.file("true"), kept.file("lie"), "--genesis", kept.file("genesis.toml"), "-o", "json"});
  CHECK(found.code == 0);
  const auto shown = json::parse(found.out);
  CHECK(shown["kind"] == "two_statements");
  // The lie is signed by 0, 1 and 2. Of these, the judge names those that also signed the true receipt.
  auto expected = json::array();
  for (const auto& each : truth["signers"]) {
    if (each != 3) expected.push_back(each);
  }
  CHECK(shown["culprits"] == expected);
  CHECK(expected.size() >= 2);
}

TEST_CASE("a receipt is verified with the genesis alone, after the cluster is gone (attack 44)") {
  const receipt_folder kept;
  {
    running_cluster cluster;
    REQUIRE(cluster.is_ready());
    kept.keep_genesis(cluster);
    const auto put = cluster.ask("submit", {"--receipt", kept.file("put"), "put", "colour", "blue"});
    CHECK(put.code == 0);
    CHECK(has(put.err, "a quorum"));
    const auto got = cluster.ask("get", {"--proof", kept.file("get"), "colour"});
    CHECK(got.code == 0);
    CHECK(has(got.out, "blue"));
    // A receipt is never overwritten, and the operation of the refused command is not executed.
    const auto again = cluster.ask("submit", {"--receipt", kept.file("put"), "put", "colour", "red"});
    CHECK(again.code == 2);
    CHECK(has(cluster.ask("get", {"colour"}).out, "blue"));
    CHECK(cluster.ask("submit", {"--receipt", kept.file("lines"), "-"}, puts(2)).code == 2);
    CHECK(cluster.ask("get", {"--proof", kept.file("old"), "--mode", "committed", "colour"}).code == 2);
    // An answer of which the machine says that it is refused has a receipt too.
    const auto refused = cluster.ask("submit", {"--receipt", kept.file("refused"), "increment", "colour", "1"});
    CHECK(refused.code == 1);
  }
  const auto put = kept.verify("put", {"--", "put", "colour", "blue"});
  CHECK_MESSAGE(put.code == 0, put.err);
  CHECK(has(put.err, "proven"));
  CHECK(kept.verify("put", {"--", "put", "colour", "red"}).code == 1);
  const auto got = kept.verify("get", {"-o", "json", "--", "get", "colour"});
  CHECK(got.code == 0);
  const auto read = json::parse(got.out);
  CHECK(read["proven"] == true);
  CHECK(read["strength"] == "quorum");
  CHECK(read["result"] == "blue");
  CHECK(read["sequence"].get<int>() > json::parse(kept.verify("put", {"-o", "json"}).out)["sequence"].get<int>());
  CHECK(json::parse(kept.verify("refused", {"-o", "json"}).out)["status"] == "refused");
  // True receipts do not contradict each other.
  CHECK(run({"judge", kept.file("put"), kept.file("get"), "--genesis", kept.file("genesis.toml")}).code == 1);
}

TEST_CASE("a damaged or foreign receipt is refused, with the reason and never a crash (attack 44)") {
  const receipt_folder kept;
  {
    running_cluster cluster;
    REQUIRE(cluster.is_ready());
    kept.keep_genesis(cluster);
    REQUIRE(cluster.ask("submit", {"--receipt", kept.file("good"), "put", "colour", "blue"}).code == 0);
  }
  const auto good = text_of(kept.file("good"));
  for (const std::size_t place : {0U, 7U, 8U, 50U, 120U, 200U, 300U}) {
    auto changed = good;
    changed[place] = static_cast<char>(changed[place] ^ 1);
    write_text(kept.file("bad"), changed);
    const auto refused = kept.verify("bad", {"-o", "json"});
    CHECK(refused.code == 1);
    CHECK(json::parse(refused.out)["genuine"] == false);
    CHECK(has(refused.err, "fix:"));
    CHECK(run({"judge", kept.file("good"), kept.file("bad"), "--genesis", kept.file("genesis.toml")}).code == 2);
  }
  write_text(kept.file("empty"), "");
  CHECK(kept.verify("empty").code == 1);
  write_text(kept.file("long"), std::string(4 * 1024 * 1024, 'x'));
  CHECK(kept.verify("long").code == 2);
  CHECK(kept.verify("missing").code == 2);
  // One signature alone is genuine and proves nothing. 69 bytes are the number of signatures and the first of them.
  auto lone = good.substr(0, good.size() - 2 * 68);
  lone[lone.size() - 69] = 1;
  write_text(kept.file("lone"), lone);
  const auto few = kept.verify("lone", {"-o", "json"});
  CHECK(few.code == 1);
  CHECK(json::parse(few.out)["genuine"] == true);
  CHECK(json::parse(few.out)["strength"] == "insufficient");
  const scratch_folder other;
  REQUIRE(run({"init", (other / "cluster").string(), "--first-port", std::to_string(free_port_row(4))}).code == 0);
  CHECK(run({"verify", kept.file("good"), "--genesis", (other / "cluster/genesis.toml").string()}).code == 1);
}

TEST_CASE("receipts are given while a replica is down and after the primary was killed") {
  const receipt_folder kept;
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  kept.keep_genesis(cluster);
  REQUIRE(cluster.ask("submit", {"put", "colour", "blue"}).code == 0);
  cluster.replica(0).send(SIGKILL);
  (void)cluster.replica(0).wait();
  const auto put = cluster.ask("submit", {"--timeout", "60", "--receipt", kept.file("put"), "put", "colour", "red"});
  CHECK(put.code == 0);
  CHECK(has(put.err, "3 of 4 replicas, a quorum"));
  CHECK(kept.verify("put", {"--", "put", "colour", "red"}).code == 0);
}

}  // namespace hypermesh::testing::cli_test
