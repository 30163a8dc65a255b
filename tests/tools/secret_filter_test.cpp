#include "tools/hypermesh/bundle/secret_filter.hpp"

#include <doctest/doctest.h>

#include <string>

#include "runtime/base/keys.hpp"
#include "tools/hypermesh/bundle/bundle_content.hpp"

namespace hypermesh::testing {

using namespace cli;

namespace {

const std::string seed_digits = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const std::string token = "a-token-of-sixteen";

byte_vector bytes_of(const std::string& digits) {
  byte_vector bytes(digits.size() / 2);
  CHECK(from_hex(digits, bytes));
  return bytes;
}

std::string key_file() { return "hypermesh secret key, keep it private\ned25519\n" + seed_digits + "\n"; }

secret_filter filter_with_secrets() {
  secret_filter filter;
  filter.add_content(key_file());
  filter.add_content(token + "\n");
  return filter;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a known secret is removed in every form, and the rest of the text stays") {
  const auto filter = filter_with_secrets();
  const auto raw = bytes_of(seed_digits);
  const std::string raw_text{reinterpret_cast<const char*>(raw.data()), raw.size()};
  for (const auto& form :
       {seed_digits, std::string{"00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"}, raw_text,
        std::string{"ABEiM0RVZneImaq7zN3u/wARIjNEVWZ3iJmqu8zd7v8"}, token,
        std::string{"612d746f6b656e2d6f662d7369787465656e"}, std::string{"YS10b2tlbi1vZi1zaXh0ZWVu"}}) {
    CAPTURE(form);
    const auto clean = filter.clean("before " + form + " after\nnext");
    CHECK_FALSE(has(clean, form));
    CHECK_FALSE(filter.has_secret(clean));
    CHECK(clean == "before [left out] after\nnext");
  }
}

TEST_CASE("a secret that two rules find is removed once") {
  const auto filter = filter_with_secrets();
  CHECK(filter.clean("token=" + token + " on") == "token=[left out] on");
  CHECK(filter.clean("Bearer " + token + " on") == "Bearer [left out] on");
}

TEST_CASE("a secret is removed from a string of JSON too") {
  secret_filter filter;
  filter.add_content("a\"quoted\\token\n");
  CHECK(filter.clean(R"({"name": "a\"quoted\\token"})") == R"({"name": "[left out]"})");
}

TEST_CASE("the titles of the formats are no secrets") {
  const auto filter = filter_with_secrets();
  CHECK(filter.clean("hypermesh secret key, keep it private\ned25519\n") ==
        "hypermesh secret key, keep it private\ned25519\n");
}

TEST_CASE("the secret key of a member is removed although nobody added it, and public keys stay") {
  secret_filter filter;
  const auto member = secret_key::from_seed(bytes_of(seed_digits)).public_half();
  filter.add_members({member});
  const auto digest = to_hex(member.view());
  CHECK(filter.clean("root " + digest + " seed " + seed_digits + ".") == "root " + digest + " seed [left out].");
  CHECK(filter.clean(seed_digits) == "[left out]");
  CHECK(filter.clean(seed_digits + "00") == seed_digits + "00");
}

TEST_CASE("private keys in PEM are removed, also without an end, and certificates stay") {
  const secret_filter filter;
  CHECK(filter.clean("a\n-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\nb\n") == "a\n[left out]\nb\n");
  CHECK(filter.clean("a\n-----BEGIN EC PRIVATE KEY-----\nMIIB") == "a\n[left out]\n");
  const std::string certificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  CHECK(filter.clean(certificate) == certificate);
}

TEST_CASE("a value with a secret name is removed, and the text around it stays") {
  const secret_filter filter;
  CHECK(filter.clean("token = \"abc def\" # why") == "token = \"[left out]\" # why");
  CHECK(filter.clean("{\"password\": \"x y\", \"view\": 3}") == "{\"password\": \"[left out]\", \"view\": 3}");
  CHECK(filter.clean("HYPERMESH_TOKEN=abc run") == "HYPERMESH_TOKEN=[left out] run");
  CHECK(filter.clean("Authorization: Bearer abc.def") == "Authorization: Bearer [left out]");
  CHECK(filter.clean("seed: 17, view: 3") == "seed: [left out], view: 3");
  CHECK(filter.clean("view: 3, lag = 4") == "view: 3, lag = 4");
  CHECK(filter.clean("token =") == "token =");
  CHECK(filter.clean("") == "");
  CHECK(filter.clean("\n\n=\n") == "\n\n=\n");
}

TEST_CASE("an error text of the system stays behind a name that sounds secret") {
  const secret_filter filter;
  for (const std::string text : {"cannot open /etc/x/secret.key: No such file or directory",
                                 "secret.key: Permission denied", "token_file: Is a directory; fix: name a file"}) {
    CHECK(filter.clean(text) == text);
  }
  CHECK(filter.clean("secret: Nothing") == "secret: [left out]");
  CHECK(filter.clean("secret: No such") == "secret: [left out] such");
  CHECK(filter.clean("token: Permission denied token: abc") == "token: Permission denied token: [left out]");
}

TEST_CASE("a bundle has no secret in a file, a name of a content or a reason") {
  bundle_content content{filter_with_secrets()};
  content.add("a.txt", "about " + token, "text " + seed_digits);
  content.miss("b.txt", "file " + token, "cannot open /home/" + token);
  for (const auto& each : content.rows()) {
    CHECK_FALSE(has(each.what + each.missing, token));
  }
  CHECK(content.rows()[0].bytes == std::string{"text [left out]"}.size());
  content.add("c.txt", "huge", std::string(bundle_file_bytes_max + 1, 'x'));
  CHECK(content.rows()[2].missing == "it is too large for a bundle");
}

}  // namespace hypermesh::testing
