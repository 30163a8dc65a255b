// A real Prometheus scrapes a real cluster, and its alerts fire when something is wrong.
#include <doctest/doctest.h>

#include <sys/mount.h>

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "runtime/metrics/metric_documents.hpp"
#include "tests/integration/cli_process.hpp"
#include "tests/integration/http_test_client.hpp"

namespace hypermesh::testing::cli_test {

namespace {

using http_test::ask;
using nlohmann::json;

std::string path_of_prometheus() {
  for (const auto* each : {"/usr/bin/prometheus", "/usr/local/bin/prometheus"}) {
    if (fs::exists(each)) return each;
  }
  return {};
}

/// Asks the API of a Prometheus on this machine. Nothing if it does not answer within five seconds, or answers with an
/// error. The request is HTTP/1.0, because Prometheus keeps connections of HTTP/1.1 open and sends long answers in
/// chunks.
std::optional<json> ask_prometheus(std::uint16_t port, const std::string& path) {
  constexpr std::chrono::seconds patience{5};
  const http_test::http_connection to{port, 0, patience};
  if (!to.is_open() || !to.send("GET " + path + " HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")) return std::nullopt;
  const auto answer = http_test::parse_answer(to.receive_all(patience));
  if (answer.status != 200) return std::nullopt;
  auto read = json::parse(answer.body, nullptr, false);
  if (read.is_discarded() || !read.is_object() || read.value("status", "") != "success") return std::nullopt;
  return std::move(read["data"]);
}

/// A small disk of its own for everything that a test writes, if this user may mount one. The tests' folders are on it
/// because TMPDIR names it.
class small_disk {
 public:
  small_disk() {
    if (::mount("tmpfs", point_.path().c_str(), "tmpfs", 0, "size=512m") != 0) return;
    is_mounted_ = true;
    if (const char* before = std::getenv("TMPDIR")) before_ = before;
    setenv("TMPDIR", point_.path().c_str(), 1);
  }
  ~small_disk() {
    if (!is_mounted_) return;
    before_.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", before_.c_str(), 1);
    ::umount2(point_.path().c_str(), MNT_DETACH);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;

  [[nodiscard]] bool is_mounted() const { return is_mounted_; }
  /// Leaves a twentieth of the disk free.
  void fill() const {
    const auto space = fs::space(point_.path());
    const auto file = (point_.path() / "filler").string();
    const int opened = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    REQUIRE(opened >= 0);
    CHECK(posix_fallocate(opened, 0, static_cast<off_t>(space.available - space.capacity / 20)) == 0);
    close(opened);
  }
  void empty() const { fs::remove(point_.path() / "filler"); }

 private:
  scratch_folder point_;
  bool is_mounted_ = false;
  std::string before_;
};

/// Four replicas with HTTP servers, and a Prometheus that scrapes them and evaluates the alert rules without their
/// waiting times.
struct observed_cluster {
  small_disk disk;
  running_cluster cluster{"key-value", {"--checkpoint-period", "4"}};
  std::uint16_t first_port = free_port_row(5);
  scratch_folder folder;
  std::unique_ptr<process> prometheus;

  observed_cluster() {
    REQUIRE(cluster.made().code == 0);
    for (std::uint32_t number = 0; number < 4; ++number) {
      cluster.replica(number).send(SIGKILL);
      (void)cluster.replica(number).wait();
      edit(cluster.config_of(number), "# enabled = false", "enabled = true");
      edit(cluster.config_of(number), "# listen = \"127.0.0.1:8400\"", "listen = \"" + target(number) + "\"");
    }
    for (std::uint32_t number = 0; number < 4; ++number)
      cluster.start(number);
    REQUIRE(cluster.is_ready());
    start_prometheus();
  }

  [[nodiscard]] std::uint16_t http_port(std::uint32_t number) const {
    return static_cast<std::uint16_t>(first_port + number);
  }
  [[nodiscard]] std::string target(std::uint32_t number) const {
    return "127.0.0.1:" + std::to_string(http_port(number));
  }

