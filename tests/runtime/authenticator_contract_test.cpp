#include <doctest/doctest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/runtime/link_test_members.hpp"
#include "tests/support/keyed_authenticator.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::link_test;

namespace {

/// One implementation of the authenticator port, for the members of the link tests.
struct contract_subject {
  std::string name;
  std::function<std::shared_ptr<const authenticator>(principal)> of;
  /// Makes an authenticator with the member's name and a key that no member has.
  std::function<std::shared_ptr<const authenticator>(principal)> impostor_of;
};

/// All implementations of the port. A new implementation is one more entry.
std::vector<contract_subject> contract_subjects() {
  const auto ring = std::make_shared<testing::key_ring>(3, replica_count, client_count);
  return {
      {"Ed25519", [](principal who) { return authenticator_of(who); },
       [](principal who) {
         auto members = all_members();
         const principal nobody{principal_kind::client, 99};
         auto& list = who.is_replica() ? members.replicas : members.clients;
         list.at(who.number) = key_of(nobody).public_half();
         return authenticator_of(who, key_of(nobody), std::move(members));
       }},
      {"keyed", [ring](principal who) { return ring->of(who); },
       [ring](principal who) { return ring->impostor_of(who); }},
  };
}

std::vector<principal> all_principals() {
  std::vector<principal> all;
  for (std::uint32_t number = 0; number < replica_count; ++number)
    all.push_back(principal::of(replica_id{number}));
  for (std::uint32_t number = 0; number < client_count; ++number)
    all.push_back(principal::of(client_id{number}));
  return all;
}

template <class Check>
void for_each_authenticator(const Check& check) {
  for (const auto& each : contract_subjects()) {
    CAPTURE(each.name);
    check(each);
  }
}

const byte_vector input = to_byte_vector("a signing input");

}  // namespace

TEST_CASE("a member's signature verifies as its own at every member, and as no other's") {
  for_each_authenticator([](const contract_subject& each) {
    for (const auto signer : all_principals()) {
      const auto own = each.of(signer);
      CHECK(own->self() == signer);
      const auto signature = own->sign(input);
      CHECK(own->sign(input) == signature);
      for (const auto verifier : all_principals()) {
        for (const auto claimed : all_principals())
          CHECK(each.of(verifier)->verify(claimed, input, signature) == (claimed == signer));
      }
    }
  });
}

TEST_CASE("a signature covers all of its input, however short or long the input is") {
  for_each_authenticator([](const contract_subject& each) {
    const auto self = principal::of(replica_id{2});
    const auto own = each.of(self);
    for (const std::size_t size : {0UL, 1UL, 63UL, 64UL, 65UL, 1'000'000UL}) {
      CAPTURE(size);
      byte_vector bytes(size, std::byte{0x5a});
      const auto signature = own->sign(bytes);
      CHECK(own->verify(self, bytes, signature));
      if (size > 0) {
        bytes.back() ^= std::byte{1};
        CHECK_FALSE(own->verify(self, bytes, signature));
        bytes.back() ^= std::byte{1};
        CHECK_FALSE(own->verify(self, byte_span{bytes}.first(size - 1), signature));
      }
      bytes.push_back(std::byte{0});
      CHECK_FALSE(own->verify(self, bytes, signature));
    }
  });
}

TEST_CASE("no flipped bit of a signature passes") {
  for_each_authenticator([](const contract_subject& each) {
    const auto self = principal::of(replica_id{1});
    const auto own = each.of(self);
    auto changed = own->sign(input);
    for (std::size_t bit = 0; bit < 8 * signature::size; ++bit) {
      CAPTURE(bit);
      const auto flipped = static_cast<std::byte>(1U << (bit % 8));
      changed.bytes[bit / 8] ^= flipped;
      CHECK_FALSE(own->verify(self, input, changed));
      changed.bytes[bit / 8] ^= flipped;
    }
    CHECK(own->verify(self, input, changed));
    CHECK_FALSE(own->verify(self, input, signature{}));
  });
}

TEST_CASE("a non-member's signature never verifies, nor an impostor's as the member's") {
  for_each_authenticator([](const contract_subject& each) {
    const auto verifier = each.of(principal::of(replica_id{0}));
    for (const auto self : all_principals())
      CHECK_FALSE(verifier->verify(self, input, each.impostor_of(self)->sign(input)));
    const auto genuine = verifier->sign(input);
    for (const std::uint32_t number : {replica_count, 1'000U, ~0U})
      CHECK_FALSE(verifier->verify(principal::of(replica_id{number}), input, genuine));
    for (const std::uint32_t number : {client_count, 1'000U, ~0U})
      CHECK_FALSE(verifier->verify(principal::of(client_id{number}), input, genuine));
  });
}

TEST_CASE("several threads can verify at once with one authenticator") {
  for_each_authenticator([](const contract_subject& each) {
    const auto self = principal::of(client_id{1});
    const auto own = each.of(self);
    const auto genuine = own->sign(input);
    std::array<int, 4> right{};
    {
      std::vector<std::jthread> threads;
      for (auto& count : right) {
        threads.emplace_back([&] {
          for (int round = 0; round < 50; ++round) {
            count += own->verify(self, input, genuine) ? 1 : 0;
            count += own->verify(self, input, signature{}) ? 0 : 1;
          }
        });
      }
    }
    for (const auto count : right)
      CHECK(count == 100);
  });
}
