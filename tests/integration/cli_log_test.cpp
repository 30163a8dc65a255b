// The log of real replicas in JSON, the secrets that it must not contain, and the trace of a running cluster.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include <sodium.h>
#include <nlohmann/json.hpp>

#include "runtime/events/event_table.hpp"
#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

using nlohmann::json;

/// The lines of a log. A line that is no JSON object, or an event that the table does not know, fails the test.
std::vector<json> events_in(const fs::path& log) {
  std::vector<json> all;
  std::ifstream in{log};
  for (std::string line; std::getline(in, line);) {
    // The writer may be in the middle of the last line.
    if (in.eof()) break;
    const auto read = json::parse(line, nullptr, false);
    CAPTURE(line);
    REQUIRE(read.is_object());
    const auto name = read.value("event", "");
    const auto row = std::ranges::find(event_table(), name, &event_row::name);
    REQUIRE(row != event_table().end());
    CHECK(read.contains("time"));
    CHECK(read.contains("level"));
    CHECK(read.contains("node"));
    CHECK_FALSE(read.value("text", "").empty());
    for (const auto field : row->fields)
      CHECK((field.empty() || read.contains(field)));
    all.push_back(read);
  }
  return all;
}

/// The events of this name in which each of `fields` has its value.
std::size_t count_of(const fs::path& log, const std::string& name, const json& fields = json::object()) {
  const auto all = events_in(log);
  return static_cast<std::size_t>(std::ranges::count_if(all, [&](const json& each) {
    if (each["event"] != name) return false;
    return std::ranges::all_of(fields.items(), [&](const auto& field) {
      return each.contains(field.key()) && each[field.key()] == field.value();
    });
  }));
}

bool will_have(const fs::path& log, const std::string& name, const json& fields = json::object()) {
  return eventually([&] { return count_of(log, name, fields) > 0; });
}

/// Four replicas with JSON logs.
struct log_bench {
  running_cluster cluster{"key-value", {"--checkpoint-period", "8"}};

  log_bench() {
    REQUIRE(cluster.is_ready());
    for (std::uint32_t number = 0; number < 4; ++number)
      // SIGTERM would make the primary hand its view over.
      restart(number, SIGINT);
    REQUIRE(cluster.ask("submit", {"put", "first", "1"}).code == 0);
  }
  void restart(std::uint32_t number, int signal = SIGKILL) {
    cluster.replica(number).send(signal);
    (void)cluster.replica(number).wait();
    // The lines of the run before may be text.
    fs::remove(cluster.err_of(number));
    cluster.start(number, {"--log-format", "json", "--log-level", "debug"});
    REQUIRE(cluster.is_ready());
    logs[number] = cluster.err_of(number);
  }
  std::map<std::uint32_t, fs::path> logs;
};

std::string hex_of(const std::string& bytes) {
  std::string text(bytes.size() * 2 + 1, '\0');
  sodium_bin2hex(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  text.resize(bytes.size() * 2);
  return text;
}

std::string base64_of(const std::string& bytes, int variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    variant);
  text.resize(text.find('\0'));
  return text;
}

}  // namespace

TEST_CASE("the log tells in JSON why a view ended, which links went, and how a replica caught up") {
  log_bench bench;
  auto& cluster = bench.cluster;
  const auto& log = bench.logs[1];
  // Replica 3 misses several checkpoints, so it has to fetch the state.
  cluster.replica(3).send(SIGKILL);
  (void)cluster.replica(3).wait();
  CHECK(will_have(log, "link_down", {{"member", "replica-3"}}));
  for (int round = 0; round < 40; ++round)
    REQUIRE(cluster.ask("submit", {"-"}, puts(20)).code == 0);
  bench.restart(3);
  CHECK(will_have(log, "link_up", {{"member", "replica-3"}}));
  CHECK(will_have(bench.logs[3], "node_started"));
  REQUIRE(cluster.ask("submit", {"-"}, puts(50)).code == 0);
  CHECK(will_have(bench.logs[3], "state_installed"));

  cluster.replica(0).send(SIGKILL);
  (void)cluster.replica(0).wait();
  // A pending request makes the others leave the view.
  CHECK(cluster.ask("submit", {"--timeout", "60", "put", "b", "2"}).code == 0);
  std::size_t suspicious = 0;
  for (const std::uint32_t number : {1U, 2U, 3U}) {
    const auto& each = bench.logs[number];
    CHECK(will_have(each, "view_left"));
    CHECK(will_have(each, "view_entered"));
    for (const auto& event : events_in(each)) {
      if (event["event"] != "view_entered") continue;
      CAPTURE(event.dump());
      CHECK((event["cause"] == "mute" || event["cause"] == "others"));
      CHECK(event["primary"].get<std::string>().starts_with("replica-"));
    }
    suspicious += count_of(each, "primary_suspected", {{"reason", "mute"}, {"primary", "replica-0"}}) > 0 ? 1 : 0;
  }
  // f + 1 replicas suspect a primary before anybody leaves its view.
  CHECK(suspicious >= 2);
  cluster.replica(1).send(SIGTERM);
  CHECK(cluster.replica(1).wait() == 0);
  CHECK(count_of(log, "node_stopping", {{"signal", "Terminated"}}) == 1);
}

