#include <doctest/doctest.h>

#include "tests/support/keyed_authenticator.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

const auto text = as_byte_span("what is signed");
const auto replica_1 = principal::of(replica_id{1});

}  // namespace

TEST_CASE("a keyed signature verifies for its signer and its bytes only") {
  const key_ring ring{1, 4, 2};
  const auto by = ring.of(replica_1)->sign(text);
  const auto verifier = ring.verifier();
  CHECK(verifier->verify(replica_1, text, by));
  CHECK_FALSE(verifier->verify(replica_1, as_byte_span("something else"), by));
  CHECK_FALSE(verifier->verify(principal::of(replica_id{2}), text, by));
  CHECK_FALSE(verifier->verify(principal::of(client_id{1}), text, by));
  CHECK_FALSE(verifier->verify(principal::of(replica_id{4}), text, by));
}

TEST_CASE("every bit of a keyed signature counts") {
  const key_ring ring{1, 4, 2};
  const auto by = ring.of(replica_1)->sign(text);
  for (std::size_t bit = 0; bit < 8 * signature::size; ++bit) {
    auto changed = by;
    changed.bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    CHECK_FALSE(ring.verifier()->verify(replica_1, text, changed));
  }
}

TEST_CASE("an impostor and a member of another cluster produce no signature that verifies") {
  const key_ring ring{1, 4, 2};
  CHECK_FALSE(ring.verifier()->verify(replica_1, text, ring.impostor_of(replica_1)->sign(text)));
  const key_ring other{2, 4, 2};
  CHECK_FALSE(ring.verifier()->verify(replica_1, text, other.of(replica_1)->sign(text)));
}

TEST_CASE("equal seeds give equal keys") {
  CHECK(key_ring{9, 4, 2}.of(replica_1)->sign(text) == key_ring{9, 4, 2}.of(replica_1)->sign(text));
}
