#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "messages/kinds.hpp"
#include "messages/types.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

bool is_made_of(std::string_view text, std::string_view letters) {
  return text.find_first_not_of(letters) == std::string_view::npos;
}

}  // namespace

TEST_CASE("every kind has a unique name in the paper's spelling") {
  std::set<std::string_view> names;
  for (const auto kind : all_kinds()) {
    const auto name = to_string(kind);
    CHECK(names.insert(name).second);
    CHECK_FALSE(name.empty());
    CHECK(name != "UNKNOWN");
    CHECK(is_made_of(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-"));
  }
  CHECK(names.size() == message_kind_last);
  CHECK(to_string(message_kind::request) == "REQUEST");
  CHECK(to_string(message_kind::pre_prepare) == "PRE-PREPARE");
  CHECK(to_string(message_kind::view_change) == "VIEW-CHANGE");
  CHECK(to_string(message_kind::new_view) == "NEW-VIEW");
  CHECK(to_string(message_kind::node_report) == "NODE-REPORT");
}

TEST_CASE("numbers outside the kinds are named as unknown") {
  for (const unsigned number : {0U, message_kind_last + 1U, 200U, 255U}) {
    CHECK(to_string(static_cast<message_kind>(number)) == "UNKNOWN");
  }
}

TEST_CASE("every reason of a rejection has a unique name") {
  std::set<std::string_view> names;
  for (std::size_t reason = 0; reason < rejection_count; ++reason) {
    const auto name = to_string(static_cast<rejection>(reason));
    CHECK(names.insert(name).second);
    CHECK_FALSE(name.empty());
    CHECK(is_made_of(name, "abcdefghijklmnopqrstuvwxyz_"));
  }
  // The names are in the order of the reasons. The test checks one name of each group.
  CHECK(to_string(rejection::empty_frame) == "empty_frame");
  CHECK(to_string(rejection::number_out_of_range) == "number_out_of_range");
  CHECK(to_string(rejection::duplicate_request_in_batch) == "duplicate_request_in_batch");
  CHECK(to_string(rejection::kind_not_allowed_from_sender) == "kind_not_allowed_from_sender");
  CHECK(to_string(rejection::bad_certificate) == "bad_certificate");
  CHECK(to_string(rejection::conflicting_statement) == "conflicting_statement");
  CHECK(to_string(rejection::stale_timestamp) == "stale_timestamp");
  CHECK(to_string(rejection::overloaded) == "overloaded");
}

TEST_CASE("the number of a kind is on the wire and never changes") {
  CHECK(static_cast<int>(message_kind::request) == 1);
  CHECK(static_cast<int>(message_kind::pre_prepare) == 2);
  CHECK(static_cast<int>(message_kind::prepare) == 3);
  CHECK(static_cast<int>(message_kind::commit) == 4);
  CHECK(static_cast<int>(message_kind::reply) == 5);
  CHECK(static_cast<int>(message_kind::checkpoint) == 6);
  CHECK(static_cast<int>(message_kind::view_change) == 7);
  CHECK(static_cast<int>(message_kind::new_view) == 8);
  CHECK(static_cast<int>(message_kind::status) == 9);
  CHECK(static_cast<int>(message_kind::checkpoint_proof) == 10);
  CHECK(static_cast<int>(message_kind::state_request) == 11);
  CHECK(static_cast<int>(message_kind::state_chunk) == 12);
  CHECK(static_cast<int>(message_kind::suspicion) == 13);
  CHECK(static_cast<int>(message_kind::query) == 14);
  CHECK(static_cast<int>(message_kind::query_reply) == 15);
  CHECK(static_cast<int>(message_kind::node_query) == 16);
  CHECK(static_cast<int>(message_kind::node_report) == 17);
  CHECK(static_cast<int>(message_kind::complaint) == 18);
  CHECK(static_cast<int>(message_kind::release) == 19);
  CHECK(static_cast<int>(message_kind::evidence) == 20);
  CHECK(static_cast<int>(message_kind::readmission) == 21);
  CHECK(static_cast<int>(message_kind::hand_over) == 22);
  CHECK(static_cast<int>(message_kind::system_request) == 23);
  CHECK(static_cast<int>(message_kind::receipt_query) == 24);
  CHECK(static_cast<int>(message_kind::receipt_reply) == 25);
  CHECK(static_cast<int>(message_kind::vouch) == 26);
  CHECK(message_kind_last == 26);
}

TEST_CASE("the place of a value in the variant is its kind") {
  for (const auto kind : all_kinds())
    CHECK(kind_of(sample_of(kind, sample_size::smallest, 0)) == kind);
}

TEST_CASE("hexadecimal decodes to the bytes that it was written from") {
  sample_source source{5};
  const auto bytes = source.bytes(32);
  std::array<std::byte, 32> parsed{};
  REQUIRE(from_hex(to_hex(bytes), parsed));
  CHECK(std::equal(bytes.begin(), bytes.end(), parsed.begin()));
  const byte_vector edges{std::byte{0}, std::byte{0x0f}, std::byte{0xf0}, std::byte{0xff}};
  CHECK(to_hex(edges) == "000ff0ff");
  CHECK(to_hex(edges, 2) == "000f");
  CHECK(to_hex(edges, 9) == "000ff0ff");
  CHECK(to_hex(edges, 0) == "");
  CHECK(to_hex({}) == "");
}

TEST_CASE("hexadecimal of the wrong length or with other letters is not parsed") {
  std::array<std::byte, 2> out{};
  CHECK(from_hex("ABcd", out));
  CHECK(out == std::array{std::byte{0xab}, std::byte{0xcd}});
  for (const std::string_view text : {"", "a", "abc", "abcde", "abcdef", "abcg", "0x12", " abc", "ab c", "abc\n"}) {
    INFO("text ", std::string{text});
    CHECK_FALSE(from_hex(text, out));
  }
  // '/', ':', '@', 'G', '`' and 'g' are adjacent to the digits in ASCII. 0xe1 must not count as a signed number.
  for (const char letter : {'/', ':', '@', 'G', '`', 'g', '\xe1', '\0'}) {
    CHECK_FALSE(from_hex(std::string{'0', '0', letter, '0'}, out));
    CHECK_FALSE(from_hex(std::string{'0', '0', '0', letter}, out));
  }
  CHECK(from_hex("", {}));
}

TEST_CASE("principals are named by kind and number") {
  CHECK(to_string(principal::of(replica_id{3})) == "replica-3");
  CHECK(to_string(principal::of(client_id{0})) == "client-0");
  CHECK(principal::of(replica_id{1}) != principal::of(client_id{1}));
}