TEST_CASE("the log names the evidence of a conviction, the same at every replica, and the quarantine") {
  log_bench bench;
  auto& cluster = bench.cluster;
  cluster.corrupt(3, "conflicting-votes");
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"-"}, puts(50)).code == 0);
  std::string evidence;
  std::size_t finders = 0;
  for (const std::uint32_t number : {0U, 1U, 2U}) {
    const auto& log = bench.logs[number];
    CHECK(will_have(log, "standing_changed", {{"member", "replica-3"}, {"happened", "quarantined"}}));
    const auto all = events_in(log);
    const auto convicted = std::ranges::find_if(
        all, [](const json& each) { return each["event"] == "standing_changed" && each["happened"] == "convicted"; });
    REQUIRE(convicted != all.end());
    CHECK((*convicted)["level"] == "warn");
    const auto id = (*convicted)["evidence"].get<std::string>();
    CHECK(id.size() == 16);
    CHECK((evidence.empty() || evidence == id));
    evidence = id;
    finders += count_of(log, "fault_proven", {{"member", "replica-3"}, {"evidence", id}});
    CHECK(will_have(log, "trust_changed", {{"member", "replica-3"}}));
  }
  // At least one correct replica found the evidence that was ordered.
  CHECK(finders > 0);
}

TEST_CASE("no key, no token and no content of an operation reaches the output of a node") {
  const std::string token = "token-that-nobody-may-see-0123456789";
  const std::string payload = "payload-that-nobody-may-see";
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const auto http = free_port_row(1);
  const fs::path home = fs::path{cluster.config_of(2)}.parent_path();
  write_text(home / "token", token + "\n");
  fs::permissions(home / "token", fs::perms::owner_read | fs::perms::owner_write);
  edit(cluster.config_of(2), "\n[http]\n",
       "\n[http]\nenabled = true\ntoken_file = \"token\"\nlisten = \"127.0.0.1:" + std::to_string(http) + "\"\n");
  edit(cluster.config_of(2), "\n[trace]\n", "\n[trace]\nbatches = 64\n");
  std::string output;
  for (const auto* format : {"text", "json"}) {
    cluster.replica(2).send(SIGTERM);
    REQUIRE(cluster.replica(2).wait() == 0);
    output += text_of(cluster.out_of(2));
    cluster.start(2, {"--log-level", "debug", "--log-format", format});
    REQUIRE(cluster.is_ready());
    REQUIRE(cluster.ask("submit", {"put", payload + "-key", payload}).code == 0);
    REQUIRE(cluster.ask("get", {payload + "-key"}).code == 0);
    const auto trace = run({"trace", "--config", cluster.config_of(2)});
    CAPTURE(trace.err);
    CHECK(trace.code == 0);
    output += trace.out + trace.err;
    // A view change, a refused client and a lost link fill the log.
    cluster.replica(0).send(SIGKILL);
    (void)cluster.replica(0).wait();
    CHECK(cluster.ask("submit", {"--timeout", "60", "put", payload + format, payload}).code == 0);
    cluster.start(0);
    REQUIRE(cluster.is_ready());
  }
  cluster.replica(2).send(SIGTERM);
  REQUIRE(cluster.replica(2).wait() == 0);
  output += text_of(cluster.out_of(2)) + text_of(cluster.err_of(2));
  CHECK(output.size() > 2'000);
  std::vector<std::string> secrets = {token, payload};
  // The key file is hexadecimal or base64 text; the key itself is looked for in every form.
  for (const auto& entry : fs::directory_iterator{home}) {
    if (!has(entry.path().filename().string(), "key")) continue;
    auto text = text_of(entry.path());
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find_first_of(" \n\"'=", at), text.size());
      if (end - at >= 32) secrets.push_back(text.substr(at, end - at));
      at = end + 1;
    }
  }
  CHECK(secrets.size() > 2);
  for (auto secret : std::vector<std::string>{secrets}) {
    std::string raw(secret.size() / 2, '\0');
    if (secret.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos &&
        sodium_hex2bin(reinterpret_cast<unsigned char*>(raw.data()), raw.size(), secret.data(), secret.size(), nullptr,
                       nullptr, nullptr) == 0) {
      secrets.push_back(raw);
    }
  }
  for (const auto& secret : secrets) {
    CHECK_FALSE(has(output, secret));
    CHECK_FALSE(has(output, hex_of(secret)));
    CHECK_FALSE(has(output, base64_of(secret, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)));
    CHECK_FALSE(has(output, base64_of(secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING)));
  }
}

