#include <doctest/doctest.h>

#include "actors/protocol/ordering/replica_core.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"

// A replica where clients do not sign their requests (attack 45).

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

cluster_parameters unsigned_cluster() {
  auto cluster = small_cluster(4);
  cluster.requests_by = request_authentication::authenticator;
  return cluster;
}

/// Replica 1, a backup of view 0.
struct backup_world {
  request_factory factory{unsigned_cluster()};
  replica_core core{factory.cluster(), replica_id{1}, factory.keys_of(replica_id{1})};
  pre_prepare proposal =
      factory.pre_prepare_of(view_number{0}, sequence_number{1},
                             factory.batch_of({factory.unsigned_request(client_id{0}, timestamp{1}, "op")}));

  replica_effects hear(std::uint32_t from, const message& value) {
    return core.on_message(principal::of(replica_id{from}), value);
  }
  [[nodiscard]] digest value() const { return proposal.header.content.value; }
  static std::size_t prepares(const replica_effects& effects) { return sent<prepare>(effects.sends).size(); }
};

}  // namespace

TEST_CASE_FIXTURE(backup_world,
                  "a backup prepares a batch when its requests are known to be authentic, and asks once") {
  const auto heard = hear(0, proposal);
  CHECK(prepares(heard) == 0);
  REQUIRE(heard.unproven.size() == 1);
  CHECK(heard.unproven.front().value == value());
  CHECK(core.on_tick().unproven.empty());
  CHECK(prepares(core.on_authentic(view_number{1}, sequence_number{1}, value())) == 0);
  CHECK(prepares(core.on_authentic(view_number{0}, sequence_number{2}, value())) == 0);
  CHECK(prepares(core.on_authentic(view_number{0}, sequence_number{1}, named_digest("other"))) == 0);
  CHECK(prepares(core.on_authentic(view_number{0}, sequence_number{1}, value())) == 1);
  CHECK(prepares(core.on_authentic(view_number{0}, sequence_number{1}, value())) == 0);
}

TEST_CASE_FIXTURE(backup_world, "f + 1 replicas that vouch for a batch by their votes are enough for a backup") {
  (void)hear(0, proposal);
  CHECK(prepares(hear(2, factory.prepare_of(replica_id{2}, proposal))) == 1);
}

TEST_CASE_FIXTURE(backup_world, "the null request needs no proof, and where clients sign no batch does") {
  const auto nothing = factory.pre_prepare_of(view_number{0}, sequence_number{1}, std::make_shared<const batch>());
  CHECK(prepares(hear(0, nothing)) == 1);
  const request_factory signs{small_cluster(4)};
  replica_core other{signs.cluster(), replica_id{1}, signs.keys_of(replica_id{1})};
  const auto signed_batch = signs.pre_prepare_of(view_number{0}, sequence_number{1}, signs.batch_number(1));
  const auto heard = other.on_message(principal::of(replica_id{0}), signed_batch);
  CHECK(prepares(heard) == 1);
  CHECK(heard.unproven.empty());
}

TEST_CASE_FIXTURE(backup_world, "a replica remembers through a divergence that a batch is authentic") {
  (void)hear(0, proposal);
  core.on_diverged(sequence_number{0});
  CHECK(prepares(core.on_authentic(view_number{0}, sequence_number{1}, value())) == 0);
  auto certificate = factory.certificate_of(sequence_number{0}, named_digest("state"));
  (void)core.on_installed(sequence_number{0}, std::move(certificate));
  CHECK(prepares(core.on_tick()) == 1);
}
