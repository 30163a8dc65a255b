#include <doctest/doctest.h>
#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <vector>

#include "runtime/base/safe_text.hpp"
#include "runtime/config_check.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using storage_test::contains;
using storage_test::content_of;
using storage_test::replace_content;
using storage_test::scratch_folder;

namespace {

namespace fs = std::filesystem;

/// A new cluster of four replicas. The tests damage its files.
struct files_fixture {
  scratch_folder folder;
  cluster_layout layout{folder.path() / "cluster"};

  files_fixture() { REQUIRE(create_cluster(layout.root, {}).has_value()); }

  static void edit(const fs::path& file, std::string_view from, std::string_view to) {
    auto text = content_of(file);
    const auto at = text.find(from);
    REQUIRE_MESSAGE(at != std::string::npos, from);
    replace_content(file, text.replace(at, from.size(), to));
  }

  /// The number of the first line that contains `part`, in the form that messages use.
  static std::string line_of(const fs::path& file, std::string_view part) {
    const auto text = content_of(file);
    const auto before = text.substr(0, text.find(part));
    return fmt::format("{}:{}:", file.string(), 1 + std::ranges::count(before, '\n'));
  }

  [[nodiscard]] std::string problems(const fs::path& file) const {
    std::string all;
    for (const auto& each : problems_of(file, kind_of_config(file).value_or(config_kind::genesis))) {
      all += each.what + "\n" + each.remedy + "\n";
    }
    return all;
  }
  [[nodiscard]] std::string problems_of_replica(std::uint32_t number) const {
    return problems(layout.node_file(number));
  }
  [[nodiscard]] fs::path key_of(std::uint32_t number) const { return layout.replica_folder(number) / "secret.key"; }
};

/// Texts that a shell, a form or an attacker may give for a name or a host.
const std::vector<std::string> hostile_texts = {"",
                                                " ",
                                                "a b",
                                                "\"x\"",
                                                "'x'",
                                                "back\\slash",
                                                "\\u0041",
                                                "a\nb",
                                                "a\rb",
                                                "tab\t",
                                                "\x1b[31mred",
                                                "\x7f",
                                                "\xc2\x9b"
                                                "31m",
                                                "\xff\xfe",
                                                "\xc0\xaf",
                                                "\xed\xa0\x80",
                                                "h\xc3\xb6st",
                                                "\xe2\x80\xae"
                                                "evil",
                                                "# no comment",
                                                "]]",
                                                "${x}",
                                                std::string{"a\0b", 3},
                                                std::string(128, 'n'),
                                                std::string(129, 'n'),
                                                std::string(100'000, 'n')};

}  // namespace

TEST_CASE_FIXTURE(files_fixture, "the files of a new cluster have no problems") {
  CHECK(problems(layout.genesis_file()).empty());
  for (std::uint32_t number = 0; number < 4; ++number)
    CHECK(problems_of_replica(number).empty());
  CHECK(problems(layout.client_file(0)).empty());
}

TEST_CASE("the parameters of a cluster are read back as given, or refused before a file is written") {
  const scratch_folder folder;
  std::size_t made = 0;
  for (const bool is_name : {true, false}) {
    for (const auto& text : hostile_texts) {
      CAPTURE(visible_text(text).substr(0, 40));
      const cluster_layout layout{folder.path() / std::to_string(++made)};
      cluster_plan plan;
      plan.clients = 1;
      (is_name ? plan.name : plan.host) = text;
      const auto created = create_cluster(layout.root, plan);
      if (!created) {
        CHECK(created.error().origin == fault_origin::configuration);
        CHECK(visible_text(created.error().what) == created.error().what);
        CHECK_FALSE(fs::exists(layout.root));
        continue;
      }
      const auto read = read_genesis(layout.genesis_file());
      REQUIRE_MESSAGE(read, (read ? "" : read.error().what));
      CHECK(read->id() == created->id());
      if (is_name) CHECK(read->name == text);
      CHECK(problems_of(layout.node_file(3), config_kind::node).empty());
      CHECK(problems_of(layout.client_file(0), config_kind::client).empty());
    }
  }
}

TEST_CASE("names with quotes, backslashes and letters of any language are possible") {
  for (const auto* name : {"the \"best\" cluster", "a\\b", "h\xc3\xb6st", "\xe6\x97\xa5\xe6\x9c\xac"})
    CHECK(flaw_of_cluster_name(name).empty());
  CHECK(contains(flaw_of_cluster_name("\x1b[31m"), "control character"));
  CHECK(contains(flaw_of_cluster_name("\xff"), "is not UTF-8"));
}

TEST_CASE("a host may be an IPv6 address with and without brackets") {
  const scratch_folder folder;
  for (const auto* host : {"2001:db8::20", "[2001:db8::20]"}) {
    const cluster_layout layout{folder.path() / host};
    cluster_plan plan;
    plan.host = host;
    REQUIRE(create_cluster(layout.root, plan).has_value());
    CHECK(contains(content_of(layout.genesis_file()), "\"[2001:db8::20]:7400\""));
    CHECK(read_genesis(layout.genesis_file()).has_value());
  }
}

TEST_CASE("a directory without a name is refused, and existing files stay") {
  CHECK(contains(create_cluster("", {}).error().remedy, "check that it is set"));
  const scratch_folder folder;
  replace_content(folder.path() / "mine", "precious");
  CHECK(!create_cluster(folder.path(), {}));
  CHECK(content_of(folder.path() / "mine") == "precious");
  fs::create_symlink(folder.path() / "nowhere", folder.path() / "dangling");
  CHECK(!create_cluster(folder.path() / "dangling", {}));
  CHECK_FALSE(fs::exists(folder.path() / "nowhere"));
}

TEST_CASE("a cluster that cannot be written completely leaves nothing behind") {
  const scratch_folder folder;
  const auto is_new = folder.path() / "parents" / "cluster";
  const auto existed = folder.path() / "existed";
  fs::create_directory(existed);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // The key files fit the limit, but the genesis with its many clients does not. So the last file fails, as on a full
    // disk.
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{4'096, 4'096};
    ::setrlimit(RLIMIT_FSIZE, &small);
    cluster_plan plan;
    plan.clients = 60;
    const bool failed = !create_cluster(is_new, plan) && !create_cluster(existed, plan);
    ::_exit(failed ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK_FALSE(fs::exists(folder.path() / "parents"));
  CHECK(fs::is_empty(existed));
}

TEST_CASE_FIXTURE(files_fixture, "members with one address or one key are named with both lines") {
  const auto file = layout.genesis_file();
  const auto first_key = content_of(file).substr(content_of(file).find("key = "), 6 + 66);
  edit(file, "127.0.0.1:7402", "127.0.0.1:7401");
  edit(file, content_of(file).substr(content_of(file).rfind("key = "), 6 + 66), first_key);
  const auto found = problems(file);
  CHECK(contains(found, "replica 1 already has the address 127.0.0.1:7401"));
  CHECK(contains(found, "replica 0 already has this key"));
  CHECK(contains(found, fmt::format("{}:", file.string())));
  CHECK_FALSE(contains(found, line_of(file, "127.0.0.1:7401")));
}

TEST_CASE_FIXTURE(files_fixture, "an address that cannot be dialed is refused with its line") {
  const auto file = layout.genesis_file();
  edit(file, "127.0.0.1:7401", "127.0.0.1:0");
  edit(file, "127.0.0.1:7402", "2001:db8::20");
  edit(file, "127.0.0.1:7403", "*:7403");
  const auto found = problems(file);
  CHECK(contains(found, line_of(file, "127.0.0.1:0")));
  CHECK(contains(found, line_of(file, "2001:db8::20")));
  CHECK(contains(found, "[2001:db8::20]:7400"));
  CHECK(contains(found, line_of(file, "*:7403")));
}

TEST_CASE_FIXTURE(files_fixture, "a name with control characters is refused and shown as text") {
  edit(layout.genesis_file(), "name = \"hypermesh\"", "name = \"\\u001b[31m\"");
  const auto found = problems(layout.genesis_file());
  CHECK(contains(found, "\\x1b[31m"));
  CHECK_FALSE(contains(found, "\x1b"));
}

TEST_CASE_FIXTURE(files_fixture, "all problems of a node's file and of its genesis are reported at once") {
  edit(layout.genesis_file(), "127.0.0.1:7401", "127.0.0.1:0");
  edit(layout.node_file(1), "mode = \"sync\"", "mode = \"papyrus\"");
  fs::permissions(key_of(1), fs::perms::group_read, fs::perm_options::add);
  const auto found = problems_of_replica(1);
  CHECK(contains(found, "127.0.0.1:0"));
  CHECK(contains(found, "papyrus"));
  CHECK(contains(found, "chmod 600"));
}

TEST_CASE_FIXTURE(files_fixture, "a batch target is never above the maximum") {
  const auto read_with = [this](const std::string& keys) {
    edit(layout.node_file(0), "[batching]", "[batching]\n" + keys);
    return problems_of_replica(0);
  };
  SUBCASE("both are given") {
    const auto found = read_with("requests_per_batch_max = 10\nrequests_per_batch_target = 11");
    CHECK(contains(found, "'requests_per_batch_target' is 11, which exceeds 'requests_per_batch_max' = 10"));
    CHECK(contains(found, line_of(layout.node_file(0), "requests_per_batch_target = 11")));
  }
  SUBCASE("only the maximum is given") {
    CHECK(read_with("requests_per_batch_max = 1").empty());
    const auto read = read_node_config(layout.node_file(0));
    CHECK(read->settings.batching.requests_per_batch_target == 1);
  }
}

TEST_CASE_FIXTURE(files_fixture, "data and audit trail need separate folders") {
  const auto file = layout.node_file(0);
  SUBCASE("the same") { edit(file, "directory = \"audit\"", "directory = \"data\""); }
  SUBCASE("the same by another path") { edit(file, "directory = \"audit\"", "directory = \"../replica-0/./data/\""); }
  SUBCASE("the same by a link") {
    fs::create_directory_symlink("data", layout.replica_folder(0) / "link");
    edit(file, "directory = \"audit\"", "directory = \"link\"");
  }
  SUBCASE("the trail below the data") { edit(file, "directory = \"audit\"", "directory = \"data/audit\""); }
  SUBCASE("the data below the trail") { edit(file, "directory = \"audit\"", "directory = \".\""); }
  CHECK(contains(problems_of_replica(0), "must not be the same, nor one inside the other"));
}

TEST_CASE_FIXTURE(files_fixture,
                  "a data directory that holds the key is refused, because it may have to be moved away") {
  edit(layout.node_file(0), "directory = \"data\"", "directory = \".\"");
  CHECK(contains(problems_of_replica(0), "the key file is in the data directory"));
}

TEST_CASE_FIXTURE(files_fixture, "an empty text is not a path") {
  edit(layout.node_file(0), "genesis = \"../genesis.toml\"", "genesis = \"\"");
  edit(layout.node_file(0), "key_file = \"secret.key\"", "key_file = \"\"");
  edit(layout.node_file(0), "# listen = \"*:7400\"", "listen = \"\"");
  const auto found = problems_of_replica(0);
  CHECK(contains(found, "'genesis' is empty"));
  CHECK(contains(found, "'key_file' is empty"));
  CHECK(contains(found, "'' has no port"));
}

TEST_CASE_FIXTURE(files_fixture, "a secret key has mode 0600 and is its member's own") {
  SUBCASE("readable by others") {
    ::chmod(key_of(1).c_str(), 0644);
    CHECK(contains(problems_of_replica(1), "other users may read or change it"));
  }
  SUBCASE("executable by its owner") {
    ::chmod(key_of(1).c_str(), 0700);
    const auto found = problems_of_replica(1);
    CHECK(contains(found, "has mode 0700, but a secret needs 0600"));
    CHECK_FALSE(contains(found, "other users may"));
  }
  SUBCASE("of another replica") {
    fs::copy_file(key_of(2), key_of(1), fs::copy_options::overwrite_existing);
    CHECK(
        contains(problems_of_replica(1), "the secret key belongs to replica-2, but the genesis lists replica-1 with"));
  }
  SUBCASE("of a client") {
    fs::copy_file(layout.client_folder(3) / "secret.key", key_of(1), fs::copy_options::overwrite_existing);
    CHECK(contains(problems_of_replica(1), "belongs to client-3"));
  }
  SUBCASE("of no member") {
    fs::remove(key_of(1));
    REQUIRE(write_secret_key(key_of(1), secret_key::generate()).has_value());
    CHECK(contains(problems_of_replica(1), "belongs to no member of the genesis"));
  }
}

TEST_CASE_FIXTURE(files_fixture, "a replica that listens where no member dials gets a warning") {
  const auto listens_on = [this](const std::string& listen) {
    edit(layout.node_file(1), "# listen = \"*:7400\"", "listen = \"" + listen + "\"");
    return problems_of_replica(1);
  };
  SUBCASE("on its own address") { CHECK(listens_on("127.0.0.1:7401").empty()); }
  SUBCASE("on every address") { CHECK(listens_on("*:7401").empty()); }
  SUBCASE("another port of the same address") {
    CHECK(contains(listens_on("127.0.0.1:7411"), "listens on 127.0.0.1:7411, another port of the same machine"));
  }
  SUBCASE("another port of this machine") { CHECK(contains(listens_on("*:7411"), "another port")); }
  SUBCASE("an address of the other version") { CHECK(contains(listens_on("[::1]:7401"), "other IP version")); }
  SUBCASE("where only this machine reaches it") {
    edit(layout.genesis_file(), "127.0.0.1:7401", "192.0.2.1:7401");
    CHECK(contains(listens_on("127.0.0.1:7401"), "only this machine"));
  }
  SUBCASE("an address translation in between gives no warning") {
    edit(layout.genesis_file(), "127.0.0.1:7401", "replica-1.example:7401");
    CHECK(listens_on("*:7411").empty());
  }
}

TEST_CASE_FIXTURE(files_fixture,
                  "an empty data directory is reported as an unmounted disk before it is reported as a lost one") {
  const auto data = layout.data_folder(0);
  fs::remove_all(data);
  SUBCASE("missing") { CHECK(contains(problems_of_replica(0), "does not exist")); }
  SUBCASE("empty") {
    fs::create_directory(data);
    CHECK(contains(problems_of_replica(0), "is empty"));
  }
  SUBCASE("a new file system") {
    fs::create_directories(data / "lost+found");
    CHECK(contains(problems_of_replica(0), "is empty"));
  }
  const auto found = problems_of_replica(0);
  CHECK(found.find("mount") < found.find("--learner"));
  CHECK(contains(found, "never do this to more than f replicas"));
  CHECK_FALSE(contains(found, "has run before"));
  fs::create_directory(layout.audit_folder(0));
  replace_content(layout.audit_folder(0) / "000001.log", "whatever");
  CHECK(contains(problems_of_replica(0), "this replica has run before and held data"));
}

TEST_CASE_FIXTURE(files_fixture, "an unreadable file is not reported as a file with wrong lines") {
  const auto file = layout.genesis_file();
  SUBCASE("missing") {
    fs::remove(file);
    CHECK(contains(problems_of_replica(0), "No such file"));
  }
  SUBCASE("a directory") {
    fs::remove(file);
    fs::create_directory(file);
    CHECK(contains(problems_of_replica(0), "is a directory"));
  }
  SUBCASE("a pipe without a writer") {
    fs::remove(file);
    REQUIRE(::mkfifo(file.c_str(), 0600) == 0);
    CHECK(contains(problems_of_replica(0), "a pipe or a device"));
  }
  SUBCASE("a link to itself") {
    fs::remove(file);
    fs::create_symlink(file.filename(), file);
    CHECK(contains(problems_of_replica(0), "symbolic links"));
  }
  CHECK_FALSE(contains(problems_of_replica(0), "correct the lines"));
}

TEST_CASE_FIXTURE(files_fixture, "a file that only others may read is reported with the command that shows why") {
  if (::geteuid() != 0) {
    MESSAGE("not run: only root can take the rights of another user");
    return;
  }
  ::chmod(folder.path().c_str(), 0755);
  for (const auto& entry : fs::recursive_directory_iterator{layout.root})
    ::chmod(entry.path().c_str(), entry.is_directory() ? 0755 : 0600);
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr uid_t nobody = 65'534;
    if (::setresgid(nobody, nobody, nobody) != 0 || ::setresuid(nobody, nobody, nobody) != 0) ::_exit(2);
    const auto read = read_genesis(layout.genesis_file());
    const bool told = !read && contains(read.error().what, "Permission denied") &&
                      contains(read.error().remedy, "ls -la") && read.error().origin == fault_origin::configuration &&
                      !problems_of(layout.node_file(0), config_kind::node).empty();
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE_FIXTURE(files_fixture, "the token and the TLS files of the HTTP server are checked before the start") {
  const auto file = layout.node_file(0);
  const auto token = layout.replica_folder(0) / "token";
  edit(file, "# enabled = false", "enabled = true\ntoken_file = \"token\"");
  CHECK(contains(problems(file), token.string()));
  replace_content(token, "0123456789abcdef\n");
  ::chmod(token.c_str(), 0644);
  CHECK(contains(problems(file), "chmod 600"));
  ::chmod(token.c_str(), 0600);
  CHECK(problems(file).empty());
  replace_content(token, "short\n");
  CHECK(contains(problems(file), "printable characters"));
  replace_content(token, "0123456789abcdef\n");
  edit(file, "# tls_certificate = ", "tls_certificate = \"none.pem\"\ntls_key = \"none.key\"\n# tls_certificate = ");
  CHECK(contains(problems(file), "none.pem"));
  CHECK(contains(problems(file), "none.key"));
}
