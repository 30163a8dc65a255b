// `status --watch` and `top` on a real cluster, with and without a terminal.
#include <doctest/doctest.h>

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <algorithm>
#include <optional>
#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

namespace {

/// The product in a terminal of its own. The destructor ends the process.
class terminal_process {
 public:
  explicit terminal_process(words arguments, unsigned short columns = 80, unsigned short rows = 24) {
    winsize size{rows, columns, 0, 0};
    id_ = forkpty(&terminal_, nullptr, nullptr, &size);
    if (id_ != 0) return;
    setenv("TERM", "xterm", 1);
    std::string binary = HYPERMESH_BINARY;
    std::vector<char*> list{binary.data()};
    for (auto& each : arguments)
      list.push_back(each.data());
    list.push_back(nullptr);
    execv(binary.c_str(), list.data());
    _exit(127);
  }
  ~terminal_process() {
    kill(id_, SIGKILL);
    (void)wait();
    close(terminal_);
  }
  terminal_process(const terminal_process&) = delete;
  terminal_process& operator=(const terminal_process&) = delete;

  /// Everything that the process has drawn so far.
  const std::string& text() {
    pollfd ready{terminal_, POLLIN, 0};
    char part[4'096];
    while (poll(&ready, 1, 20) > 0) {
      const auto count = read(terminal_, part, sizeof part);
      if (count <= 0) break;
      text_.append(part, static_cast<std::size_t>(count));
    }
    return text_;
  }
  void forget() { text_.clear(); }
  bool shows(const std::string& part) {
    return eventually([&] { return has(text(), part); });
  }
  void type(const std::string& keys) const { CHECK(write(terminal_, keys.data(), keys.size()) > 0); }
  void resize(unsigned short columns, unsigned short rows) const {
    const winsize size{rows, columns, 0, 0};
    ioctl(terminal_, TIOCSWINSZ, &size);
  }
  void send(int signal) const { kill(id_, signal); }
  /// Whether the terminal shows typed letters, as a shell expects it.
  [[nodiscard]] bool echoes() const {
    termios mode{};
    return tcgetattr(terminal_, &mode) == 0 && (mode.c_lflag & ECHO) != 0 && (mode.c_lflag & ICANON) != 0;
  }
  int wait() {
    if (code_) return *code_;
    int status = 0;
    const bool has_ended = eventually([&] {
      (void)text();
      return waitpid(id_, &status, WNOHANG) == id_;
    });
    code_ = !has_ended ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : 1'000 + WTERMSIG(status);
    return *code_;
  }

 private:
  int terminal_ = -1;
  pid_t id_ = 0;
  std::string text_;
  std::optional<int> code_;
};

constexpr auto enter_screen = "\x1b[?1049h";
constexpr auto leave_screen = "\x1b[?1049l";

}  // namespace

TEST_CASE("top draws in place, obeys its keys, follows a new size, and gives the terminal back") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  terminal_process top{{"top", "--cluster", cluster.directory(), "--interval", "300ms"}};
  REQUIRE(top.shows("tolerates 1 more fault"));
  CHECK(has(top.text(), enter_screen));
  CHECK(top.shows("primary"));
  CHECK_FALSE(top.echoes());
  top.type("?");
  CHECK(top.shows("sort by the next column"));
  top.type("?s");
  CHECK(top.shows("req/s*"));
  top.type("p");
  CHECK(top.shows("PAUSED"));
  top.type("p");
  top.forget();
  top.resize(200, 50);
  CHECK(top.shows("disk ms"));
  top.type("q");
  CHECK(top.wait() == 0);
  CHECK(has(top.text(), leave_screen));
  CHECK(top.echoes());
}

TEST_CASE("Ctrl-C and a signal end a live view with code 130 and give the terminal back") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  for (const auto& command : {words{"top"}, words{"status", "--watch", "300ms"}}) {
    CAPTURE(command.front());
    auto all = command;
    all.insert(all.end(), {"--cluster", cluster.directory()});
    terminal_process by_key{all};
    REQUIRE(by_key.shows("tolerates"));
    by_key.type("\x03");
    CHECK(by_key.wait() == 130);
    CHECK(has(by_key.text(), leave_screen));
    CHECK(by_key.echoes());
    terminal_process by_signal{all};
    REQUIRE(by_signal.shows("tolerates"));
    by_signal.send(SIGTERM);
    CHECK(by_signal.wait() == 130);
    CHECK(by_signal.echoes());
  }
}

TEST_CASE("status --watch without a terminal prints a line for each change, and none without a change") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  const scratch_folder folder;
  process watch{{"status", "--cluster", cluster.directory(), "--watch", "200ms", "--timeout", "1"},
                {"/dev/null", folder / "out", folder / "err", {}}};
  REQUIRE(eventually([&] { return has(text_of(folder / "out"), "tolerates 1 more fault"); }));
  cluster.replica(3).send(SIGKILL);
  CHECK(eventually([&] { return has(text_of(folder / "out"), "replica 3 unreachable"); }));
  watch.send(SIGINT);
  CHECK(watch.wait() == 130);
  const auto text = text_of(folder / "out");
  std::string before;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto content = line.substr(line.find(' '));
    CHECK(content != before);
    before = content;
  }
  CHECK_FALSE(has(text, "\x1b"));
}

TEST_CASE("top without a terminal prints pages, and the rounds end it") {
  running_cluster cluster;
  REQUIRE(cluster.is_ready());
  REQUIRE(cluster.ask("submit", {"-"}, puts(100)).code == 0);
  const auto page = cluster.ask("top", {"--interval", "700ms", "--rounds", "2"});
  CHECK(page.code == 0);
  CHECK(has(page.out, "executed"));
  CHECK_FALSE(has(page.out, "\x1b"));
  const auto look = cluster.ask("top", {"--interval", "700ms", "--rounds", "3", "-o", "json"}).out;
  const auto last = nlohmann::json::parse(look.substr(look.find_last_of('\n', look.size() - 2) + 1));
  CHECK(last["replicas"][0]["cpu_percent"].is_number());
  CHECK(last["replicas"][0]["resident_bytes"] > 1'000'000);
  CHECK(last["replicas"][0]["requests_per_second"].is_number());
}

}  // namespace hypermesh::testing::cli_test
