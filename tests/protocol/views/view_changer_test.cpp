#include "actors/protocol/views/view_changer.hpp"

#include <doctest/doctest.h>

#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_change_settings settings{1ms, 100us, 500us, 3};

/// The view changer of replica `self` of `replicas`. The test sends the messages of the others.
struct coordinator_world {
  request_factory factory;
  view_changer set;

  explicit coordinator_world(std::uint32_t self, std::uint32_t replicas = 4)
      : factory(small_cluster(replicas)),
        set(factory.cluster(), replica_id{self}, factory.keys_of(replica_id{self}), settings) {}

  [[nodiscard]] std::shared_ptr<const view_change> change_of(std::uint32_t replica, std::uint64_t view) const {
    return std::make_shared<const view_change>(
        factory.view_change_of(replica_id{replica}, view_number{view}, nullptr, {}));
  }
  std::optional<view_number> hear_suspicion(std::uint32_t replica, std::uint64_t view, moment now = {}) {
    return set.on_suspicion(factory.suspicion_of(replica_id{replica}, view_number{view}).vote, now).change_to;
  }
  std::optional<view_number> hear_change(std::uint32_t replica, std::uint64_t view, moment now = {}) {
    return set.on_view_change(change_of(replica, view), now).change_to;
  }
  void leave_for(std::uint32_t self, std::uint64_t view, moment now) { (void)set.on_left(change_of(self, view), now); }
};

}  // namespace

TEST_CASE("a suspicion is sent to all and does not change the view until f + 1 share it") {
  coordinator_world world{2};
  const auto effects = world.set.on_suspected(suspicion_reason::mute, moment{});
  const auto told = sent<suspicion>(effects.sends);
  REQUIRE(told.size() == 1);
  CHECK(told[0].vote.content.view == view_number{0});
  CHECK_FALSE(effects.change_to);
  CHECK(world.set.on_suspected(suspicion_reason::slow, moment{1us}).sends.empty());
  CHECK(world.hear_suspicion(3, 0) == view_number{1});
}

TEST_CASE("a suspicion without effect is sent again, but not for a view that is entered") {
  coordinator_world world{2};
  (void)world.set.on_suspected(suspicion_reason::mute, moment{});
  CHECK(world.set.on_tick(moment{1ms}).sends.empty());
  CHECK(sent<suspicion>(world.set.on_tick(moment{300ms}).sends).size() == 1);
  (void)world.set.on_entered(view_number{1}, moment{300ms});
  CHECK(world.set.on_tick(moment{900ms}).sends.empty());
}

TEST_CASE("the suspicions of f + 1 others make a replica leave its view, and those of f do not") {
  for (const std::uint32_t replicas : {4U, 7U, 10U}) {
    coordinator_world world{1, replicas};
    const auto faulty = world.factory.cluster().group().faulty_max();
    for (std::uint32_t other = 2; other < 2 + faulty; ++other)
      CHECK_FALSE(world.hear_change(other, 1));
    CHECK(world.hear_change(2 + faulty, 1) == view_number{1});
  }
}

TEST_CASE("one replica that asks twice to leave a view counts once (attack 3)") {
  coordinator_world world{1};
  CHECK_FALSE(world.hear_change(2, 1));
  CHECK_FALSE(world.hear_change(2, 2));
  CHECK_FALSE(world.hear_suspicion(2, 5));
}

TEST_CASE("the huge view of one liar moves no replica: the smallest view of f + 1 counts (attack 19)") {
  coordinator_world world{1};
  CHECK_FALSE(world.hear_change(0, limits::view_max));
  CHECK(world.hear_change(2, 3) == view_number{3});
  world.leave_for(1, 3, moment{});
  CHECK(world.set.view() == view_number{3});
}

TEST_CASE("VIEW-CHANGEs of an earlier view, repeated ones and conflicting ones are distinguished") {
  coordinator_world world{1};
  const auto reasons = [&](const std::shared_ptr<const view_change>& change) {
    return rejections_in(world.set.on_view_change(change, moment{}).observations);
  };
  CHECK(reasons(world.change_of(2, 2)).empty());
  CHECK(reasons(world.change_of(2, 2)) == std::vector{rejection::duplicate});
  CHECK(reasons(world.change_of(2, 1)) == std::vector{rejection::duplicate});
  const auto other = std::make_shared<const view_change>(world.factory.view_change_of(
      replica_id{2}, view_number{2}, world.factory.certificate_of(sequence_number{4}, named_digest("state")), {}));
  CHECK(reasons(other) == std::vector{rejection::conflicting_statement});
  CHECK(reasons(world.change_of(1, 4)) == std::vector{rejection::unsolicited});
  (void)world.set.on_entered(view_number{2}, moment{});
  CHECK(reasons(world.change_of(3, 2)) == std::vector{rejection::other_view});
  CHECK(reasons(world.change_of(3, 1)) == std::vector{rejection::other_view});
}

