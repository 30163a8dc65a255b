#include <doctest/doctest.h>

#include <poll.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

using nlohmann::json;

/// Splits a text into its lines.
words lines_of(const std::string& text) {
  words lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// A process that the test communicates with line by line, through two named pipes.
class conversation {
 public:
  explicit conversation(const words& arguments) {
    REQUIRE(mkfifo((folder_ / "in").c_str(), 0600) == 0);
    REQUIRE(mkfifo((folder_ / "out").c_str(), 0600) == 0);
    talker_.emplace(arguments, process_streams{folder_ / "in", folder_ / "out", folder_ / "err", {}});
    to_ = open((folder_ / "in").c_str(), O_WRONLY | O_CLOEXEC);
    from_ = open((folder_ / "out").c_str(), O_RDONLY | O_CLOEXEC);
  }
  ~conversation() {
    end_input();
    close(from_);
  }
  conversation(const conversation&) = delete;
  conversation& operator=(const conversation&) = delete;

  void write_line(const std::string& line) {
    const auto text = line + "\n";
    REQUIRE(write(to_, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
  /// The next line that the process writes; empty when no line arrives within a minute.
  [[nodiscard]] std::string read_line() const {
    std::string line;
    pollfd awaited{from_, POLLIN, 0};
    constexpr int patience_ms = 60'000;
    for (char letter = 0; poll(&awaited, 1, patience_ms) > 0 && read(from_, &letter, 1) == 1 && letter != '\n';)
      line += letter;
    return line;
  }
  void end_input() {
    if (to_ >= 0) close(std::exchange(to_, -1));
  }
  [[nodiscard]] process& talker() { return *talker_; }

 private:
  scratch_folder folder_;
  std::optional<process> talker_;
  int to_ = -1;
  int from_ = -1;
};

/// The directory of a cluster of which no node runs.
class silent_cluster {
 public:
  silent_cluster() { REQUIRE(run({"init", directory(), "--first-port", std::to_string(free_port_row(4))}).code == 0); }
  [[nodiscard]] std::string directory() const { return (folder_ / "cluster").string(); }

 private:
  scratch_folder folder_;
};

}  // namespace

TEST_CASE("get refuses operations that write, and names the command for them") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"put", "precious", "1"}).code == 0);
  for (const auto& writing :
       {words{"delete", "precious"}, words{"put", "precious", "2"}, words{"increment", "precious"},
        words{"compare-and-swap", "precious", "1", "3"}, words{"create", "another", "4"}}) {
    for (const auto* mode : {"linearizable", "committed"}) {
      words all{"--mode", mode};
      all.insert(all.end(), writing.begin(), writing.end());
      const auto result = cluster.ask("get", all);
      CAPTURE(result.err);
      CHECK(result.code == 2);
      CHECK(result.out.empty());
      CHECK(has(result.err, "'" + writing.front() + "' writes"));
      CHECK(has(result.err, "hypermesh submit"));
    }
  }
  CHECK(cluster.ask("get", {"precious"}).out == "1\n");
  CHECK(cluster.ask("get", {"another"}).out == "(none)\n");
}

TEST_CASE("each line of stdin has one result line with the outcome") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const std::string input =
      "put q \"two\n"
      "put name Zürich\n"
      "\n"
      "get name\n"
      "fly away\n"
      "create name x\n"
      "compare-and-swap name x y\n"
      "create fresh \"two words\"\n"
      "get fresh\n"
      "get absent\n"
      "put word (none)\n"
      "get word\n"
      "put hex 0x67\n"
      "get hex\n"
      "put bytes \xff\xfe\n"
      "get bytes\n"
      "put steers \x1b[31m\n"
      "get steers\n"
      "get q";
  const auto result = cluster.ask("submit", {"-"}, input);
  CAPTURE(result.out);
  CAPTURE(result.err);
  CHECK(result.code == 2);
  const auto lines = lines_of(result.out);
  REQUIRE(lines.size() == 19);
  CHECK(lines[0].starts_with("malformed: the quotation mark"));
  CHECK(lines[1] == "ok");
  CHECK(lines[2] == "malformed: the line is empty");
  CHECK(lines[3] == "Zürich");
  CHECK(lines[4] == "malformed: \"fly\" with 1 arguments is not an operation");
  CHECK(lines[5] == "not swapped: the value differs");
  CHECK(lines[6] == "not swapped: the value differs");
  CHECK(lines[7] == "swapped");
  CHECK(lines[8] == "two words");
  CHECK(lines[9] == "(none)");
  CHECK(lines[11] == "\"(none)\"");
  CHECK(lines[13] == "\"0x67\"");
  CHECK(lines[15] == "0xfffe");
  CHECK(lines[17] == "\"\\x1b[31m\"");
  CHECK(lines[18] == "(none)");
  CHECK(has(result.err, "line 1:"));
  CHECK(has(result.err, "line 5:"));

  const auto as_json = cluster.ask("submit", {"-o", "json", "-"}, input);
  const auto objects = lines_of(as_json.out);
  REQUIRE(objects.size() == 19);
  const auto at = [&](std::size_t index) { return json::parse(objects[index]); };
  CHECK(at(0)["status"] == "malformed");
  CHECK(has(at(0)["result"], "quotation mark"));
  CHECK(at(3)["result"] == "Zürich");
  CHECK(at(5)["status"] == "refused");
  CHECK(at(9)["status"] == "applied");
  CHECK(at(9)["result"].is_null());
  CHECK(at(9)["result_hex"].is_null());
  CHECK(at(11)["result"] == "(none)");
  CHECK(at(13)["result"] == "0x67");
  CHECK(at(15)["result"].is_null());
  CHECK(at(15)["result_hex"] == "fffe");
  CHECK(at(17)["result"] == "\x1b[31m");
  CHECK_FALSE(has(as_json.out, "\x1b"));
}

