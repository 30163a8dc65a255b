#include <doctest/doctest.h>

#include <set>

#include "messages/digest.hpp"
#include "messages/limits.hpp"
#include "messages/values.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

request raw_request(byte_vector bytes) {
  request value;
  const auto owner = std::make_shared<const byte_vector>(std::move(bytes));
  value.raw = {owner, byte_span{*owner}};
  return value;
}

digest digest_of_texts(const std::vector<std::string_view>& texts) {
  batch body;
  for (const auto text : texts)
    body.requests.push_back(raw_request(to_byte_vector(text)));
  return digest_of_batch(body);
}

}  // namespace

TEST_CASE("the digest of the null request is a constant of the protocol") {
  CHECK(to_hex(null_request_digest().view()) == "7120b32eee2f2d1fc215e76bf2776367e8a1abe71344d7e3b62068d728a2465f");
  CHECK(digest_of_batch({}) == null_request_digest());
  CHECK(digest_of_texts({""}) != null_request_digest());
}

TEST_CASE("equal bytes in two domains have two digests") {
  CHECK(digest_of("one", as_byte_span("content")) != digest_of("two", as_byte_span("content")));
  // The length of the domain is hashed too, so a letter cannot move between domain and content.
  CHECK(digest_of("ab", as_byte_span("c")) != digest_of("a", as_byte_span("bc")));
  CHECK(digest_of("", as_byte_span("abc")) != digest_of("abc", {}));
  CHECK(digest_of("one", as_byte_span("content")) == digest_of("one", as_byte_span("content")));
}

TEST_CASE("a digest that is computed in pieces equals the digest of the whole") {
  CHECK(hasher{"d"}.add(as_byte_span("con")).add(as_byte_span("tent")).finish() ==
        digest_of("d", as_byte_span("content")));
  const byte_vector number{std::byte{8}, std::byte{7}, std::byte{6}, std::byte{5},
                           std::byte{4}, std::byte{3}, std::byte{2}, std::byte{1}};
  CHECK(hasher{"d"}.add(0x0102030405060708ULL).finish() == digest_of("d", number));
}

TEST_CASE("a digest is BLAKE2b-256 and the same on every machine") {
  CHECK(to_hex(digest_of("hypermesh test", as_byte_span("abc")).view()) ==
        "3f46f4046ba0030a99c36be231490c5a776a946bbfc63c094822c6edd571729d");
}

TEST_CASE("every bit of a batch is in its digest") {
  sample_source source{3};
  const auto first = source.bytes(40);
  const auto second = source.bytes(24);
  std::set<digest> seen;
  const auto add = [&](const byte_vector& one, const byte_vector& two) {
    batch body;
    body.requests = {raw_request(one), raw_request(two)};
    CHECK(seen.insert(digest_of_batch(body)).second);
  };
  add(first, second);
  for (std::size_t bit = 0; bit < 8 * first.size(); ++bit) {
    auto changed = first;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    add(changed, second);
  }
  for (std::size_t bit = 0; bit < 8 * second.size(); ++bit) {
    auto changed = second;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    add(first, changed);
  }
}

TEST_CASE("order, count and boundaries of requests are in the digest of their batch") {
  const std::vector<std::vector<std::string_view>> batches = {
      {},           {""},         {"", ""},     {"abcd"},     {"abcd", ""},     {"", "abcd"},
      {"ab", "cd"}, {"cd", "ab"}, {"a", "bcd"}, {"abc", "d"}, {"a", "b", "cd"}, {"abcd", "abcd"}};
  std::set<digest> seen;
  for (const auto& each : batches)
    CHECK(seen.insert(digest_of_texts(each)).second);
}

TEST_CASE("the proposed time is in the digest of its batch, all of its bits (attack 42)") {
  batch body;
  body.requests.push_back(make_request({}, {to_byte_vector("x")}, {}));
  std::set<digest> seen = {digest_of_batch(body)};
  for (unsigned bit = 0; (1ULL << bit) <= limits::proposed_time_ms_max; ++bit) {
    body.proposed_time = wall_time{std::chrono::milliseconds{std::int64_t{1} << bit}};
    CHECK(seen.insert(digest_of_batch(body)).second);
  }
}

TEST_CASE("the signature of a request is in the digest of its batch") {
  // If the digests were equal, two replicas could agree on a digest but disagree on whether its requests verify (attack
  // 6).
  sample_source source{4};
  batch one;
  batch two;
  one.requests.push_back(make_request({}, {to_byte_vector("x")}, source.fixed<signature>()));
  two.requests.push_back(make_request({}, {to_byte_vector("x")}, source.fixed<signature>()));
  CHECK(digest_of_batch(one) != digest_of_batch(two));
}

TEST_CASE("a received batch has the digest of the batch that was sent") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    INFO("seed ", seed);
    const auto sample = std::get<pre_prepare>(sample_of(message_kind::pre_prepare, sample_size::large, seed));
    const auto decoded = decode(frame_of(sample)).value();
    CHECK(digest_of_batch(*std::get<pre_prepare>(decoded).body) == sample.header.content.value);
  }
}
