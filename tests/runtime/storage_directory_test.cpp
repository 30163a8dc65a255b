#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include <fmt/format.h>

#include "messages/digest.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::storage_test;

namespace {

namespace fs = std::filesystem;

constexpr std::string_view remedy = learner_remedy;

struct directory_fixture {
  scratch_folder folder;
  fs::path directory = folder.path() / "data";

  [[nodiscard]] fs::path identity() const { return directory / "node.identity"; }

  [[nodiscard]] world_error refusal(const storage_owner& asking = owner(), durability mode = durability::sync) const {
    return error_of(open_storage(directory, asking, mode));
  }

  void edit_identity(std::string_view from, std::string_view to) const {
    auto text = content_of(identity());
    const auto at = text.find(from);
    REQUIRE(at != std::string::npos);
    replace_content(identity(), text.replace(at, from.size(), to));
  }
};

}  // namespace

TEST_CASE_FIXTURE(directory_fixture, "a missing directory is refused, because an empty disk may be a lost one") {
  const auto error = refusal();
  CHECK(contains(error.what, directory.string() + " does not exist"));
  CHECK(contains(error.remedy, remedy));
  CHECK_FALSE(fs::exists(directory));
}

TEST_CASE_FIXTURE(directory_fixture, "a directory without identity is refused and left as it is") {
  fs::create_directory(directory);
  replace_content(directory / "mine", "something else");
  CHECK(contains(refusal().what, "node.identity is missing"));
  CHECK(refusal().remedy == remedy);
  CHECK(files_in(directory) == std::vector<fs::path>{"mine"});
}

TEST_CASE_FIXTURE(directory_fixture, "an empty directory is left as it is, and the advice names the mount first") {
  fs::create_directory(directory);
  const auto error = refusal();
  CHECK(contains(error.what, "is empty"));
  CHECK(error.remedy.find("mount") < error.remedy.find(remedy));
  CHECK(error.origin == fault_origin::configuration);
  CHECK(fs::is_empty(directory));
}

TEST_CASE_FIXTURE(directory_fixture, "the advice to use --learner names its cost") {
  CHECK(contains(std::string{remedy}, "counts as one of the f faulty replicas until it is readmitted"));
  CHECK(contains(std::string{remedy}, "never do this to more than f replicas"));
}

TEST_CASE_FIXTURE(directory_fixture, "an identity that cannot be read now is not reported as a lost one") {
  initialise(directory);
  const auto kept = content_of(identity());
  SUBCASE("no descriptor is left") {
    rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
    const open_file last{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
    rlimit full = before;
    // The limit leaves descriptors only for the folder.
    full.rlim_cur = static_cast<rlim_t>(last.descriptor()) + 2;
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &full) == 0);
    const auto usable = check_storage(directory, owner(), durability::sync);
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    REQUIRE_FALSE(usable.has_value());
    CHECK(contains(usable.error().remedy, "ulimit -n"));
    CHECK_FALSE(contains(usable.error().remedy, "--learner"));
  }
  SUBCASE("a folder is in its place") {
    fs::rename(identity(), folder.path() / "away");
    fs::create_directory(identity());
    CHECK(contains(refusal().what, "is a directory"));
    CHECK_FALSE(contains(refusal().remedy, "--learner"));
    fs::remove(identity());
    fs::rename(folder.path() / "away", identity());
  }
  CHECK(content_of(identity()) == kept);
  CHECK(check_storage(directory, owner(), durability::sync).has_value());
}

TEST_CASE_FIXTURE(directory_fixture, "a directory with votes is refused when its database is gone") {
  initialise(directory);
  { start_in(directory); }
  fs::remove_all(directory / "database");
  const auto read = examine(directory);
  REQUIRE(!read);
  CHECK(contains(read.error().what, "changes were acknowledged"));
  CHECK(contains(read.error().remedy, "mount"));
  CHECK(contains(read.error().remedy, remedy));
  CHECK_FALSE(fs::exists(directory / "database" / "CURRENT"));
}

