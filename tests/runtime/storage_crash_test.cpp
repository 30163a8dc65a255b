#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include <fmt/format.h>

#include "tests/runtime/storage_test_directory.hpp"
#include "tests/runtime/storage_test_script.hpp"
#include "tests/support/simulated_storage.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::storage_test;

namespace {

namespace fs = std::filesystem;

std::string text_in(const fs::path& directory) { return text_of(history_of(examine(directory))); }

/// The newest write-ahead log, which is the log that is being written.
fs::path newest_log(const fs::path& directory) {
  fs::path newest;
  for (const auto& file : files_in(directory)) {
    if (file.extension() == ".log") newest = std::max(newest, file);
  }
  REQUIRE_FALSE(newest.empty());
  return newest;
}

/// A storage and its model, and copies of the directory in the state that a crash leaves.
struct crash_fixture {
  scratch_folder folder;
  fs::path home = folder.path() / "home";
  fs::path before = folder.path() / "before";
  fs::path after = folder.path() / "after";
  fs::path crashed = folder.path() / "crashed";
  testing::simulated_storage model;

  crash_fixture() { initialise(home); }

  [[nodiscard]] std::string expected() { return text_of(history_of(model.read())); }

  /// Simulates a crash in the middle of the change between `before` and `after`: only `size` bytes of the newest log
  /// are written, and the change is not acknowledged.
  void tear(const fs::path& log, const std::string& content, std::size_t size) const {
    copy_directory(after, crashed);
    fs::copy_file(before / "node.mark", crashed / "node.mark", fs::copy_options::overwrite_existing);
    replace_content(crashed / log, std::string_view{content}.substr(0, size));
  }
};

}  // namespace

TEST_CASE_FIXTURE(crash_fixture, "all acknowledged records survive a crash after any step") {
  storage_script script{11};
  storage_script model_script{11};
  const auto node = start_in(home);
  for (int step = 0; step < 150; ++step) {
    CAPTURE(step);
    expect_done(script.step(*node.storage));
    expect_done(model_script.step(model));
    copy_directory(home, crashed);
    CHECK(text_in(crashed) == expected());
  }
}

TEST_CASE_FIXTURE(crash_fixture, "a write that a crash tore anywhere was never acknowledged and is ignored silently") {
  const auto node = start_in(home);
  const std::vector<storage_record> promised = {record_of(record_kind::commit, 1, "promised")};
  const std::vector<storage_record> torn = {record_of(record_kind::commit, 2, std::string(150, 't')),
                                            record_of(record_kind::view_change, 3, "replaces nothing")};
  expect_done(node.storage->write(promised));
  expect_done(model.write(promised));
  copy_directory(home, before);
  expect_done(node.storage->write(torn));
  copy_directory(home, after);
  const auto log = newest_log(after);
  const auto content = content_of(after / log);
  const auto start = fs::file_size(before / log);
  REQUIRE(content.size() > start + 150);
  for (auto size = start; size < content.size(); ++size) {
    CAPTURE(size);
    tear(log, content, size);
    CHECK(text_in(crashed) == expected());
  }
  // With the last byte, the write is complete. It does no harm that it was not acknowledged.
  expect_done(model.write(torn));
  tear(log, content, content.size());
  CHECK(text_in(crashed) == expected());
}

TEST_CASE_FIXTURE(crash_fixture, "the same end of the log is refused if the write was acknowledged") {
  const auto node = start_in(home);
  expect_done(node.storage->write({{record_of(record_kind::commit, 1, "promised")}}));
  const auto start = content_of(home / newest_log(home)).size();
  expect_done(node.storage->write({{record_of(record_kind::commit, 2, "promised, too")}}));
  copy_directory(home, after);
  const auto log = newest_log(after);
  const auto content = content_of(after / log);
  for (auto size = start; size < content.size(); ++size) {
    CAPTURE(size);
    copy_directory(after, crashed);
    replace_content(crashed / log, std::string_view{content}.substr(0, size));
    const auto read = examine(crashed);
    REQUIRE(!read);
    CHECK(contains(read.error().what, "2 changes were acknowledged, but the database has 1"));
    CHECK(read.error().remedy == learner_remedy);
  }
}

TEST_CASE_FIXTURE(crash_fixture,
                  "a crash between the chunks and the manifest of a state leaves the state before, and no garbage") {
  const state_snapshot first = {chunk_of("shared"), chunk_of("old")};
  const state_snapshot second = {chunk_of("new"), chunk_of("shared")};
  const auto node = start_in(home);
  for (auto* each : {node.storage.get(), static_cast<stable_storage*>(&model)}) {
    expect_done(each->store_chunks(first));
    expect_done(each->keep_state(sequence_number{1}, leaves_of(first)));
    expect_done(each->write({{record_of(record_kind::commit, 2, "vote")}}));
  }
  const auto held = node.storage->bytes_held();
  expect_done(node.storage->store_chunks(second));
  copy_directory(home, before);
  expect_done(node.storage->keep_state(sequence_number{2}, leaves_of(second)));
  copy_directory(home, after);
  const auto log = newest_log(after);
  const auto content = content_of(after / log);
  for (std::size_t size = 0; size < content.size(); size += 7) {
    CAPTURE(size);
    tear(log, content, size);
    const auto restarted = start_in(crashed);
    CHECK(text_of(restarted.history) == expected());
    CHECK(restarted.storage->bytes_held() == held);
  }
  expect_done(model.store_chunks(second));
  expect_done(model.keep_state(sequence_number{2}, leaves_of(second)));
  CHECK(text_in(after) == expected());
}

