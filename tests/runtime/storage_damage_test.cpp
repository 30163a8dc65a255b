#include <doctest/doctest.h>

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "tests/runtime/storage_test_directory.hpp"
#include "tests/runtime/storage_test_script.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::storage_test;

namespace {

namespace fs = std::filesystem;

enum class ending { crashed, closed };

/// A directory with content of every kind: files of several starts, records in tables and in the log, a state, and
/// forgotten records. It was left by a crash or closed cleanly.
class sample {
 public:
  explicit sample(ending how, std::uint64_t seed = 7) : how_(how) {
    const auto home = folder_.path() / "home";
    initialise(home);
    storage_script script{seed};
    for (int life = 0; life < 3; ++life) {
      const auto node = start_in(home);
      script.on_start();
      for (int steps = 0; steps < 40; ++steps)
        expect_done(script.step(*node.storage));
      if (life == 2) {
        expect_done(node.storage->write({{record_of(record_kind::commit, 9'999, "the last promise")}}));
        if (how == ending::crashed) copy_directory(home, original());
      }
    }
    if (how == ending::closed) copy_directory(home, original());
    reset();
    expected_ = text_of(history_of(examine(damaged())));
    REQUIRE(contains(expected_, "n=9999"));
  }

  [[nodiscard]] fs::path original() const { return folder_.path() / "original"; }
  [[nodiscard]] fs::path damaged() const { return folder_.path() / "damaged"; }
  [[nodiscard]] ending how() const { return how_; }

  /// Makes a fresh copy, which the test may damage.
  void reset() const { copy_directory(original(), damaged()); }

  /// Whether the damaged directory is refused with the remedy, in the first and in the second attempt.
  [[nodiscard]] bool is_refused(std::string_view named = "") const {
    for (int attempt = 0; attempt < 2; ++attempt) {
      const auto read = examine(damaged());
      if (read) return false;
      CAPTURE(read.error().what);
      CHECK(contains(read.error().what, named));
      CHECK(contains(read.error().remedy, "--learner"));
    }
    return true;
  }

  /// Whether all acknowledged content is read back.
  [[nodiscard]] bool is_whole() const {
    const auto read = examine(damaged());
    return read && text_of(*read) == expected_;
  }

  /// Damage must be refused or do no harm. Any other outcome would mean that the replica forgot votes.
  [[nodiscard]] bool is_refused_or_whole() const {
    const auto read = examine(damaged());
    return !read || text_of(*read) == expected_;
  }

 private:
  ending how_;
  scratch_folder folder_;
  std::string expected_;
};

bool is_log(const fs::path& file) { return file.extension() == ".log"; }

/// Whether nothing is lost without the file, because it contains no data or is written again.
bool is_dispensable(const fs::path& file) {
  const auto name = file.filename().string();
  return name == "LOCK" || name == "IDENTITY" || name == "node.lock" || name.starts_with("OPTIONS-") ||
         file.parent_path() == "checksums";
}

/// Whether the storage cannot work without the undamaged file. A crash also leaves tables and logs that were replaced
/// but not removed yet, and the last edits of a manifest may be irrelevant.
bool is_vital(const fs::path& file, ending how) {
  const auto name = file.filename().string();
  return name.starts_with("node.") || name == "CURRENT" ||
         (how == ending::closed && file.extension() == ".sst" && file.parent_path() == "database");
}

/// Flips one bit at each of about `places` places of each file. Near the end, where the newest data is, every byte is
/// changed.
void flip_bits(const sample& tested, std::size_t places) {
  constexpr std::size_t end_bytes = 10;
  for (const auto& file : files_in(tested.original())) {
    const auto content = content_of(tested.original() / file);
    const auto stride = std::max<std::size_t>(content.size() / places, 1);
    for (std::size_t at = 0; at < content.size(); at += at + end_bytes < content.size() ? stride : 1) {
      CAPTURE(file.string());
      CAPTURE(at);
      tested.reset();
      auto changed = content;
      changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
      replace_content(tested.damaged() / file, changed);
      CHECK(tested.is_refused_or_whole());
    }
  }
}

}  // namespace

TEST_CASE("a missing file is refused, unless it holds no acknowledged record") {
  for (const auto how : {ending::crashed, ending::closed}) {
    const sample tested{how};
    for (const auto& file : files_in(tested.original())) {
      CAPTURE(file.string());
      tested.reset();
      fs::remove(tested.damaged() / file);
      const bool is_empty = fs::file_size(tested.original() / file) == 0;
      if (is_dispensable(file) || (is_log(file) && is_empty)) {
        CHECK(tested.is_whole());
      } else if (is_vital(file, how)) {
        CHECK(tested.is_refused());
      } else {
        CHECK(tested.is_refused_or_whole());
      }
    }
  }
}

TEST_CASE("a flipped bit anywhere in any file is refused or harmless") {
  for (const auto how : {ending::crashed, ending::closed}) {
    const sample tested{how};
    flip_bits(tested, 10);
  }
}

TEST_CASE("a shortened file is refused, unless the lost part holds no acknowledged record") {
  constexpr std::size_t places = 6;
  for (const auto how : {ending::crashed, ending::closed}) {
    const sample tested{how};
    for (const auto& file : files_in(tested.original())) {
      const auto content = content_of(tested.original() / file);
      const auto stride = std::max<std::size_t>(content.size() / places, 1);
      for (std::size_t size = 0; size < content.size(); size += stride) {
        CAPTURE(file.string());
        CAPTURE(size);
        tested.reset();
        replace_content(tested.damaged() / file, std::string_view{content}.substr(0, size));
        if (is_dispensable(file)) {
          CHECK(tested.is_whole());
        } else if (is_vital(file, how)) {
          CHECK(tested.is_refused());
        } else {
          CHECK(tested.is_refused_or_whole());
        }
      }
    }
  }
}

TEST_CASE("the error names the damaged file") {
  const sample tested{ending::crashed};
  for (const auto& file : files_in(tested.original())) {
    if (is_dispensable(file)) continue;
    const auto content = content_of(tested.original() / file);
    if (content.empty()) continue;
    CAPTURE(file.string());
    tested.reset();
    // The damage is at the beginning, with more data after it: in a block of a table, a batch of a log, an edit of a
    // manifest.
    auto changed = content;
    const auto at = file == "node.mark"       ? 0
                    : file == "node.identity" ? content.find("cluster = ")
                                              : std::min<std::size_t>(content.size() / 3, 100);
    changed[at] = static_cast<char>(changed[at] ^ 4);
    if (file == "node.mark") changed[512] = static_cast<char>(changed[512] ^ 4);
    replace_content(tested.damaged() / file, changed);
    if (is_vital(file, tested.how()) || !tested.is_whole()) CHECK(tested.is_refused(file.filename().string()));
  }
}

TEST_CASE("a database of another replica or an older copy is refused") {
  const sample tested{ending::crashed};
  const sample other{ending::crashed, 8};
  const std::vector<std::vector<std::string>> mixtures = {
      {"database"}, {"node.mark"}, {"node.identity"}, {"database", "node.mark"}};
  for (const auto& parts : mixtures) {
    tested.reset();
    for (const auto& part : parts) {
      CAPTURE(part);
      fs::remove_all(tested.damaged() / part);
      fs::copy(other.original() / part, tested.damaged() / part, fs::copy_options::recursive);
    }
    CHECK(tested.is_refused());
  }
  tested.reset();
  const scratch_folder backup;
  copy_directory(tested.damaged(), backup.path() / "old");
  expect_done(start_in(tested.damaged()).storage->write({{record_of(record_kind::commit, 10'000, "newer")}}));
  fs::remove_all(tested.damaged() / "database");
  fs::copy(backup.path() / "old" / "database", tested.damaged() / "database", fs::copy_options::recursive);
  CHECK(tested.is_refused("were acknowledged"));
}

// This test takes half an hour. To run it: --no-skip --test-case="tens of thousands*".
TEST_CASE("tens of thousands of flipped bits are refused or harmless" * doctest::skip()) {
  for (const auto how : {ending::crashed, ending::closed}) {
    const sample tested{how};
    flip_bits(tested, 20'000);
  }
}