  void start_prometheus() {
    write_text(folder / "alerts.yml", metrics::alert_rules_text(metrics::alert_hold::none));
    std::string targets;
    for (std::uint32_t number = 0; number < 4; ++number)
      targets += (number == 0 ? "\"" : ", \"") + target(number) + "\"";
    write_text(folder / "prometheus.yml",
               "global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }\n"
               "rule_files: [alerts.yml]\n"
               "scrape_configs:\n"
               "  - job_name: hypermesh\n"
               "    static_configs: [{ targets: [" +
                   targets + "] }]\n");
    process_streams streams;
    streams.err = folder / "prometheus.log";
    streams.binary = path_of_prometheus();
    prometheus = std::make_unique<process>(
        words{"--config.file=" + (folder / "prometheus.yml").string(),
              "--storage.tsdb.path=" + (folder / "data").string(), "--web.listen-address=" + target(4)},
        streams);
  }

  /// The instances or replicas for which the alert fires; nothing if Prometheus does not answer.
  [[nodiscard]] std::optional<words> firing(const std::string& alert) const {
    const auto data = ask_prometheus(http_port(4), "/api/v1/alerts");
    if (!data) return std::nullopt;
    words found;
    for (const auto& each : data->at("alerts")) {
      const auto& labels = each["labels"];
      if (labels["alertname"] != alert || each["state"] != "firing") continue;
      found.push_back(labels.value("replica", labels.value("instance", "all")));
    }
    std::ranges::sort(found);
    return found;
  }
  [[nodiscard]] bool fires(const std::string& alert, const words& about) const {
    return eventually([&] { return firing(alert) == about; });
  }
  [[nodiscard]] bool has_ended(const std::string& alert) const { return fires(alert, {}); }

  /// The value of the query's first result; nothing if there is no result, or if Prometheus does not answer.
  [[nodiscard]] std::optional<double> value(const std::string& query) const {
    std::string encoded;
    for (const char each : query) {
      constexpr auto digits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(each);
      encoded += std::string{'%', digits[byte / 16U], digits[byte % 16U]};
    }
    const auto data = ask_prometheus(http_port(4), "/api/v1/query?query=" + encoded);
    if (!data || data->at("result").empty()) return std::nullopt;
    return std::stod(data->at("result")[0]["value"][1].get<std::string>());
  }

  void submit(std::size_t count) const { CHECK(cluster.ask("submit", {"-"}, puts(count)).code == 0); }