TEST_CASE("a trace has each request with its phases at every replica, and replay writes one") {
  const scratch_folder folder;
  const auto file = (folder / "trace.json").string();
  const auto logs = (folder / "logs").string();
  const auto done = run({"replay", "--operations", "2000", "--trace", file, "--logs", logs, "--log-format", "json",
                         "--log-level", "info", "-q"});
  CAPTURE(done.err);
  REQUIRE(done.code == 0);
  for (std::uint32_t number = 0; number < 4; ++number)
    CHECK(count_of(folder / "logs" / ("replica-" + std::to_string(number) + ".log"), "node_started") == 1);
  const auto trace = json::parse(text_of(file));
  // By the name of the request: the replicas at which it is shown as executed.
  std::map<std::string, std::size_t> executed;
  std::size_t waits = 0;
  for (const auto& event : trace["traceEvents"]) {
    if (event["ph"] != "b" || event["cat"] != "request") continue;
    if (event["name"] == "commit") ++executed[event["id2"]["local"].get<std::string>()];
    if (event["name"] == "wait") ++waits;
  }
  CHECK(executed.size() > 10);
  CHECK(waits > 0);
  // The newest requests are in the traces of all four replicas.
  CHECK(std::ranges::count_if(executed, [](const auto& each) { return each.second == 4; }) > 10);
  CHECK(trace["otherData"].contains("clock_offset_us_replica_3"));
}

TEST_CASE("hypermesh trace says what to do when there is no trace") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const auto off = run({"trace", "--config", cluster.config_of(0)});
  CHECK(off.code == 2);
  CHECK(has(off.err, "fix:"));
  CHECK(has(off.err, "batches = 1024"));
  CHECK(run({"trace"}).code == 2);
  const scratch_folder folder;
  write_text(folder / "a.json", "[[[[");
  const auto wrong = run({"trace", "--from", (folder / "a.json").string()});
  CHECK(wrong.code == 1);
  CHECK(has(wrong.err, "/api/v1/trace"));
}

TEST_CASE("the options of the log go before the file, and a wrong word names the right ones") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  cluster.replica(3).send(SIGTERM);
  REQUIRE(cluster.replica(3).wait() == 0);
  edit(cluster.config_of(3), "\n[log]\n", "\n[log]\nformat = \"json\"\nlevel = \"error\"\n");
  fs::remove(cluster.err_of(3));
  cluster.start(3);
  REQUIRE(cluster.is_ready());
  cluster.replica(3).send(SIGTERM);
  REQUIRE(cluster.replica(3).wait() == 0);
  CHECK(text_of(cluster.err_of(3)).empty());
  cluster.start(3, {"--log-level", "info"});
  REQUIRE(cluster.is_ready());
  CHECK(will_have(cluster.err_of(3), "node_started"));
  CHECK(has(run({"start", "--config", cluster.config_of(3), "--log-format", "xml"}).err, "json"));
  edit(cluster.config_of(3), "format = \"json\"", "format = \"xml\"");
  const auto wrong = run({"start", "--config", cluster.config_of(3)});
  CHECK(wrong.code == 2);
  CHECK(has(wrong.err, "json"));
}

}  // namespace hypermesh::testing::cli_test