TEST_CASE_FIXTURE(directory_fixture, "a new directory is private, and an existing one is used only if it is empty") {
  initialise(directory);
  struct stat facts {};
  REQUIRE(::stat(directory.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0700);
  const auto before = content_of(identity());
  const auto again = initialise_storage(directory, owner());
  REQUIRE_FALSE(again.has_value());
  CHECK(contains(again.error().what, "not an empty directory"));
  CHECK(content_of(identity()) == before);
  fs::create_directory(folder.path() / "empty");
  CHECK(initialise_storage(folder.path() / "empty", owner()).has_value());
}

TEST_CASE_FIXTURE(directory_fixture,
                  "a new file system, which has a folder lost+found, counts as empty for a learner") {
  fs::create_directories(directory / "lost+found");
  REQUIRE(make_learner(directory, owner()).has_value());
  CHECK(origin_of(directory, owner()).value() == directory_origin::learner);
  start_in(directory);
}

TEST_CASE_FIXTURE(directory_fixture, "a directory of another replica or cluster is refused with both names") {
  initialise(directory);
  auto other = owner();
  other.self = replica_id{3};
  CHECK(contains(refusal(other).what, "belongs to replica 2 of cluster 'tested' (id c1c1c1c1c1c1c1c1"));
  CHECK(contains(refusal(other).what, "this node is replica 3 of cluster 'tested'"));
  other = owner();
  other.cluster.bytes[0] = std::byte{0xc2};
  other.cluster_name = "another";
  CHECK(contains(refusal(other).what, "replica 2 of cluster 'another' (id c2c1c1c1c1c1c1c1"));
  CHECK_FALSE(contains(refusal(other).remedy, "--learner"));
  // The name of the cluster is for people only; the id identifies the cluster.
  other = owner();
  other.cluster_name = "renamed";
  CHECK(check_storage(directory, other, durability::sync).has_value());
}

TEST_CASE_FIXTURE(directory_fixture, "a cluster's name cannot break the identity file") {
  auto odd = owner();
  odd.cluster_name = "a\"b\\c\nreplica = 9";
  REQUIRE(initialise_storage(directory, odd).has_value());
  CHECK(check_storage(directory, odd, durability::sync).has_value());
}

TEST_CASE_FIXTURE(directory_fixture, "a directory of another format is refused without the advice to give it up") {
  initialise(directory);
  SUBCASE("newer") {
    edit_identity(fmt::format("format = {}", directory_format), fmt::format("format = {}", directory_format + 1));
    CHECK(contains(refusal().what, fmt::format("format {}, but this version reads format", directory_format + 1)));
  }
  SUBCASE("older") {
    // The content has the form that a version with this format wrote.
    replace_content(identity(),
                    "format = 1\n"
                    "cluster = \"d508f4399f2a15aaa4b04f31429692fa2dcab042e465f6abec995b144e7d0856\"\n"
                    "cluster_name = \"hypermesh\"\n"
                    "replica = 0\n"
                    "votes = \"kept\"\n"
                    "learner = \"no\"\n"
                    "database = \"b79aabdad5937f16\"\n"
                    "checksum = \"2c2836aea6b414b0\"\n");
    CHECK(contains(refusal().what, fmt::format("format 1, but this version reads format {}", directory_format)));
  }
  CHECK_FALSE(contains(refusal().remedy, "--learner"));
}

namespace {

/// The identity file of format 4, in which a replica was a learner or not.
std::string identity_of_format_4(std::string_view votes) {
  hasher hash{"hypermesh node identity"};
  hash.add(std::uint64_t{4}).add(owner().cluster.view());
  hash.add(owner().cluster_name.size()).add(as_byte_span(owner().cluster_name));
  hash.add(std::uint64_t{owner().self.value}).add(as_byte_span(votes)).add(std::uint64_t{0}).add(std::uint64_t{7});
  return fmt::format(
      "format = 4\ncluster = \"{}\"\ncluster_name = \"{}\"\nreplica = {}\nvotes = \"{}\"\nlearner = \"no\"\n"
      "database = \"0000000000000007\"\nchecksum = \"{}\"\n",
      to_hex(owner().cluster.view()), owner().cluster_name, owner().self.value, votes, to_hex(hash.finish().view(), 8));
}

}  // namespace

TEST_CASE_FIXTURE(directory_fixture,
                  "a directory whose kept state has the buckets of an earlier version names the format") {
  initialise(directory);
  for (const std::string_view votes : {"kept", "none"}) {
    replace_content(identity(), identity_of_format_4(votes));
    CHECK(contains(refusal().what, fmt::format("format 4, but this version reads format {}", directory_format)));
    CHECK_FALSE(contains(refusal().remedy, "--learner"));
  }
}

TEST_CASE_FIXTURE(directory_fixture,
                  "a new directory keeps its origin when its replica has voted, and so does every copy of it") {
  initialise(directory);
  const fs::path copy = folder.path() / "second-copy";
  fs::copy(directory, copy, fs::copy_options::recursive);
  { expect_done(start_in(directory).storage->write({{record_of(record_kind::commit, 1, "promised")}})); }
  CHECK(origin_of(directory, owner()).value() == directory_origin::fresh);
  { (void)start_in(copy); }
  CHECK(origin_of(copy, owner()).value() == directory_origin::fresh);
}

TEST_CASE_FIXTURE(directory_fixture, "an older format without its checksum is damage") {
  initialise(directory);
  edit_identity(fmt::format("format = {}", directory_format), "format = 1");
  CHECK(contains(refusal().what, "the checksum is wrong"));
  CHECK(contains(refusal().remedy, "--learner"));
}

TEST_CASE_FIXTURE(directory_fixture, "an identity from before the first vote does not make a replica new again") {
  initialise(directory);
  const auto fresh = content_of(identity());
  { expect_done(start_in(directory).storage->write({{record_of(record_kind::commit, 1, "promised")}})); }
  replace_content(identity(), fresh);
  CHECK(contains(refusal().what, "the database is not empty"));
  CHECK(refusal().remedy == remedy);
}

TEST_CASE_FIXTURE(directory_fixture, "an identity that was edited by hand is refused with the line") {
  initialise(directory);
  edit_identity("votes = \"none\"", "votes = \"kept\"");
  CHECK(contains(refusal().what, "node.identity:"));
  CHECK(contains(refusal().what, "checksum"));
  CHECK(refusal().remedy == remedy);
}

TEST_CASE_FIXTURE(directory_fixture,
                  "an open directory is refused to every other process, with the name of its owner") {
  initialise(directory);
  const auto first = start_in(directory);
  const auto error = refusal();
  CHECK(contains(error.what, fmt::format("in use by process {}", ::getpid())));
  CHECK(contains(error.remedy, "stop that process"));
  expect_done(first.storage->write({{record_of(record_kind::commit, 1, "undisturbed")}}));
}

TEST_CASE_FIXTURE(directory_fixture, "a directory is free again when its process was killed") {
  initialise(directory);
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const auto lock = directory_lock::take({directory});
    const char held = lock ? 'y' : 'n';
    if (::write(ends[1], &held, 1) == 1) ::pause();
    ::_exit(0);
  }
  char held = 'n';
  REQUIRE(::read(ends[0], &held, 1) == 1);
  CHECK(held == 'y');
  CHECK(contains(refusal().what, fmt::format("in use by process {}", child)));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK(open_storage(directory, owner(), durability::sync).has_value());
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE_FIXTURE(directory_fixture, "a learner's directory is made once where there is none, and stays a learner's") {
  for (int start = 0; start < 2; ++start) {
    REQUIRE(make_learner(directory, owner()).has_value());
    CHECK(origin_of(directory, owner()).value() == directory_origin::learner);
    start_in(directory);
  }
}

TEST_CASE_FIXTURE(directory_fixture, "a new directory without votes becomes a learner's") {
  initialise(directory);
  REQUIRE(make_learner(directory, owner()).has_value());
  CHECK(origin_of(directory, owner()).value() == directory_origin::learner);
  start_in(directory);
}

TEST_CASE_FIXTURE(directory_fixture, "a directory that holds votes is not made a learner's") {
  initialise(directory);
  start_in(directory);
  const auto made = make_learner(directory, owner());
  REQUIRE_FALSE(made.has_value());
  CHECK(contains(made.error().remedy, "without --learner"));
  CHECK(origin_of(directory, owner()).value() == directory_origin::fresh);
}

TEST_CASE_FIXTURE(directory_fixture, "a stranger does not learn whether a directory is a learner's") {
  initialise(directory, true);
  auto other = owner();
  other.self = replica_id{0};
  CHECK(!origin_of(directory, other));
  CHECK_FALSE(make_learner(directory, other).has_value());
  CHECK(origin_of(directory, owner()).value() == directory_origin::learner);
}

TEST_CASE_FIXTURE(directory_fixture, "mode memory needs no directory and keeps nothing") {
  const auto storage = open_in(directory, durability::memory);
  CHECK(text_of(history_of(storage->read())).empty());
  expect_done(storage->write({{record_of(record_kind::commit, 1, "gone")}}));
  CHECK_FALSE(fs::exists(directory));
}

TEST_CASE_FIXTURE(directory_fixture, "a replica that voted in mode memory is refused the other modes") {
  initialise(directory);
  for (int start = 0; start < 2; ++start)
    open_in(directory, durability::memory);
  for (const auto mode : {durability::sync, durability::async}) {
    CHECK(contains(refusal(owner(), mode).what, "has voted in mode \"memory\""));
    CHECK(refusal(owner(), mode).remedy == remedy);
  }
}

TEST_CASE_FIXTURE(directory_fixture, "mode memory does not delete stored votes") {
  initialise(directory);
  { start_in(directory); }
  CHECK(contains(refusal(owner(), durability::memory).what, "mode \"memory\" would lose"));
  CHECK(text_of(start_in(directory).history).empty());
}

TEST_CASE_FIXTURE(directory_fixture, "a directory that cannot be written is refused with the command that shows why") {
  initialise(directory);
  fs::create_directory(directory / "node.lock");
  const auto error = refusal();
  CHECK(contains(error.what, "node.lock"));
  CHECK(contains(error.remedy, "ls -la"));
}

TEST_CASE_FIXTURE(directory_fixture, "a check for objections changes nothing") {
  initialise(directory);
  CHECK(check_storage(directory, owner(), durability::sync).has_value());
  CHECK(files_in(directory) == std::vector<fs::path>{"node.identity"});
}
