#include <doctest/doctest.h>

#include <sys/resource.h>

#include <csignal>

#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::storage_test;

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t mib = 1ULL << 20U;

struct directory_fixture {
  scratch_folder folder;
  fs::path directory = folder.path() / "data";

  directory_fixture() { initialise(directory); }

  [[nodiscard]] std::uint64_t bytes_on_disk() const {
    std::uint64_t bytes = 0;
    for (const auto& [file, size] : listing_of(directory))
      bytes += size;
    return bytes;
  }
};

/// While this object lives, no file of this process can grow beyond `bytes`. To the process this looks like a full
/// disk.
class full_disk {
 public:
  explicit full_disk(std::uint64_t bytes) {
    before_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    auto limited = before_;
    limited.rlim_cur = bytes;
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
  }
  ~full_disk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_handler_);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;

 private:
  rlimit before_{};
  void (*before_handler_)(int) = nullptr;
};

std::vector<storage_record> some_votes(std::uint64_t sequence) {
  const std::string frame(300, static_cast<char>('a' + sequence % 26));
  return {record_of(record_kind::pre_prepare, sequence, frame), record_of(record_kind::prepare, sequence, frame),
          record_of(record_kind::commit, sequence, frame),
          record_of(record_kind::stable_checkpoint, sequence, "proof")};
}

}  // namespace

TEST_CASE_FIXTURE(
    directory_fixture,
    "a full disk gives an error with advice, then nothing more is written, and no acknowledged record is lost") {
  std::string acknowledged;
  {
    const auto node = start_in(directory);
    stored_history written;
    or_error<void> done;
    {
      const full_disk full{64 * 1024};
      for (std::uint64_t sequence = 1; done && sequence < 10'000; ++sequence) {
        const std::vector<storage_record> votes = {record_of(record_kind::commit, sequence, std::string(300, 'v'))};
        done = node.storage->write(votes);
        if (done) written.records.push_back(votes.front());
      }
      REQUIRE_FALSE(done.has_value());
      CHECK(contains(done.error().what, "cannot make records durable"));
      CHECK(contains(done.error().remedy, "free space"));
    }
    acknowledged = text_of(written);
    const auto again = node.storage->write(some_votes(1));
    REQUIRE_FALSE(again.has_value());
    CHECK(again.error().what == done.error().what);
    CHECK_FALSE(node.storage->forget_through(sequence_number{9}).has_value());
    CHECK_FALSE(node.storage->store_chunks({{chunk_of("a")}}).has_value());
    CHECK_FALSE(node.storage->keep_state(sequence_number{9}, {}).has_value());
  }
  auto found = start_in(directory).history;
  // The failed write may be present, although it was not acknowledged.
  if (text_of(found) != acknowledged) found.records.pop_back();
  CHECK(text_of(found) == acknowledged);
}

TEST_CASE_FIXTURE(directory_fixture,
                  "a disk that fills while a state is stored gives an error, and the state before stays") {
  {
    const auto node = start_in(directory);
    expect_done(node.storage->store_chunks({{chunk_of("old")}}));
    expect_done(node.storage->keep_state(sequence_number{1}, leaves_of({chunk_of("old")})));
    const full_disk full{100 * 1024};
    const state_snapshot large = {chunk_of(std::string(150'000, 'l')), chunk_of(std::string(150'000, 'm'))};
    auto done = node.storage->store_chunks(large);
    if (done) done = node.storage->keep_state(sequence_number{2}, leaves_of(large));
    REQUIRE_FALSE(done.has_value());
    CHECK(contains(done.error().remedy, "free space"));
  }
  const auto node = start_in(directory);
  REQUIRE(node.history.state.has_value());
  CHECK(node.history.state->sequence == sequence_number{1});
}

TEST_CASE_FIXTURE(directory_fixture,
                  "a disk that is full at the start gives an error with advice, and nothing is damaged") {
  {
    const auto node = start_in(directory);
    for (std::uint64_t sequence = 1; sequence < 200; ++sequence)
      expect_done(node.storage->write(some_votes(sequence)));
    copy_directory(directory, folder.path() / "crashed");
  }
  {
    const full_disk full{16 * 1024};
    const auto read = examine(folder.path() / "crashed");
    REQUIRE(!read);
    CHECK(contains(read.error().remedy, "free space"));
  }
  CHECK(start_in(folder.path() / "crashed").history.records.size() == 3 * 199 + 1);
}

TEST_CASE_FIXTURE(directory_fixture, "the disk usage is bounded after hundreds of thousands of forgotten records") {
  // The test uses mode async, because it tests the disk usage and not the duration of syncs.
  constexpr std::uint64_t retained = 512;
  constexpr std::uint64_t checkpoint_period = 128;
  const auto node = start_in(directory, durability::async);
  std::uint64_t largest = 0;
  for (std::uint64_t sequence = 1; sequence <= 60'000; ++sequence) {
    expect_done(node.storage->write(some_votes(sequence)));
    if (sequence % checkpoint_period != 0) continue;
    if (sequence > retained) expect_done(node.storage->forget_through(sequence_number{sequence - retained}));
    if (sequence % (32 * checkpoint_period) == 0) largest = std::max(largest, bytes_on_disk());
  }
  CHECK(node.storage->bytes_held() <= (retained + checkpoint_period) * 900 + 5);
  // The bound covers the logs that a restart reads, tables of twice the write buffers, and data that is not compacted
  // yet.
  CHECK(largest < 64 * mib);
  CHECK(bytes_on_disk() < 64 * mib);
}

TEST_CASE_FIXTURE(directory_fixture, "the disk usage is bounded after many states") {
  const auto node = start_in(directory, durability::async);
  std::uint64_t largest = 0;
  state_snapshot state;
  for (int index = 0; index < 32; ++index)
    state.push_back(chunk_of(std::string(100'000, 'a')));
  for (std::uint64_t sequence = 1; sequence <= 100; ++sequence) {
    for (std::uint64_t changed = 0; changed < 8; ++changed) {
      state[(sequence * 5 + changed) % state.size()] =
          chunk_of(std::string(100'000, 'b') + std::to_string(sequence) + '/' + std::to_string(changed));
    }
    expect_done(node.storage->store_chunks(state));
    expect_done(node.storage->keep_state(sequence_number{sequence}, leaves_of(state)));
    largest = std::max(largest, bytes_on_disk());
  }
  CHECK(node.storage->bytes_held() < 4 * mib);
  CHECK(largest < 64 * mib);
}
