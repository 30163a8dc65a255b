#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <regex>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// A user without rights. The kernel does not apply the limit of processes to root.
constexpr uid_t nobody = 65'534;

/// Files of a cluster that belong to `nobody`, and a copy of the binary that this user may run.
class unprivileged_cluster {
 public:
  unprivileged_cluster() {
    REQUIRE_MESSAGE(getuid() == 0, "limits of processes are tried as another user, so the test has to run as root");
    const auto binary_file = folder_ / "hypermesh";
    fs::copy_file(HYPERMESH_BINARY, binary_file);
    REQUIRE(run({"init", directory(), "--first-port", std::to_string(free_port_row(4))}).code == 0);
    give(folder_.path());
    for (const auto& entry : fs::recursive_directory_iterator{folder_.path()})
      give(entry.path());
  }

  [[nodiscard]] std::string directory() const { return (folder_ / "cluster").string(); }

  /// Runs a command as `nobody`. `threads` is the number of processes and threads that this user may start in addition.
  [[nodiscard]] finished run_limited(const words& arguments, rlim_t threads) const {
    process_streams streams;
    streams.out = folder_ / "out";
    streams.err = folder_ / "err";
    streams.binary = (folder_ / "hypermesh").string();
    streams.limits = {{RLIMIT_NPROC, threads}};
    streams.user = nobody;
    for (const auto& file : {streams.out, streams.err}) {
      fs::remove(file);
      write_text(file, "");
      give(file);
    }
    process command{arguments, streams};
    const auto code = command.wait();
    return {code.value_or(-1), text_of(streams.out), text_of(streams.err)};
  }

 private:
  static void give(const fs::path& path) { REQUIRE(chown(path.c_str(), nobody, nobody) == 0); }

  scratch_folder folder_;
};

/// The first line of the log with all of `parts`; empty when there is none.
std::string log_line(const fs::path& log, const words& parts) {
  std::ifstream in{log};
  for (std::string line; std::getline(in, line);) {
    if (std::all_of(parts.begin(), parts.end(), [&line](const auto& part) { return has(line, part); })) return line;
  }
  return {};
}

bool will_log(const fs::path& log, const words& parts) {
  return eventually([&] { return !log_line(log, parts).empty(); });
}

}  // namespace

TEST_CASE("a node with few threads prints a message with the numbers, in time, whatever the limit is") {
  const unprivileged_cluster cluster;
  for (rlim_t threads = 1; threads <= 12; ++threads) {
    CAPTURE(threads);
    const auto status = cluster.run_limited({"status", "--cluster", cluster.directory(), "--timeout", "1"}, threads);
    CAPTURE(status.err);
    const bool is_enough = status.code == 3;
    CHECK((status.code == 1 || is_enough));
    CHECK(has(status.err, "error:"));
    CHECK_FALSE(has(status.err, "terminate"));
    if (!is_enough) {
      CHECK(has(status.err, "more threads, but the system allows"));
      CHECK(has(status.err, "ulimit -u"));
    }
    const auto config = cluster.directory() + "/replica-0/node.toml";
    const auto start = cluster.run_limited({"start", "--config", config}, threads);
    CAPTURE(start.err);
    CHECK(start.code == 1);
    CHECK(has(start.err, "more threads, but the system allows"));
    CHECK(has(start.err, "ulimit -u"));
  }
}