TEST_CASE_FIXTURE(crash_fixture,
                  "recently forgotten records may come back after a power failure, all of them or none") {
  const auto node = start_in(home);
  const auto write = [&](std::uint64_t sequence) {
    const std::vector<storage_record> record = {record_of(record_kind::commit, sequence, std::string(100'000, 'r'))};
    expect_done(node.storage->write(record));
    expect_done(model.write(record));
  };
  // There are enough records for several tables, which forgetting removes as a whole.
  for (std::uint64_t sequence = 1; sequence <= 200; ++sequence)
    write(sequence);
  for (const std::uint64_t last : {100, 150, 190}) {
    CAPTURE(last);
    write(last + 100);
    // All records are synced, but the forgetting is not.
    const auto log = newest_log(home);
    const auto synced = fs::file_size(home / log);
    const auto not_forgotten = expected();
    expect_done(node.storage->forget_through(sequence_number{last}));
    expect_done(model.forget_through(sequence_number{last}));
    copy_directory(home, crashed);
    CHECK(text_in(crashed) == expected());
    copy_directory(home, crashed);
    REQUIRE(newest_log(crashed) == log);
    fs::resize_file(crashed / log, synced);
    CHECK(text_in(crashed) == not_forgotten);
  }
}

TEST_CASE_FIXTURE(crash_fixture, "a crash before the first vote leaves a directory that starts as new") {
  { const auto opened_only = open_in(home); }
  copy_directory(home, crashed);
  CHECK(text_in(crashed).empty());
  // The database was created, but the identity file does not record this yet.
  initialise(before);
  fs::copy(home / "database", before / "database", fs::copy_options::recursive);
  CHECK(text_in(before).empty());
  // The creation of the database was not even complete.
  initialise(after);
  fs::copy(home / "database", after / "database", fs::copy_options::recursive);
  fs::remove(after / "database" / "CURRENT");
  for (const auto& file : files_in(after)) {
    if (file.extension() == ".log") fs::remove(after / file);
  }
  CHECK(text_in(after).empty());
}

// --- A process that is killed ------------------------------------------------

namespace {

constexpr auto child_name = "the child of the crash test writes until it is killed";
constexpr auto child_task = "HYPERMESH_STORAGE_TEST_CHILD";
/// The descriptor to which the child writes the number of each acknowledged step.
constexpr int child_output = 3;

/// Starts this binary again with only the test case of the child, and reads from the pipe to which the child writes.
struct child_process {
  pid_t id = -1;
  int output = -1;

  explicit child_process(const std::string& task) {
    std::array<int, 2> ends{};
    REQUIRE(::pipe(ends.data()) == 0);
    const auto filter = fmt::format("--test-case={}", child_name);
    REQUIRE(::setenv(child_task, task.c_str(), 1) == 0);
    id = ::fork();
    REQUIRE(id >= 0);
    if (id == 0) {
      if (::dup2(ends[1], child_output) < 0) ::_exit(1);
      ::execl("/proc/self/exe", "child", filter.c_str(), "--no-skip", "--out=/dev/null", nullptr);
      ::_exit(1);
    }
    ::close(ends[1]);
    output = ends[0];
  }
  ~child_process() {
    ::kill(id, SIGKILL);
    ::waitpid(id, nullptr, 0);
    ::close(output);
  }
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  /// The number of the next acknowledged step; nothing at the end.
  [[nodiscard]] std::optional<std::uint64_t> next_acknowledged() const {
    std::uint64_t step = 0;
    if (::read(output, &step, sizeof(step)) != sizeof(step)) return std::nullopt;
    return step;
  }
};

}  // namespace

TEST_CASE("the child of the crash test writes until it is killed" * doctest::skip()) {
  const char* const task = std::getenv(child_task);
  REQUIRE(task != nullptr);
  // The task has the form <mode> <directory> <steps before each start>…
  std::istringstream words{task};
  std::string mode;
  std::string directory;
  words >> mode >> directory;
  storage_script script{5};
  testing::simulated_storage nowhere;
  for (std::uint64_t start = 0; words >> start; script.on_start()) {
    while (script.steps() < start)
      expect_done(script.step(nowhere));
  }
  const auto node = start_in(directory, mode == "async" ? durability::async : durability::sync);
  for (;;) {
    expect_done(script.step(*node.storage));
    const auto step = script.steps();
    if (::write(child_output, &step, sizeof(step)) != sizeof(step)) return;
  }
}

TEST_CASE_FIXTURE(crash_fixture, "a process that is killed at any moment finds all its acknowledged records") {
  for (const std::string mode : {"sync", "async"}) {
    CAPTURE(mode);
    const auto directory = folder.path() / mode;
    initialise(directory);
    storage_script script{5};
    testing::simulated_storage expected_storage;
    splitmix64 random{17};
    auto task = fmt::format("{} {}", mode, directory.string());
    for (int life = 0; life < 15; ++life) {
      task += fmt::format(" {}", script.steps());
      script.on_start();
      auto acknowledged = script.steps();
      {
        const child_process child{task};
        for (auto wanted = 1 + random.below(80); wanted > 0; --wanted)
          acknowledged = child.next_acknowledged().value_or(0);
        REQUIRE(acknowledged > 0);
        REQUIRE(::kill(child.id, SIGKILL) == 0);
        while (const auto more = child.next_acknowledged())
          acknowledged = *more;
      }
      while (script.steps() < acknowledged)
        expect_done(script.step(expected_storage));
      const auto found = text_of(history_of(examine(directory)));
      // The step in progress may be present, but only as a whole.
      if (found != text_of(history_of(expected_storage.read()))) expect_done(script.step(expected_storage));
      REQUIRE(found == text_of(history_of(expected_storage.read())));
    }
  }
}
