#include <doctest/doctest.h>

#include <string>

#include "runtime/node_config.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using storage_test::contains;
using storage_test::content_of;
using storage_test::replace_content;
using storage_test::scratch_folder;

namespace {

/// A new cluster of four replicas.
struct cluster_fixture {
  scratch_folder folder;
  cluster_layout layout{folder.path() / "cluster"};

  cluster_fixture() { REQUIRE(create_cluster(layout.root, {}).has_value()); }

  [[nodiscard]] node_config config_of(std::uint32_t number) const {
    auto read = read_node_config(layout.node_file(number));
    REQUIRE(read);
    return std::move(read).value();
  }

  /// The configuration of replica 0 in which `table` replaces the storage table.
  [[nodiscard]] or_error<node_config> with_storage(const std::string& table) const {
    auto text = content_of(layout.node_file(0));
    text.replace(text.find("[storage]"), std::string::npos, table);
    replace_content(layout.node_file(0), text);
    return read_node_config(layout.node_file(0));
  }
};

}  // namespace

TEST_CASE_FIXTURE(cluster_fixture, "a new cluster's replicas keep their votes, each in a directory of its own") {
  for (std::uint32_t number = 0; number < 4; ++number) {
    const auto config = config_of(number);
    CHECK(config.storage.mode == durability::sync);
    CHECK(config.storage.directory == layout.data_folder(number));
    CHECK(config.storage.retain_mib == 8);
    CHECK(check_storage(config.storage.directory, config.owner(), config.storage.mode).has_value());
    CHECK(origin_of(config.storage.directory, config.owner()).value() == directory_origin::fresh);
    const auto other = config_of((number + 1) % 4);
    CHECK_FALSE(check_storage(other.storage.directory, config.owner(), config.storage.mode).has_value());
  }
}

TEST_CASE("the genesis says how requests are authenticated, and the choice is part of the identity") {
  const scratch_folder folder;
  cluster_plan plan;
  plan.requests_by = protocol::request_authentication::authenticator;
  const cluster_layout layout{folder.path() / "cluster"};
  REQUIRE(create_cluster(layout.root, plan).has_value());
  auto content = read_genesis(layout.genesis_file());
  REQUIRE(content);
  CHECK(content->parameters().requests_by == protocol::request_authentication::authenticator);
  const auto chosen = content->id();
  content->requests_by = protocol::request_authentication::signature;
  CHECK(content->id() != chosen);
  // A file without the key means signatures, and keeps the identity that it had before there was a choice.
  auto text = content_of(layout.genesis_file());
  const auto line = text.find("request_authentication");
  REQUIRE(line != std::string::npos);
  text.erase(line, text.find('\n', line) + 1 - line);
  replace_content(layout.genesis_file(), text);
  const auto old = read_genesis(layout.genesis_file());
  REQUIRE(old);
  CHECK(old->parameters().requests_by == protocol::request_authentication::signature);
  CHECK(old->id() == content->id());
}

TEST_CASE_FIXTURE(cluster_fixture, "the storage table contains mode, directory and retention") {
  const auto read = with_storage("[storage]\nmode = \"async\"\ndirectory = \"elsewhere/votes\"\nretain_mib = 0\n");
  REQUIRE(read);
  const auto& storage = read->storage;
  CHECK(storage.mode == durability::async);
  CHECK(storage.directory == layout.replica_folder(0) / "elsewhere/votes");
  CHECK(storage.retain_mib == 0);
  const auto memory = with_storage("[storage]\nmode = \"memory\"\ndirectory = \"/votes\"\n");
  REQUIRE(memory);
  CHECK(memory->storage.mode == durability::memory);
  CHECK(memory->storage.directory == "/votes");
}

TEST_CASE_FIXTURE(cluster_fixture, "a missing storage table means full durability") {
  const auto read = with_storage("");
  REQUIRE(read);
  CHECK(read->storage.mode == durability::sync);
  CHECK(read->storage.directory == layout.data_folder(0));
}

TEST_CASE_FIXTURE(cluster_fixture, "all problems of the storage table are reported at once") {
  const auto read = with_storage("[storage]\nmode = \"fast\"\ndirectory = \"\"\nretain_mib = 4096\nsync = true\n");
  REQUIRE(!read);
  const auto& what = read.error().what;
  CHECK(contains(what, "'mode' has the unknown value 'fast'; use one of: sync, async, memory"));
  CHECK(contains(what, "'directory' is empty"));
  CHECK(contains(what, "'retain_mib' must be a whole number from 0 to 1024"));
  CHECK(contains(what, "unknown key 'sync'"));
}

TEST_CASE_FIXTURE(cluster_fixture, "the table of views contains the patience of the replica") {
  const auto read = with_storage(
      "[views]\nrequest_timeout_us = 2000000\nclosed_link_timeout_us = 20000\ntimeout_doublings_max = 3\n");
  REQUIRE(read);
  const auto& views = read->settings.views;
  CHECK(views.request_timeout == 2s);
  CHECK(views.closed_link_timeout == 20ms);
  CHECK(views.new_view_timeout == view_change_settings{}.new_view_timeout);
  CHECK(views.doublings_max == 3);
}

TEST_CASE_FIXTURE(cluster_fixture, "an impossible patience is refused") {
  const auto bad = with_storage("[views]\nrequest_timeout_us = 0\npatience = 5\n");
  REQUIRE(!bad);
  CHECK(contains(bad.error().what, "'request_timeout_us' must be a whole number from 10000"));
  CHECK(contains(bad.error().what, "unknown key 'patience'"));
}

TEST_CASE_FIXTURE(cluster_fixture, "a new cluster's replicas write audit trails, each in a folder of its own") {
  for (std::uint32_t number = 0; number < 4; ++number) {
    const auto audit = config_of(number).audit;
    CHECK(audit.enabled);
    CHECK(audit.votes);
    CHECK(audit.directory == layout.audit_folder(number));
    CHECK(audit.retain_mib == 256);
  }
}

TEST_CASE_FIXTURE(cluster_fixture,
                  "the audit table sets whether the trail is written, its votes, folder and retention") {
  const auto read = with_storage(
      "[storage]\nmode = \"memory\"\n"
      "[audit]\nenabled = true\nvotes = false\ndirectory = \"/var/trail\"\nretain_mib = 64\n");
  REQUIRE(read);
  const auto& audit = read->audit;
  CHECK(audit.enabled);
  CHECK_FALSE(audit.votes);
  CHECK(audit.directory == "/var/trail");
  CHECK(audit.retain_mib == 64);
  // By default, a replica without durable votes writes no trail, and every other replica writes one.
  CHECK_FALSE(with_storage("[storage]\nmode = \"memory\"\n").value().audit.enabled);
}

TEST_CASE_FIXTURE(cluster_fixture, "all problems of the audit table are reported at once") {
  const auto bad = with_storage("[storage]\n[audit]\nenabled = 1\nvotes = \"no\"\nretain_mib = 8\nkeep = 5\n");
  REQUIRE(!bad);
  const auto& what = bad.error().what;
  CHECK(contains(what, "'enabled' must be true or false"));
  CHECK(contains(what, "'votes' must be true or false"));
  CHECK(contains(what, "'retain_mib' must be a whole number from 16 to 1048576"));
  CHECK(contains(what, "unknown key 'keep'"));
}
