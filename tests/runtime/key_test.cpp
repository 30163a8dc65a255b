#include <doctest/doctest.h>

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "runtime/base/ed25519_authenticator.hpp"
#include "runtime/base/keys.hpp"
#include "tests/runtime/link_test_members.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::link_test;

namespace {

/// A folder that is removed when the test ends.
struct scratch_folder {
  std::filesystem::path path;

  scratch_folder() {
    auto name = (std::filesystem::temp_directory_path() / "hypermesh-keys-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~scratch_folder() { std::filesystem::remove_all(path); }
};

std::string text_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path}.rdbuf();
  return text.str();
}

void write_text(const std::filesystem::path& path, std::string_view text, mode_t mode = 0600) {
  std::ofstream{path} << text;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
}

world_error error_of(const std::filesystem::path& path) {
  const auto read = read_secret_key(path);
  REQUIRE(!read);
  return read.error();
}

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

constexpr principal replica_0 = principal::of(replica_id{0});
constexpr principal replica_1 = principal::of(replica_id{1});

}  // namespace

TEST_CASE("a key file gives the same key back, and only its owner may read it") {
  const scratch_folder folder;
  const auto path = folder.path / "node.key";
  const auto key = secret_key::generate();
  REQUIRE(write_secret_key(path, key).has_value());
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  CHECK((facts.st_mode & 07777) == 0600);
  CHECK(text_of(path).starts_with("hypermesh secret key, keep it private\ned25519\n"));
  const auto read = read_secret_key(path);
  REQUIRE(read);
  CHECK(read->public_half() == key.public_half());
  const auto text = as_byte_span("some bytes");
  CHECK(read->sign(text) == key.sign(text));
  const auto files = std::filesystem::directory_iterator{folder.path};
  CHECK(std::distance(begin(files), end(files)) == 1);
}

TEST_CASE("a key file is never overwritten") {
  const scratch_folder folder;
  const auto path = folder.path / "node.key";
  REQUIRE(write_secret_key(path, secret_key::generate()).has_value());
  const auto before = text_of(path);
  const auto written = write_secret_key(path, secret_key::generate());
  REQUIRE_FALSE(written.has_value());
  CHECK(contains(written.error().what, "already exists"));
  CHECK(text_of(path) == before);
  const auto files = std::filesystem::directory_iterator{folder.path};
  CHECK(std::distance(begin(files), end(files)) == 1);
}

TEST_CASE("a secret key that others may read is refused with the command that repairs it") {
  const scratch_folder folder;
  const auto path = folder.path / "node.key";
  REQUIRE(write_secret_key(path, secret_key::generate()).has_value());
  for (const mode_t mode : {0640U, 0604U, 0660U, 0644U, 0666U, 0700U}) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
    const auto error = error_of(path);
    CHECK(contains(error.what, path.string()));
    CHECK(contains(error.what, "mode 0"));
    CHECK(error.remedy == "chmod 600 " + path.string());
  }
  REQUIRE(::chmod(path.c_str(), 0400) == 0);
  CHECK(read_secret_key(path).has_value());
}

TEST_CASE("a repair command can be pasted, whatever the path contains") {
  const scratch_folder folder;
  const auto path = folder.path / "it's my key";
  REQUIRE(write_secret_key(path, secret_key::generate()).has_value());
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  CHECK(error_of(path).remedy == "chmod 600 '" + (folder.path / "it'\\''s my key").string() + "'");
}