TEST_CASE("a node with few open files reports it, and never advises to give up its data") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  cluster.replica(0).send(SIGTERM);
  REQUIRE(cluster.replica(0).wait() == 0);
  for (const rlim_t files : {5, 8, 16, 64, 256}) {
    CAPTURE(files);
    const auto start = run_with({"start", "--config", cluster.config_of(0)}, {.limits = {{RLIMIT_NOFILE, files}}});
    CAPTURE(start.err);
    CHECK(start.code != 0);
    CHECK(start.code < 1'000);
    CHECK(has(start.err, "error:"));
    CHECK_FALSE(has(start.err, "learner"));
    CHECK_FALSE(has(start.err, "terminate"));
    const auto status = run_with({"status", "--cluster", cluster.directory()}, {.limits = {{RLIMIT_NOFILE, files}}});
    CAPTURE(status.err);
    CHECK((status.code == 1 || status.code == 2 || (status.code == 0 && files >= 64)));
    CHECK_FALSE(has(status.err, "terminate"));
  }
  const auto told = run_with({"start", "--config", cluster.config_of(0)}, {.limits = {{RLIMIT_NOFILE, 64}}});
  CHECK(has(told.err, "open files, but the system allows 64"));
  CHECK(has(told.err, "ulimit -n"));

  // 1,024 open files, the usual limit of a system, are enough for a cluster of four.
  cluster.start(0, {}, {.limits = {{RLIMIT_NOFILE, 1'024}}});
  CHECK(cluster.is_ready());
  CHECK(eventually([&] { return has(cluster.ask("status", {}).err, "4 of 4 replicas reachable"); }));
}

TEST_CASE("a node that was started with nohup outlives the terminal, and another one stops cleanly") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  cluster.replica(0).send(SIGHUP);
  CHECK(cluster.replica(0).wait() == 0);
  CHECK(has(text_of(cluster.err_of(0)), "Hangup: stopping"));
  cluster.start(0, {}, {.ignored = {SIGHUP}});
  REQUIRE(cluster.is_ready());
  cluster.replica(0).send(SIGHUP);
  cluster.replica(0).send(SIGTERM);
  CHECK(cluster.replica(0).wait() == 0);
  // If both signals are pending, the kernel delivers SIGHUP first. So the log shows that the node ignored SIGHUP.
  CHECK(has(text_of(cluster.err_of(0)), "Terminated: stopping"));
}

TEST_CASE("a node with closed streams runs and stops cleanly") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  for (const auto& how : {process_streams{.closed = {0, 1, 2}}, process_streams{.closed = {2}}}) {
    cluster.replica(3).send(SIGTERM);
    CHECK(cluster.replica(3).wait() == 0);
    cluster.start(3, {}, how);
    CHECK(eventually([&] { return has(cluster.ask("status", {}).err, "4 of 4 replicas reachable"); }));
  }
  cluster.replica(3).send(SIGTERM);
  CHECK(cluster.replica(3).wait() == 0);
}

TEST_CASE("the log shows links, views and their reasons, with times in UTC") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"put", "a", "1"}).code == 0);
  const auto log = cluster.err_of(1);
  CHECK(will_log(log, {"the link to replica-3", "is up"}));
  cluster.replica(3).send(SIGKILL);
  CHECK(will_log(log, {"the link to replica-3", "is lost", "warn"}));
  cluster.start(3);
  REQUIRE(cluster.is_ready());
  cluster.replica(0).send(SIGKILL);
  // A pending request makes the other replicas leave the view.
  CHECK(cluster.ask("submit", {"--timeout", "60", "put", "b", "2"}).code == 0);
  // f + 1 = 2 replicas suspect the primary. At least one of them was not restarted above, so its log has the reason.
  CHECK(eventually([&] {
    return std::ranges::any_of(std::array{1, 2}, [&](std::uint32_t who) {
      return !log_line(cluster.err_of(who), {"suspects the primary, replica-0", "requests are pending"}).empty();
    });
  }));
  CHECK(will_log(log, {"entered view", "the primary is"}));
  const auto line = log_line(log, {"entered view"});
  CHECK(
      std::regex_search(line, std::regex{R"(^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info replica-1 view_entered: )"}));
}

