#include <doctest/doctest.h>

#include "actors/protocol/admission/request_intake.hpp"
#include "actors/protocol/admission/vouch_board.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr client_id alice{0};
constexpr client_id bob{1};
constexpr replica_id own{3};

cluster_parameters unsigned_cluster(std::uint32_t replicas) {
  auto cluster = small_cluster(replicas);
  cluster.requests_by = request_authentication::authenticator;
  return cluster;
}

struct board_world {
  explicit board_world(std::uint32_t replicas = 4) : factory(unsigned_cluster(replicas)) {}

  [[nodiscard]] request ask(std::uint64_t when, client_id client = alice, std::string_view operation = "op") const {
    return factory.unsigned_request(client, timestamp{when}, operation);
  }
  void vouch(std::uint32_t from, const request& value) { board.on_vouch(replica_id{from}, reference_of(value)); }

  request_factory factory;
  vouch_board board{factory.cluster().group(), own};
  moment now{1s};
};

}  // namespace

TEST_CASE("a request that its client sent here is authentic, vouched for, and certified by 2f + 1 replicas") {
  board_world world;
  const auto asked = world.ask(1);
  CHECK(world.board.on_request(asked, world.now) == vouch_board::outcome::waits);
  CHECK(world.board.is_authentic(reference_of(asked)));
  CHECK(world.board.take_vouches() == std::vector{reference_of(asked)});
  world.vouch(0, asked);
  CHECK_FALSE(world.board.is_certified(reference_of(asked)));
  CHECK(world.board.take_certified().empty());
  world.vouch(1, asked);
  CHECK(world.board.is_certified(reference_of(asked)));
  const auto certified = world.board.take_certified();
  REQUIRE(certified.size() == 1);
  CHECK(certified.front().id == asked.id);
  CHECK(world.board.held() == 0);
}

TEST_CASE("one VOUCH proves nothing, and f + 1 VOUCHes prove that the client sent the request") {
  board_world world;
  const auto asked = world.ask(1);
  world.vouch(0, asked);
  world.vouch(0, asked);
  CHECK_FALSE(world.board.is_authentic(reference_of(asked)));
  CHECK(world.board.take_vouches().empty());
  world.vouch(2, asked);
  CHECK(world.board.is_authentic(reference_of(asked)));
  // Without its own vote two faulty replicas of seven could stop the others.
  CHECK(world.board.take_vouches() == std::vector{reference_of(asked)});
  CHECK(world.board.is_certified(reference_of(asked)));
}

TEST_CASE("a larger group needs f + 1 and 2f + 1 VOUCHes of its own f") {
  board_world world{7};
  const auto asked = world.ask(1);
  world.vouch(0, asked);
  world.vouch(1, asked);
  CHECK_FALSE(world.board.is_authentic(reference_of(asked)));
  world.vouch(2, asked);
  CHECK(world.board.is_authentic(reference_of(asked)));
  CHECK_FALSE(world.board.is_certified(reference_of(asked)));
  world.vouch(4, asked);
  CHECK(world.board.is_certified(reference_of(asked)));
}

TEST_CASE("a VOUCH counts for exactly the request that it names") {
  board_world world;
  const auto one = world.ask(1, alice, "one");
  const auto other = world.ask(1, alice, "other");
  world.vouch(0, one);
  world.vouch(1, other);
  CHECK_FALSE(world.board.is_authentic(reference_of(one)));
  CHECK_FALSE(world.board.is_authentic(reference_of(other)));
}

TEST_CASE("another process with the key of this replica cannot vouch for it") {
  board_world world;
  const auto asked = world.ask(1);
  world.vouch(0, asked);
  world.vouch(own.value, asked);
  CHECK_FALSE(world.board.is_authentic(reference_of(asked)));
}

TEST_CASE("a repeated request is vouched for again, but not without end") {
  board_world world;
  const auto asked = world.ask(1);
  (void)world.board.on_request(asked, world.now);
  CHECK(world.board.take_vouches().size() == 1);
  (void)world.board.on_request(asked, world.now + vouch_board::repeat_pause - 1us);
  CHECK(world.board.take_vouches().empty());
  (void)world.board.on_request(asked, world.now + vouch_board::repeat_pause);
  CHECK(world.board.take_vouches().size() == 1);
  CHECK(world.board.held() == 1);
}

TEST_CASE("the requests of one client that nobody else vouches for are bounded, and hinder no other client") {
  board_world world;
  std::uint64_t when = 1;
  while (world.board.on_request(world.ask(when), world.now) == vouch_board::outcome::waits)
    ++when;
  CHECK(when == limits::requests_pending_per_client_max + 1);
  // There is no VOUCH for the request that has no room, so a flood displaces no VOUCH for another client.
  CHECK(world.board.take_vouches().size() == limits::requests_pending_per_client_max);
  CHECK_FALSE(world.board.is_authentic(reference_of(world.ask(when))));
  CHECK(world.board.on_request(world.ask(1, bob), world.now) == vouch_board::outcome::waits);
  // After a while the requests are dropped, and the client begins anew.
  CHECK(world.board.on_request(world.ask(when), world.now + vouch_board::held_max) == vouch_board::outcome::waits);
  CHECK(world.board.held() == 1);
}

TEST_CASE("the bytes of uncertified requests are bounded for one client and for all") {
  board_world world;
  const std::string large(limits::operation_bytes_max, 'x');
  std::uint64_t accepted = 0;
  for (std::uint32_t client = 0; client < 4; ++client) {
    for (std::uint64_t when = 1; when <= 200; ++when) {
      const auto outcome = world.board.on_request(world.ask(when, client_id{client}, large), world.now);
      accepted += outcome == vouch_board::outcome::waits ? 1 : 0;
      CHECK(world.board.held_bytes() <= vouch_board::held_bytes_max);
    }
  }
  CHECK(accepted == 4 * (vouch_board::held_bytes_of_client_max / world.ask(1, alice, large).raw.view.size()));
}

TEST_CASE("the VOUCHes of one replica are bounded, and those of others stay") {
  board_world world;
  const auto asked = world.ask(1);
  world.vouch(0, asked);
  world.vouch(1, asked);
  REQUIRE(world.board.is_certified(reference_of(asked)));
  for (std::uint64_t number = 0; number <= vouch_board::vouches_kept(group_size{4}); ++number) {
    world.board.on_vouch(replica_id{1}, {{bob, timestamp{number}}, named_digest("invented")});
  }
  // Replica 1 has displaced its own VOUCH. Those of replica 0 and of this replica are left.
  CHECK_FALSE(world.board.is_certified(reference_of(asked)));
  CHECK(world.board.is_authentic(reference_of(asked)));
}

TEST_CASE("nothing is left of a request that is over") {
  board_world world;
  const auto one = world.ask(1, alice, "one");
  const auto other = world.ask(1, alice, "other");
  (void)world.board.on_request(one, world.now);
  world.vouch(0, other);
  world.board.on_over(one.id);
  CHECK(world.board.held() == 0);
  CHECK_FALSE(world.board.is_authentic(reference_of(one)));
  world.vouch(1, other);
  CHECK_FALSE(world.board.is_authentic(reference_of(other)));
}