TEST_CASE("a secret key of another user is refused") {
  if (::geteuid() != 0) return;
  const scratch_folder folder;
  const auto path = folder.path / "node.key";
  REQUIRE(write_secret_key(path, secret_key::generate()).has_value());
  REQUIRE(::chown(path.c_str(), 12'345, 0) == 0);
  const auto error = error_of(path);
  CHECK(contains(error.what, "belongs to user 12345"));
  CHECK(contains(error.remedy, "chown 0 "));
}

TEST_CASE("a key file that is not a regular file is refused") {
  const scratch_folder folder;
  CHECK(contains(error_of(folder.path).what, "is a directory"));
  const auto pipe = folder.path / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(contains(error_of(pipe).what, "is a pipe or a device"));
  CHECK(contains(error_of(folder.path / "absent").what, "No such file"));
}

TEST_CASE("a damaged key file is refused with its line and without its content") {
  const scratch_folder folder;
  const auto path = folder.path / "node.key";
  const std::string header = "hypermesh secret key, keep it private\n";
  const std::string digits(64, 'a');
  const std::vector<std::pair<std::string, std::string>> damages = {
      {"", ":1:"},
      {"hypermesh public key\ned25519\n" + digits + "\n", ":1:"},
      {header + "rsa\n" + digits + "\n", ":2:"},
      {header + "ed25519\n", ":3:"},
      {header + "ed25519\n" + digits.substr(1) + "\n", ":3:"},
      {header + "ed25519\n" + digits.substr(1) + "g\n", ":3:"},
      {header + "ed25519\n" + digits + "\nmore\n", ":3:"},
  };
  for (const auto& [text, place] : damages) {
    write_text(path, text);
    const auto error = error_of(path);
    CAPTURE(text);
    CHECK(contains(error.what, place));
    CHECK_FALSE(contains(error.what, "aaaa"));
  }
  write_text(path, header + std::string(2'000, 'x'));
  CHECK(contains(error_of(path).what, "too long"));
}

TEST_CASE("every truncation and every flipped byte of a key file gives an error or another key, never a crash") {
  const scratch_folder folder;
  const auto path = folder.path / "node.key";
  const auto key = secret_key::generate();
  REQUIRE(write_secret_key(path, key).has_value());
  const auto text = text_of(path);
  for (std::size_t size = 0; size + 1 < text.size(); ++size) {
    write_text(path, text.substr(0, size));
    CHECK(!read_secret_key(path));
  }
  for (std::size_t index = 0; index < text.size(); ++index) {
    auto changed = text;
    changed[index] = static_cast<char>(changed[index] ^ 1);
    write_text(path, changed);
    const auto read = read_secret_key(path);
    CHECK((!read || read->public_half() != key.public_half()));
  }
}

TEST_CASE("the digits of a public key give the same key back") {
  const auto key = secret_key::generate().public_half();
  CHECK(parse_public_key(to_hex(key.view())).value() == key);
  CHECK(!parse_public_key("12"));
}

TEST_CASE("a public key of small order is refused") {
  public_key small;
  small.bytes[0] = std::byte{1};
  CHECK_FALSE(is_sound(small));
  CHECK(!parse_public_key(to_hex(small.view())));
  auto members = all_members();
  members.replicas[2] = small;
  CHECK(!ed25519_authenticator::make(replica_0, key_of(replica_0), members));
}

TEST_CASE("a signature verifies for its signer and its bytes only") {
  const auto signer = authenticator_of(replica_1);
  const auto judge = authenticator_of(replica_0);
  const auto bytes = to_byte_vector("signed bytes");
  const auto proof = signer->sign(bytes);
  CHECK(signer->self() == replica_1);
  CHECK(judge->verify(replica_1, bytes, proof));
  CHECK_FALSE(judge->verify(replica_0, bytes, proof));
  CHECK_FALSE(judge->verify(principal::of(client_id{1}), bytes, proof));
  CHECK_FALSE(judge->verify(replica_1, to_byte_vector("other bytes"), proof));
  for (std::size_t index = 0; index < signature::size; ++index) {
    auto changed = proof;
    changed.bytes[index] ^= std::byte{4};
    CHECK_FALSE(judge->verify(replica_1, bytes, changed));
  }
}

TEST_CASE("only signatures of members verify") {
  const auto judge = authenticator_of(replica_0);
  const auto bytes = to_byte_vector("signed bytes");
  const auto proof = judge->sign(bytes);
  CHECK_FALSE(judge->verify(principal::of(replica_id{replica_count}), bytes, proof));
  CHECK_FALSE(judge->verify(principal::of(client_id{client_count}), bytes, proof));
  CHECK_FALSE(judge->verify(principal::of(replica_id{~0U}), bytes, proof));
}

TEST_CASE("an authenticator refuses keys that do not fit") {
  const auto refuses = [](principal self, const principal& key_owner, const member_keys& members) {
    return !ed25519_authenticator::make(self, key_of(key_owner), members);
  };
  CHECK(refuses(replica_0, replica_1, all_members()));
  CHECK(refuses(principal::of(replica_id{9}), replica_0, all_members()));
  auto twins = all_members();
  twins.clients[1] = twins.replicas[3];
  CHECK(refuses(replica_0, replica_0, twins));
}

TEST_CASE("core dumps can be disabled") {
  // The test uses a child process, because leak checkers and debuggers need this process to stay dumpable.
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) ::_exit(disable_core_dumps() && ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : 1);
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
