#include <doctest/doctest.h>

#include "messages/codec.hpp"
#include "tests/support/core_cluster.hpp"
#include "tests/support/effect_reader.hpp"

// Castro & Liskov, OSDI '99, §5.2 "Cryptography", and where this product differs from it (attack 45).

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr client_id self{0};

cluster_parameters unsigned_cluster() {
  auto cluster = small_cluster(4);
  cluster.requests_by = request_authentication::authenticator;
  return cluster;
}

/// The frames of one kind that correct replicas sent while four operations were executed.
std::size_t sent_of(message_kind kind, request_authentication mode) {
  core_cluster_options options;
  options.cluster.requests_by = mode;
  core_cluster cluster{options};
  std::size_t count = 0;
  for (std::uint32_t number = 0; number < 4; ++number) {
    cluster.filter(replica_id{number}, [&count, kind](principal, const frame_ptr& frame) {
      count += kind_of(byte_span{*frame}) == kind ? 1 : 0;
      return std::vector{frame};
    });
  }
  for (int number = 0; number < 4; ++number)
    cluster.submit(self, "op " + std::to_string(number));
  REQUIRE(cluster.settle(10'000));
  return count;
}

}  // namespace

// "we actually use digital signatures only for view-change and new-view messages, which are sent rarely, and
// authenticate all other messages using message authentication codes (MACs)."
// We use MACs, which are the tags of the links, for requests only, and only if the genesis says so.
TEST_CASE("5.2: with authenticators a request has no signature, and the messages of replicas have one") {
  const request_factory factory{unsigned_cluster()};
  client_core client{factory.cluster(), self, factory.keys_of(self), {}, timestamp{1}};
  const auto asked = sent<request>(client.on_submit(to_byte_vector("o"), 1, moment{}).sends);
  REQUIRE(asked.size() == 1);
  const auto input = signing_input(factory.cluster().signing, message_kind::request, asked[0].signed_bytes());
  CHECK_FALSE(factory.keys_of(replica_id{0}).verify(principal::of(self), input, asked[0].client_signature));
  CHECK(asked[0].client_signature == request_checksum(factory.cluster().signing, asked[0].signed_bytes()));
  const validator checks{factory.cluster(), factory.keys_of(replica_id{1})};
  auto proposal = factory.pre_prepare_of(view_number{0}, sequence_number{1}, factory.batch_of({asked[0]}));
  CHECK_FALSE(checks.check(principal::of(replica_id{0}), proposal));
  proposal.header.by.bytes[0] ^= std::byte{1};
  CHECK(checks.check(principal::of(replica_id{0}), proposal) == rejection::bad_signature);
}

// An authenticator has one MAC for each replica, so a request is sent to all replicas.
TEST_CASE("5.2: with authenticators a request is sent to all replicas") {
  const request_factory factory{unsigned_cluster()};
  client_core client{factory.cluster(), self, factory.keys_of(self), {}, timestamp{1}};
  const auto effects = client.on_submit(to_byte_vector("o"), 1, moment{});
  REQUIRE(effects.sends.size() == 1);
  CHECK_FALSE(effects.sends[0].to.has_value());
}

TEST_CASE("5.2: replicas vouch for requests with authenticators, and never for signed ones") {
  CHECK(sent_of(message_kind::vouch, request_authentication::signature) == 0);
  CHECK(sent_of(message_kind::vouch, request_authentication::authenticator) > 0);
}
