#include <doctest/doctest.h>

#include "actors/protocol/reputation/system_request.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const auto replica_2 = principal::of(replica_id{2});
const auto client_1 = principal::of(client_id{1});

/// The world of a group whose clients do not sign.
struct unsigned_world {
  static cluster_parameters cluster() {
    auto parameters = small_cluster(4);
    parameters.requests_by = request_authentication::authenticator;
    return parameters;
  }

  request_factory factory{cluster()};
  validator checks{factory.cluster(), factory.keys_of(replica_id{3})};
  request asked = factory.unsigned_request(client_id{1}, timestamp{1}, "op");
};

}  // namespace

TEST_CASE("an unsigned request comes from its client or a replica, and its last bytes identify it") {
  const unsigned_world world;
  CHECK_FALSE(world.checks.check(client_1, world.asked));
  CHECK_FALSE(world.checks.check(replica_2, world.asked));
  CHECK(world.checks.check(principal::of(client_id{2}), world.asked) == rejection::sender_is_not_signer);
  // Equal digests must mean equal requests, so no other bytes are accepted in this place.
  CHECK(world.checks.check(client_1, world.factory.request_of(client_id{1}, timestamp{1}, "op")) ==
        rejection::wrong_digest);
  const auto other = world.factory.unsigned_request(client_id{1}, timestamp{1}, "other");
  CHECK(digest_of_request(other) != digest_of_request(world.asked));
}

TEST_CASE("where clients sign, an unsigned request and a VOUCH are refused") {
  const request_factory factory{small_cluster(4)};
  const validator checks{factory.cluster(), factory.keys_of(replica_id{3})};
  const auto asked = factory.unsigned_request(client_id{1}, timestamp{1}, "op");
  CHECK(checks.check(client_1, asked) == rejection::bad_signature);
  CHECK(checks.check(replica_2, vouch{{reference_of(asked)}}) == rejection::kind_not_allowed_from_sender);
}

TEST_CASE("only a replica vouches") {
  const unsigned_world world;
  CHECK_FALSE(world.checks.check(replica_2, vouch{{reference_of(world.asked)}}));
  CHECK(world.checks.check(client_1, vouch{{reference_of(world.asked)}}) == rejection::kind_not_allowed_from_sender);
}

TEST_CASE("an unsigned request is no evidence against its client") {
  const unsigned_world world;
  const auto other = world.factory.unsigned_request(client_id{1}, timestamp{1}, "other");
  const auto item = [](const request& of) { return item_of(std::make_shared<const request>(of)); };
  CHECK_FALSE(world.checks.authenticate(item(world.asked)));
  CHECK_FALSE(world.checks.proves(evidence{{item(world.asked), item(other)}}));
}
