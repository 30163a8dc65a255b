#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "messages/codec.hpp"
#include "messages/signing.hpp"
#include "schemas/common_generated.h"
#include "tests/support/message_samples.hpp"

/// Tests of the signed bytes: attack 2, and the rule that received bytes are verified, never a re-encoding.
using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

byte_vector input_of(const signing_context& context, message_kind kind, byte_span content) {
  return signing_input(context, kind, content);
}

}  // namespace

TEST_CASE("the bytes of a statement are its numbers in little-endian order around its digest") {
  statement content{view_number{0x0102030405060708},
                    sequence_number{0x1112131415161718},
                    {},
                    replica_id{0x21222324},
                    epoch_number{0x31323334}};
  for (std::size_t index = 0; index < digest::size; ++index) {
    content.value.bytes[index] = static_cast<std::byte>(0xa0 + index);
  }
  const auto bytes = statement_bytes(content);
  REQUIRE(bytes.size() == 56);
  CHECK(to_hex(bytes) ==
        "0807060504030201"
        "1817161514131211"
        "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
        "24232221"
        "34333231");
}

TEST_CASE("every bit of a statement is one bit of its encoding") {
  sample_source source{1};
  const auto base = sample_statement(source).content;
  const auto bytes = statement_bytes(base);
  std::set<std::array<std::byte, 56>> seen{bytes};
  const auto expect_one_bit = [&](const statement& changed) {
    const auto other = statement_bytes(changed);
    CHECK(seen.insert(other).second);
    int differing = 0;
    for (std::size_t index = 0; index < bytes.size(); ++index) {
      auto difference = std::to_integer<unsigned>(bytes[index] ^ other[index]);
      for (; difference != 0; difference >>= 1U)
        differing += static_cast<int>(difference & 1U);
    }
    CHECK(differing == 1);
  };
  for (unsigned bit = 0; bit < 64; ++bit) {
    auto changed = base;
    changed.view.value ^= 1ULL << bit;
    expect_one_bit(changed);
    changed = base;
    changed.sequence.value ^= 1ULL << bit;
    expect_one_bit(changed);
  }
  for (unsigned bit = 0; bit < 32; ++bit) {
    auto changed = base;
    changed.replica.value ^= 1U << bit;
    expect_one_bit(changed);
    changed = base;
    changed.epoch.value ^= 1U << bit;
    expect_one_bit(changed);
  }
  for (unsigned bit = 0; bit < 256; ++bit) {
    auto changed = base;
    changed.value.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    expect_one_bit(changed);
  }
}

TEST_CASE("the bytes that a statement's signature covers are the bytes that were received") {
  static_assert(sizeof(wire::Statement) == 56);
  static_assert(sizeof(wire::SignedStatement) == 120);
  for (const auto kind :
       {message_kind::prepare, message_kind::commit, message_kind::checkpoint, message_kind::pre_prepare}) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      INFO(to_string(kind), " seed ", seed);
      sample_source source{seed};
      const auto vote = sample_statement(source);
      const auto frame = kind == message_kind::pre_prepare ? encode_pre_prepare(vote, {}) : encode_vote(kind, vote);
      const auto bytes = statement_bytes(vote.content);
      const auto found = std::search(frame->begin(), frame->end(), bytes.begin(), bytes.end());
      REQUIRE(found != frame->end());
      // The signature follows directly.
      CHECK(std::equal(vote.by.bytes.begin(), vote.by.bytes.end(), found + 56));
    }
  }
}

TEST_CASE("a document's signature covers every received byte before it") {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto frame = frame_of(sample_of(message_kind::request, sample_size::usual, seed));
    const auto decoded = decode(frame);
    const auto& value = std::get<request>(decoded.value());
    CHECK(value.signed_bytes().data() == frame->data());
    CHECK(value.signed_bytes().size() == frame->size() - 1 - signature::size);
    CHECK(std::equal(value.client_signature.bytes.begin(), value.client_signature.bytes.end(),
                     value.raw.view.end() - signature::size));
  }
}

TEST_CASE("the signing input is domain, version, cluster, epoch, kind and content") {
  signing_context context;
  for (auto& byte : context.cluster.bytes)
    byte = std::byte{0xcc};
  context.epoch = epoch_number{0x01020304};
  const auto input = signing_input(context, message_kind::commit, to_byte_vector("content"));
  CHECK(to_hex(input) == to_hex(as_byte_span("hypermesh-consensus")) + "01" +
                             "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc" + "04030201" + "04" +
                             to_hex(as_byte_span("content")));
}

TEST_CASE("another cluster, epoch, kind or content gives another signing input") {
  sample_source source{2};
  const auto content = source.bytes(56);
  const signing_context context{source.fixed<cluster_id>(), epoch_number{7}};
  std::set<byte_vector> seen;
  for (const auto kind : all_kinds())
    CHECK(seen.insert(input_of(context, kind, content)).second);
  for (unsigned bit = 0; bit < 256; ++bit) {
    auto other = context;
    other.cluster.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK(seen.insert(input_of(other, message_kind::commit, content)).second);
  }
  for (unsigned bit = 0; bit < 32; ++bit) {
    auto other = context;
    other.epoch.value ^= 1U << bit;
    CHECK(seen.insert(input_of(other, message_kind::commit, content)).second);
  }
  for (unsigned bit = 0; bit < 8 * content.size(); ++bit) {
    auto other = content;
    other[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK(seen.insert(input_of(context, message_kind::commit, other)).second);
  }
}

TEST_CASE("no shift of a boundary makes two signing inputs equal") {
  // Everything before the content has a fixed length. So content that imitates a kind or an epoch comes after the true
  // kind and epoch.
  std::set<byte_vector> seen;
  std::size_t count = 0;
  for (const std::uint32_t epoch : {0U, 0x02000000U, 2U}) {
    for (const auto kind : all_kinds()) {
      for (const std::string_view text : {"", "\x01", "\x02", "\x02\x02", "\x01\x02", "\x02\x01", "\x02\x02\x02"}) {
        const signing_context context{{}, epoch_number{epoch}};
        seen.insert(input_of(context, kind, as_byte_span(text)));
        ++count;
      }
    }
  }
  CHECK(seen.size() == count);
  const byte_vector zeros(64);
  std::set<std::size_t> lengths;
  for (std::size_t length = 0; length <= zeros.size(); ++length) {
    lengths.insert(input_of({}, message_kind::request, byte_span{zeros}.first(length)).size());
  }
  CHECK(lengths.size() == zeros.size() + 1);
}