TEST_CASE("a node at the address of another one is reported, with its identity and the expected one") {
  const scratch_folder folder;
  const auto root = folder / "cluster";
  const auto port = free_port_row(4);
  REQUIRE(run({"init", root.string(), "--first-port", std::to_string(port)}).code == 0);
  // The genesis file of replica 3 lists replicas 0 and 1 with swapped addresses.
  const auto strayed = folder / "strayed";
  fs::copy(root, strayed, fs::copy_options::recursive);
  auto text = text_of(strayed / "genesis.toml");
  const auto place = [&](int number) { return "127.0.0.1:" + std::to_string(port + number) + "\""; };
  const auto first = text.find(place(0));
  const auto second = text.find(place(1));
  REQUIRE(first != std::string::npos);
  REQUIRE(second != std::string::npos);
  text.replace(first, place(0).size(), place(1));
  text.replace(second, place(0).size(), place(0));
  write_text(strayed / "genesis.toml", text);
  const auto start = [&](const fs::path& from, int number) {
    const auto name = "err-" + std::to_string(number);
    return std::make_unique<process>(
        words{"start", "--config", (from / ("replica-" + std::to_string(number)) / "node.toml").string()},
        process_streams{"/dev/null", "/dev/null", folder / name, {}});
  };
  const auto honest = start(root, 0);
  const auto wrong = start(strayed, 3);
  CHECK(will_log(folder / "err-0", {"refused a connection from", "genesis"}));
  CHECK(will_log(folder / "err-3", {"cannot open the link to replica-1", "another replica answers there"}));
}

TEST_CASE("help and version print their texts, and an unknown command gets a suggestion") {
  const auto version = run({"--version"});
  CHECK(version.code == 0);
  CHECK(std::regex_search(version.out, std::regex{R"(^hypermesh \d+\.\d+\.\d+)"}));
  CHECK(run({"help"}).out == run({"--help"}).out);
  CHECK(run({"help", "status"}).out == run({"status", "--help"}).out);
  CHECK(run({"help", "config", "check"}).out == run({"config", "check", "--help"}).out);
  const auto unknown = run({"stat"});
  CHECK(unknown.code == 2);
  CHECK(has(unknown.err, "unknown command 'stat'; did you mean 'status'?"));
  CHECK(has(run({"config", "chekc"}).err, "unknown command 'chekc'; did you mean 'check'?"));
  CHECK(has(run({"help", "sumbit"}).err, "did you mean 'submit'?"));
  const auto option = run({"init", "x", "--replcias", "7"});
  CHECK(option.code == 2);
  CHECK(has(option.err, "unknown option '--replcias'; did you mean '--replicas'?"));
  CHECK(has(run({"start", "--confg=x"}).err, "unknown option '--confg'; did you mean '--config'?"));
  CHECK(has(run({"status", "--cluster", "x", "-o", "jsno"}).err, "did you mean 'json'?"));
  CHECK(has(run({"completion", "bsh"}).err, "did you mean 'bash'?"));
  CHECK(has(run({"init", "x", "--machine", "key-valeu"}).err, "did you mean 'key-value'?"));
  CHECK(has(run_with({"sim", "--profile", "lossi"}, {.binary = HYPERMESH_LAB}).err, "did you mean 'lossy'?"));
  CHECK(has(run_with({"siege", "--strategies", "mute-primry"}, {.binary = HYPERMESH_LAB}).err,
            "unknown strategy 'mute-primry'; did you mean 'mute-primary'?"));
  CHECK(has(run({}).err, "'hypermesh' needs a command"));
  CHECK(has(run({"audit"}).err, "'hypermesh audit' needs a command"));
  const auto lab = run_with({"sin"}, {.binary = HYPERMESH_LAB});
  CHECK(lab.code == 2);
  CHECK(has(lab.err, "unknown command 'sin'; did you mean 'sim'?"));
  CHECK(run_with({"--version"}, {.binary = HYPERMESH_LAB}).out.starts_with("hypermesh-lab "));
}

TEST_CASE("a time may have a unit, and nothing else is a time") {
  const scratch_folder folder;
  const auto root = (folder / "cluster").string();
  REQUIRE(run({"init", root, "--first-port", std::to_string(free_port_row(4))}).code == 0);
  for (const auto* time : {"200ms", "0.2s", "0.2", "1s"}) {
    CAPTURE(time);
    CHECK(run({"status", "--cluster", root, "--timeout", time}).code == 3);
  }
  for (const auto* time : {"", "s", "5x", "-1s", "nan", "inf", "1e3", "0x10", "99h", "0", "1s2", "1..5s"}) {
    CAPTURE(time);
    const auto result = run({"status", "--cluster", root, "--timeout", time});
    CHECK(result.code == 2);
    CHECK(has(result.err, "--timeout"));
  }
}

}  // namespace hypermesh::testing::cli_test