  /// Isolates replica 3 by giving it a genesis in which nobody listens at the addresses of the others. It dials all of
  /// them, and nobody dials it. It still answers HTTP.
  void isolate_last() {
    const auto genesis = fs::path{cluster.config_of(3)}.parent_path() / "genesis.toml";
    fs::copy_file(cluster.directory() + "/genesis.toml", genesis);
    for (std::uint32_t number = 0; number < 3; ++number)
      edit(genesis, ":" + std::to_string(cluster.port_of(number)) + "\"", ":" + std::to_string(number + 1) + "\"");
    edit(cluster.config_of(3), "\"../genesis.toml\"", "\"genesis.toml\"");
    restart_last();
  }
  void rejoin_last() {
    edit(cluster.config_of(3), "\"genesis.toml\"", "\"../genesis.toml\"");
    restart_last();
  }
  void restart_last() {
    cluster.replica(3).send(SIGTERM);
    (void)cluster.replica(3).wait();
    cluster.start(3);
    REQUIRE(cluster.is_ready());
  }
};

void check_endpoints(const observed_cluster& bench) {
  CHECK(ask(bench.http_port(0), "/livez").body == "ok\n");
  CHECK(eventually([&] { return ask(bench.http_port(0), "/readyz").status == 200; }));
  CHECK(eventually([&] {
    return has(ask(bench.http_port(0), "/readyz?verbose").body, "tolerates 1 more fault; safe to restart: 1, 2, 3");
  }));
  const auto status = json::parse(ask(bench.http_port(1), "/api/v1/status").body);
  CHECK(status["replica"] == 1);
  CHECK(status["health"]["live"] == true);
  CHECK(status["node"]["last_executed"].get<int>() >= 0);
  CHECK(ask(bench.http_port(0), "/metrics", "Host: evil.example\r\n").status == 421);
  CHECK(ask(bench.http_port(0), "/api/v1/status", "", "POST").status == 405);
}

/// Replica 3 is killed and starts again.
void check_death(observed_cluster& bench) {
  bench.cluster.replica(3).send(SIGKILL);
  (void)bench.cluster.replica(3).wait();
  CHECK(bench.fires("HypermeshReplicaDown", {bench.target(3)}));
  CHECK(bench.firing("HypermeshNoQuorum") == words{});
  bench.cluster.start(3);
  REQUIRE(bench.cluster.is_ready());
  CHECK(bench.has_ended("HypermeshReplicaDown"));
}

void check_lag(observed_cluster& bench) {
  bench.isolate_last();
  CHECK(eventually([&] {
    bench.submit(20);
    return bench.firing("HypermeshReplicaLags") == words{bench.target(3)};
  }));
  bench.rejoin_last();
  CHECK(eventually([&] {
    bench.submit(20);
    return bench.firing("HypermeshReplicaLags") == words{};
  }));
}

void check_full_disk(const observed_cluster& bench) {
  if (!bench.disk.is_mounted()) {
    MESSAGE("the full disk is skipped: this user may not mount a file system; run the test as root");
    return;
  }
  bench.disk.fill();
  CHECK(eventually([&] { return bench.firing("HypermeshDiskNearlyFull").value_or(words{}).size() == 8; }));
  CHECK(eventually([&] { return has(ask(bench.http_port(0), "/readyz?verbose").body, "data_disk_nearly_full"); }));
  bench.disk.empty();
  CHECK(bench.has_ended("HypermeshDiskNearlyFull"));
}

/// An adversary controls replica 3. Its process has no HTTP server, so it counts as down, too.
void check_conviction(observed_cluster& bench) {
  bench.cluster.corrupt(3, "conflicting-votes");
  REQUIRE(bench.cluster.is_ready());
  CHECK(eventually([&] {
    bench.submit(20);
    return bench.firing("HypermeshReplicaConvicted") == words{"3"};
  }));
  CHECK(eventually([&] { return bench.value("max(hypermesh_convictions_total{replica=\"3\"})") >= 1; }));
}

}  // namespace

TEST_CASE(
    "Prometheus scrapes a cluster, and alerts fire for a killed, a lagging and a convicted replica and a full disk") {
  if (path_of_prometheus().empty()) {
    MESSAGE("skipped: prometheus is missing; apt-get install prometheus");
    return;
  }
  observed_cluster bench;
  CHECK(eventually([&] { return bench.value("sum(up{job=\"hypermesh\"})") == 4; }));
  bench.submit(50);
  check_endpoints(bench);
  // Only a primary measures the first phase, and every replica the others.
  CHECK(eventually([&] { return bench.value("sum(hypermesh_phase_seconds_count{phase=\"pre_prepare\"})") > 0; }));
  for (const auto* phase : {"prepared", "committed", "executed", "replied"}) {
    CAPTURE(phase);
    const auto query = std::string{"count(hypermesh_phase_seconds_count{phase=\""} + phase + "\"} > 0)";
    CHECK(eventually([&] { return bench.value(query) == 4; }));
  }
  CHECK(eventually([&] { return bench.value("min(hypermesh_storage_write_seconds_count)") > 0; }));
  CHECK(eventually([&] { return bench.value("sum(hypermesh_link_frame_bytes_total{kind=\"pre_prepare\"})") > 0; }));
  CHECK(eventually([&] { return bench.value("count(hypermesh_link_up == 1)") == 12; }));
  check_death(bench);
  check_lag(bench);
  check_full_disk(bench);
  check_conviction(bench);
}

}  // namespace hypermesh::testing::cli_test