TEST_CASE("an operation with a failed condition ends with the exit code of a refusal") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  CHECK(cluster.ask("submit", {"create", "k", "1"}).code == 0);
  CHECK(cluster.ask("submit", {"create", "k", "2"}).code == 1);
  CHECK(cluster.ask("submit", {"compare-and-swap", "k", "2", "3"}).code == 1);
  CHECK(cluster.ask("submit", {"compare-and-swap", "k", "1", "3"}).code == 0);
  const auto refused = cluster.ask("submit", {"-o", "json", "create", "k", "4"});
  CHECK(refused.code == 1);
  CHECK(json::parse(refused.out)["status"] == "refused");
  CHECK(cluster.ask("get", {"k"}).out == "3\n");
}

TEST_CASE("a program that writes a line and waits for the answer gets it") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  conversation talk{{"submit", "--cluster", cluster.directory(), "-"}};
  for (int round = 1; round <= 3; ++round) {
    talk.write_line("increment counter");
    CHECK(talk.read_line() == std::to_string(round));
    talk.write_line("no operation");
    CHECK(talk.read_line().starts_with("malformed: "));
  }
  talk.end_input();
  CHECK(talk.talker().wait() == 2);
}

TEST_CASE("a cluster without a quorum gives each line a result, and reports the reason once") {
  const silent_cluster cluster;
  const auto result = run({"submit", "--cluster", cluster.directory(), "--timeout", "500ms", "-"}, puts(20));
  CAPTURE(result.err);
  CHECK(result.code == 3);
  CHECK(lines_of(result.out) == words(20, "error: timed_out"));
  CHECK(lines_of(result.err).size() == 2);
  CHECK(has(result.err, "did not answer in time"));
}

TEST_CASE("a read error on stdin is an error") {
  const silent_cluster cluster;
  const auto result = run_with({"submit", "--cluster", cluster.directory(), "-"}, {.in = cluster.directory()});
  CHECK(result.code == 1);
  CHECK(has(result.err, "stdin cannot be read: Is a directory"));
}

TEST_CASE("a write error on stdout is an error, and so is a reader that closes the pipe") {
  const silent_cluster cluster;
  for (const auto& arguments : {words{"--help"}, words{"help", "submit"}, words{"--version"},
                                words{"keygen", cluster.directory() + "/another.key"}}) {
    CAPTURE(arguments.front());
    const auto full = run_with(arguments, {.out = "/dev/full"});
    CHECK(full.code == 1);
    CHECK(has(full.err, "cannot write the output: No space left on device"));
  }
  const auto lines = run_with({"submit", "--cluster", cluster.directory(), "-"}, {.out = "/dev/full"}, "fly\n");
  CHECK(lines.code == 1);
  CHECK(has(lines.err, "cannot write the output"));

  const scratch_folder folder;
  REQUIRE(mkfifo((folder / "out").c_str(), 0600) == 0);
  process lonely{{"status", "--cluster", cluster.directory(), "--timeout", "2"},
                 {"/dev/null", folder / "out", folder / "err", {}}};
  // The command gives its answer after two seconds. At that time the pipe has no reader any more.
  close(open((folder / "out").c_str(), O_RDONLY));
  CHECK(lonely.wait() == 3);
  CHECK(has(text_of(folder / "err"), "cannot write the output: Broken pipe"));
}

TEST_CASE("a failed write to stderr changes nothing else") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const words status{"status", "--cluster", cluster.directory()};
  // Right after the start nobody knows whether the group has service.
  REQUIRE(eventually([&] { return run_with(status, {}).code == 0; }));
  CHECK(run_with(status, {.err = "/dev/full"}).code == 0);
  CHECK(run_with(status, {.closed = {2}}).code == 0);
  CHECK(run_with(status, {.closed = {0, 1, 2}}).code == 0);
  const words wrong{"status", "--cluster", "no/such/directory"};
  CHECK(run_with(wrong, {.err = "/dev/full"}).code == 2);
  CHECK(run_with(wrong, {.closed = {0, 1, 2}}).code == 2);
  CHECK(run_with({"sim", "--seeds", "0"}, {.err = "/dev/full", .binary = HYPERMESH_LAB}).code == 2);
  CHECK(run_with({"sim", "--seeds", "0"}, {.binary = HYPERMESH_LAB, .closed = {0, 1, 2}}).code == 2);
}

}  // namespace hypermesh::testing::cli_test