TEST_CASE("the new primary's time-out starts at a quorum of VIEW-CHANGEs (attack 20)") {
  coordinator_world world{3};
  (void)world.hear_change(2, 1);
  world.leave_for(3, 1, moment{});
  // Without a quorum, no time-out runs.
  CHECK(world.set.on_tick(moment{1s}).sends.empty());
  (void)world.hear_change(0, 1, moment{2s});
  CHECK(sent<suspicion>(world.set.on_tick(moment{2'000'500us}).sends).empty());
  const auto late = world.set.on_tick(moment{2'001ms});
  const auto told = sent<suspicion>(late.sends);
  REQUIRE(told.size() == 1);
  CHECK(told[0].vote.content.view == view_number{1});
  CHECK_FALSE(late.change_to);
  CHECK(world.hear_suspicion(0, 1) == view_number{2});
}

TEST_CASE("the patience doubles with each view change up to a bound, and shrinks in calm") {
  coordinator_world world{3};
  CHECK(world.set.request_timeout() == 1ms);
  for (std::uint64_t view = 1; view <= 6; ++view)
    world.leave_for(3, view, moment{view * 10us});
  CHECK(world.set.request_timeout() == 8ms);
  (void)world.set.on_entered(view_number{6}, moment{100us});
  (void)world.set.on_tick(moment{100us + 4 * 8ms});
  CHECK(world.set.request_timeout() == 4ms);
  (void)world.set.on_tick(moment{100us + 4 * 8ms + 4 * 4ms});
  CHECK(world.set.request_timeout() == 2ms);
  (void)world.set.on_tick(moment{1s});
  CHECK(world.set.request_timeout() == 1ms);
  // Leaving a view that was calm does not double the time-out.
  world.leave_for(3, 7, moment{2s});
  CHECK(world.set.request_timeout() == 1ms);
}

TEST_CASE("a closed link to the primary shortens the patience and decides nothing") {
  coordinator_world world{3};
  world.set.on_link_changed(replica_id{0}, false);
  CHECK(world.set.request_timeout() == 100us);
  CHECK_FALSE(world.set.on_tick(moment{1s}).change_to);
  world.set.on_link_changed(replica_id{2}, false);
  world.set.on_link_changed(replica_id{0}, true);
  CHECK(world.set.request_timeout() == 1ms);
}

TEST_CASE("a restart during a view change continues with the same VIEW-CHANGE (attack 21)") {
  coordinator_world world{1};
  world.set.restore(view_number{1}, world.change_of(1, 1), {});
  CHECK_FALSE(world.set.is_active());
  (void)world.hear_change(2, 1);
  const auto opened = world.set.on_view_change(world.change_of(3, 1), moment{}).opened;
  REQUIRE(opened != nullptr);
  CHECK(opened->message().view == view_number{1});
}

// --- A quorum that is spread over views ---------------------------------------------

TEST_CASE("VIEW-CHANGEs for later views start the timer too, so all replicas meet in one view (attack 21)") {
  // Replicas 0 and 1 wait for view 1, replica 2 has moved to view 2, and replica 3 is silent. So no view has a quorum.
  coordinator_world world{0};
  world.leave_for(0, 1, moment{});
  CHECK_FALSE(world.hear_change(2, 2, moment{10us}));
  CHECK_FALSE(world.hear_change(1, 1, moment{20us}));
  CHECK_FALSE(world.set.on_tick(moment{400us}).change_to);
  const auto effects = world.set.on_tick(moment{20us + 1ms});
  CHECK(sent<suspicion>(effects.sends).size() == 1);
  CHECK(effects.change_to == view_number{2});
}

TEST_CASE("VIEW-CHANGEs for VIEW-CHANGEs for later views do not open an earlier one") {
  coordinator_world world{1};
  CHECK_FALSE(world.hear_change(2, 2));
  CHECK(world.hear_change(3, 1) == view_number{1});
  const auto effects = world.set.on_left(world.change_of(1, 1), moment{});
  CHECK(effects.opened == nullptr);
}

// --- What is held against a primary does not last ------------------------------------

TEST_CASE("a suspicion counts only while it is repeated (attack 32)") {
  coordinator_world world{1};
  CHECK_FALSE(world.hear_suspicion(2, 0, moment{}));
  CHECK_FALSE(world.hear_suspicion(3, 0, moment{1s}));
  CHECK(world.hear_suspicion(2, 0, moment{1'500ms}) == view_number{1});
}

TEST_CASE("a suspicion is withdrawn when its reason ends, and then counts no more") {
  coordinator_world world{2};
  (void)world.set.on_suspected(suspicion_reason::mute, moment{});
  world.set.on_satisfied();
  CHECK_FALSE(world.hear_suspicion(3, 0, moment{10us}));
  CHECK(world.set.on_tick(moment{300ms}).sends.empty());
  // The primary may be suspected again.
  CHECK(world.set.on_suspected(suspicion_reason::mute, moment{300ms}).change_to == view_number{1});
}

TEST_CASE("suspicions before a view is entered do not count in it") {
  coordinator_world world{3};
  CHECK_FALSE(world.hear_suspicion(1, 2, moment{}));
  (void)world.set.on_entered(view_number{2}, moment{10us});
  CHECK_FALSE(world.hear_suspicion(0, 2, moment{20us}));
  CHECK(world.hear_suspicion(1, 2, moment{30us}) == view_number{3});
}

// --- What fits a frame -----------------------------------------------------------------

TEST_CASE("a NEW-VIEW rests on a quorum and no more, the own VIEW-CHANGE among them (attack 13)") {
  for (const std::uint32_t replicas : {4U, 7U, 10U}) {
    // The primary of the last view below n has the highest number.
    const auto self = replicas - 1;
    coordinator_world world{self, replicas};
    for (std::uint32_t other = 0; other < self; ++other)
      (void)world.hear_change(other, self);
    const auto opened = world.set.on_left(world.change_of(self, self), moment{}).opened;
    REQUIRE(opened != nullptr);
    CHECK(opened->message().view_changes.size() == world.factory.cluster().group().quorum());
    CHECK(opened->message().view_changes.front().replica == replica_id{self});
  }
}

TEST_CASE("a replica that may not leave its view suspects no primary until it has left one") {
  coordinator_world world{2};
  world.set.abstain();
  CHECK(world.set.on_suspected(suspicion_reason::mute, moment{}).sends.empty());
  CHECK_FALSE(world.hear_suspicion(1, 0, moment{10us}));
  // The suspicions of the others still count.
  CHECK(world.hear_suspicion(3, 0, moment{20us}) == view_number{1});
  world.leave_for(2, 1, moment{30us});
  (void)world.set.on_entered(view_number{1}, moment{40us});
  CHECK(sent<suspicion>(world.set.on_suspected(suspicion_reason::mute, moment{50us}).sends).size() == 1);
}

TEST_CASE("a primary that is avoided is suspected at once, and the views that it leads are not waited for") {
  coordinator_world world{2};
  const auto effects = world.set.on_trust({replica_id{0}}, moment{});
  CHECK(sent<suspicion>(effects.sends).size() == 1);
  CHECK_FALSE(effects.change_to);
  // Good service does not withdraw this suspicion.
  world.set.on_satisfied();
  CHECK(world.hear_suspicion(3, 0) == view_number{1});
  SUBCASE("its views are not skipped: probation counts on that") {
    coordinator_world other{2, 7};
    (void)other.set.on_trust({replica_id{0}, replica_id{1}}, moment{});
    CHECK_FALSE(other.hear_suspicion(3, 0));
    CHECK(other.hear_suspicion(4, 0) == view_number{1});
  }
  SUBCASE("a view that it leads is left as soon as it is entered") {
    coordinator_world other{2};
    (void)other.set.on_trust({replica_id{1}}, moment{});
    CHECK(sent<suspicion>(other.set.on_entered(view_number{1}, moment{10us}).sends).size() == 1);
  }
  SUBCASE("a view that it leads is not waited for, once a quorum has left for it") {
    coordinator_world other{2};
    other.leave_for(2, 1, moment{});
    CHECK(other.set.on_trust({replica_id{1}}, moment{}).sends.empty());
    (void)other.hear_change(0, 1);
    CHECK(sent<suspicion>(other.set.on_view_change(other.change_of(3, 1), moment{}).sends).size() == 1);
  }
}

// --- Agreed moves --------------------------------------------------------------------

TEST_CASE("the patience that grew during a hand-over is taken back, and the patience before it is kept") {
  coordinator_world world{3};
  world.leave_for(3, 1, moment{10us});
  world.leave_for(3, 2, moment{20us});
  (void)world.set.on_entered(view_number{2}, moment{30us});
  CHECK(world.set.request_timeout() == 4ms);
  // The others have executed the hand-over and make this replica follow them.
  world.leave_for(3, 3, moment{40us});
  CHECK(world.set.request_timeout() == 8ms);
  agreed_moves moves;
  moves.least_view = view_number{3};
  (void)world.set.on_moves(moves, {}, {}, moment{});
  CHECK(world.set.request_timeout() == 4ms);
  // The next move is for a later view. It does not affect earlier views, however often it is given.
  (void)world.set.on_entered(view_number{3}, moment{50us});
  moves.least_view = view_number{4};
  (void)world.set.on_moves(moves, {}, {}, moment{});
  world.leave_for(3, 4, moment{60us});
  (void)world.set.on_entered(view_number{4}, moment{70us});
  (void)world.set.on_moves(moves, {}, {}, moment{});
  CHECK(world.set.request_timeout() == 4ms);
}

TEST_CASE("the patience is taken back also if the hand-over is learned after its view is entered") {
  coordinator_world world{3};
  world.leave_for(3, 1, moment{10us});
  world.leave_for(3, 2, moment{20us});
  (void)world.set.on_entered(view_number{2}, moment{30us});
  agreed_moves moves;
  moves.least_view = view_number{2};
  (void)world.set.on_moves(moves, {}, {}, moment{});
  CHECK(world.set.request_timeout() == 1ms);
}

TEST_CASE("a view that its primary gives up is left, whatever other views were given up before") {
  coordinator_world world{3};
  // A faulty primary has given up a view that no replica will ever reach.
  CHECK_FALSE(world.set.on_moves({}, {view_number{4'000'000}}, {}, moment{}).change_to);
  CHECK(world.set.on_moves({}, {view_number{0}, view_number{9}}, {}, moment{}).change_to == view_number{1});
  world.leave_for(3, 1, moment{10us});
  CHECK(world.set.request_timeout() == 1ms);
  (void)world.set.on_entered(view_number{1}, moment{20us});
  CHECK_FALSE(world.set.on_moves({}, {view_number{0}}, {}, moment{}).change_to);
  CHECK(world.set.on_moves({}, {view_number{1}}, {}, moment{}).change_to == view_number{2});
}

TEST_CASE("a hand-over is carried out at the end of its checkpoint period, or after the time that a request may wait") {
  const agreed_moves agreed{sequence_number{4}, view_number{1}, {}};
  for (const bool is_first : {false, true}) {
    coordinator_world world{3};
    if (is_first) CHECK_FALSE(world.set.on_low_watermark(sequence_number{4}, moment{}).change_to);
    CHECK(world.set.on_moves(agreed, {}, sequence_number{3}, moment{10us}).change_to.has_value() == is_first);
    CHECK(world.set.on_tick(moment{1'009us}).change_to.has_value() == is_first);
    CHECK(world.set.on_low_watermark(sequence_number{4}, moment{1'009us}).change_to == view_number{1});
  }
  coordinator_world patient{3};
  CHECK_FALSE(patient.set.on_moves(agreed, {}, sequence_number{3}, moment{10us}).change_to);
  // The repeated move does not restart the time.
  CHECK_FALSE(patient.set.on_moves(agreed, {}, sequence_number{3}, moment{900us}).change_to);
  CHECK(patient.set.on_tick(moment{1'010us}).change_to == view_number{1});
}

TEST_CASE("a primary that closes its link to one backup does not make that backup alone leave for a hand-over") {
  const agreed_moves agreed{sequence_number{4}, view_number{1}, {}};
  coordinator_world world{3};
  world.set.on_link_changed(replica_id{0}, false);
  REQUIRE(world.set.request_timeout() < 1ms);
  CHECK_FALSE(world.set.on_moves(agreed, {}, sequence_number{3}, moment{10us}).change_to);
  CHECK_FALSE(world.set.on_tick(moment{1'009us}).change_to);
  CHECK(world.set.on_tick(moment{1'010us}).change_to == view_number{1});
}

TEST_CASE("a hand-over of a period that ended before a restart is carried out at once") {
  // The hand-over was agreed on at 3 with K = 4, so its period ended at 4. After the restart the replica has executed
  // up to 6 and would otherwise wait until 8.
  const agreed_moves agreed{sequence_number{4}, view_number{1}, {}};
  coordinator_world world{3};
  CHECK_FALSE(world.set.on_low_watermark(sequence_number{4}, moment{}).change_to);
  CHECK(world.set.on_moves(agreed, {}, sequence_number{6}, moment{10us}).change_to == view_number{1});
}

TEST_CASE("a hand-over is not put off by later ones, nor by one that is ordered again") {
  const agreed_moves agreed{sequence_number{4}, view_number{1}, {}};
  coordinator_world world{3};
  CHECK_FALSE(world.set.on_moves(agreed, {}, sequence_number{3}, moment{10us}).change_to);
  for (const unsigned time : {200, 400, 600, 800}) {
    const sequence_number at{4 + time};
    CHECK_FALSE(world.set.on_moves(agreed, {view_number{0}, view_number{1}}, at.next(), moment{time * 1us}).change_to);
  }
  CHECK(world.set.on_tick(moment{1'010us}).change_to == view_number{1});
  // A move that this replica has already seen does not start a new one.
  world.leave_for(3, 1, moment{1'010us});
  (void)world.set.on_entered(view_number{1}, moment{1'020us});
  CHECK(world.set.on_low_watermark(sequence_number{1'000}, moment{1'020us}).change_to == view_number{2});
}

TEST_CASE("a replica that could not leave with f + 1 others is asked again while they want to leave, and no longer") {
  coordinator_world world{1};
  (void)world.hear_suspicion(2, 0);
  CHECK(world.hear_suspicion(3, 0) == view_number{1});
  CHECK(world.set.on_tick(moment{500ms}).change_to == view_number{1});
  CHECK_FALSE(world.set.on_tick(moment{1'100ms}).change_to);
}

TEST_CASE("a replica of an idle group may rest, and not while a client waits, or a suspicion or a move is open") {
  constexpr auto pause = view_changer::calm_before_rest;
  coordinator_world world{2};
  service_report idle;
  idle.requests_executed = 7;
  (void)world.set.on_service(idle, moment{1s});
  CHECK_FALSE(world.set.may_rest(moment{1s}));
  (void)world.set.on_service(idle, moment{1s + pause});
  CHECK(world.set.may_rest(moment{1s + pause}));
  const moment now{10s};
  SUBCASE("a client waits") {
    auto busy = idle;
    busy.clients_waiting = 1;
    (void)world.set.on_service(busy, now);
    CHECK_FALSE(world.set.may_rest(now));
    CHECK(world.set.may_rest(now + pause));
  }
  SUBCASE("requests are executed") {
    auto busy = idle;
    busy.requests_executed = 8;
    (void)world.set.on_service(busy, now);
    CHECK_FALSE(world.set.may_rest(now));
  }
  SUBCASE("this replica suspects the primary") {
    (void)world.set.on_suspected(suspicion_reason::mute, now);
    CHECK_FALSE(world.set.may_rest(now + 1h));
  }
  SUBCASE("another replica suspects the primary") {
    (void)world.hear_suspicion(3, 0, now);
    CHECK_FALSE(world.set.may_rest(now + 1h));
  }
  SUBCASE("the view was left") {
    world.leave_for(2, 1, now);
    CHECK_FALSE(world.set.may_rest(now + 1h));
    (void)world.set.on_entered(view_number{1}, now + 1h);
    CHECK_FALSE(world.set.may_rest(now + 1h));
  }
  SUBCASE("sequence numbers have to be ordered") {
    agreed_moves moves;
    moves.advance_through = sequence_number{9};
    (void)world.set.on_moves(moves, {}, sequence_number{1}, now);
    CHECK_FALSE(world.set.may_rest(now));
    (void)world.set.on_service(idle, now + 1h);
    CHECK_FALSE(world.set.may_rest(now + 1h));
  }
}
