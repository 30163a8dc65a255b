// Tests of strategies that run at once and in turns, and of the messages that an adversary can observe and sign.
#include <doctest/doctest.h>

#include "messages/codec.hpp"
#include "messages/signing.hpp"
#include "tests/byzantine/combinators.hpp"
#include "tests/byzantine/forgery.hpp"
#include "tests/byzantine/interposer.hpp"
#include "tests/byzantine/strategy.hpp"
#include "tests/simulation/adversary_plan.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Replica 1 of four replicas is Byzantine.
struct stage : adversary_world {
  struct sent_frame {
    principal to;
    frame_ptr frame;
    duration delay{};
  };

  request_factory make{small_cluster(4)};
  moment time;
  std::vector<sent_frame> sent;

  [[nodiscard]] moment now() const override { return time; }
  void put_on_wire(principal to, const frame_ptr& frame, duration delay) override {
    sent.push_back({to, frame, delay});
  }
  void take_in(principal, const frame_ptr&) override {}
  void step_wall_clock(duration) override {}

  [[nodiscard]] adversary_hands hands() {
    const auto players = std::make_shared<const std::set<replica_id>>(std::set{replica_id{1}});
    return {*this, make.cluster(), make.keys().of(principal::of(replica_id{1})), players, 1};
  }
  [[nodiscard]] interposer play(std::string_view names) { return {hands(), make_adversary(names)}; }
  [[nodiscard]] frame_ptr own_prepare(std::uint64_t sequence) const {
    const auto proposal = make.pre_prepare_of(view_number{0}, sequence_number{sequence}, make.batch_number(sequence));
    return encode_vote(message_kind::prepare, make.prepare_of(replica_id{1}, proposal).vote);
  }
};

constexpr principal peer = principal::of(replica_id{2});

}  // namespace

TEST_CASE_FIXTURE(stage, "an honest adversary passes every frame") {
  auto honest = play(honest_play);
  const auto frame = own_prepare(1);
  CHECK(honest.on_send(peer, frame) == frame);
  CHECK(honest.on_receive(peer, frame) == frame);
  honest.on_tick();
  CHECK(sent.empty());
}

TEST_CASE_FIXTURE(stage, "the second of two combined strategies sees the frames that the first one passes") {
  auto both = play("votes-for-nothing+duplicate-flood");
  const auto frame = own_prepare(1);
  const auto left = both.on_send(peer, frame);
  REQUIRE(left != nullptr);
  CHECK(*left != *frame);
  REQUIRE(sent.size() == 9);
  for (const auto& each : sent)
    CHECK(each.frame == left);
  sent.clear();
  auto silent = play("silent-backup+duplicate-flood");
  CHECK(silent.on_send(peer, frame) == nullptr);
  CHECK(sent.empty());
}

TEST_CASE_FIXTURE(stage, "a strategy that starts on command is honest until then") {
  const auto told = std::make_shared<std::atomic<bool>>(false);
  interposer waits{hands(), std::make_unique<when_told>(told, make_adversary("silent-backup+duplicate-flood"))};
  const auto frame = own_prepare(1);
  CHECK(waits.on_send(peer, frame) == frame);
  CHECK(sent.empty());
  *told = true;
  CHECK(waits.on_send(peer, frame) == nullptr);
}

TEST_CASE_FIXTURE(stage, "strategies take turns") {
  auto turns = play("silent-backup/honest");
  const auto frame = own_prepare(1);
  CHECK(turns.on_send(peer, frame) == nullptr);
  time = moment{turn};
  CHECK(turns.on_send(peer, frame) == frame);
  time = moment{2 * turn};
  CHECK(turns.on_send(peer, frame) == nullptr);
}

TEST_CASE("an unknown strategy has no adversary") {
  for (const auto* name : {"", "no-such-thing", "silent-backup+", "silent-backup/no-such-thing"})
    CHECK_MESSAGE(make_adversary(name) == nullptr, name);
  CHECK(strategies_in("silent-backup+late-votes/honest").size() == 2);
  CHECK(strategies_in("silent-backup+no-such-thing").empty());
}

TEST_CASE_FIXTURE(stage, "an adversary signs as itself only") {
  auto own = hands();
  const auto content = make.content_of(replica_id{3}, view_number{0}, sequence_number{1}, named_digest("A"));
  const auto forged = signed_statement_of(own, message_kind::commit, content);
  const auto input = signing_input(make.cluster().signing, message_kind::commit, statement_bytes(content));
  CHECK(own.keys().verify(principal::of(replica_id{1}), input, forged.by));
  CHECK_FALSE(own.keys().verify(principal::of(replica_id{3}), input, forged.by));
}

TEST_CASE_FIXTURE(stage, "an adversary knows the frames that its member sent and received") {
  auto own = hands();
  overheard& memory = own.memory();
  const auto proposal = make.pre_prepare_of(view_number{0}, sequence_number{5}, make.batch_number(5));
  memory.on_received(proposal);
  memory.on_received(proposal);
  CHECK(memory.proposals().size() == 1);
  CHECK(memory.requests().size() == 1);
  CHECK(memory.last() == sequence_number{5});
  memory.on_sent(make.prepare_of(replica_id{1}, proposal), own_prepare(5));
  CHECK(memory.votes().size() == 1);
  memory.on_sent(make.view_change_of(replica_id{1}, view_number{4}, nullptr, {}), own_prepare(5));
  CHECK(memory.view() == view_number{4});
  CHECK_FALSE(own.leads());
  for (std::uint64_t number = 6; number < 6 + 2 * overheard::requests_max; ++number)
    memory.on_received(make.request_of(client_id{0}, timestamp{number}, "x"));
  CHECK(memory.requests().size() == overheard::requests_max);
}

TEST_CASE("a plan with adversaries is read back from its text and gives the same events again") {
  for (const auto* names : {"equivocate-to-halves", "timestamp-jump", "late-votes+duplicate-flood/silent-backup"}) {
    CAPTURE(names);
    const auto plan = make_adversary_plan({names, 2, 7, 40});
    CHECK(check(plan).has_value());
    const auto again = plan_of(text_of(plan));
    REQUIRE(again.has_value());
    CHECK(*again == plan);
    CHECK(run_simulation(plan).event_hash == run_simulation(*again).event_hash);
  }
}

TEST_CASE("a plan has at most f faulty replicas, and client 0 is correct in it") {
  auto plan = make_adversary_plan({"late-votes", 1, 4, 10});
  plan.faults.push_back({moment{}, moment{1ms}, adversarial_play{principal::of(replica_id{0}), {"late-votes"}}});
  plan.faults.push_back({moment{}, moment{1ms}, adversarial_play{principal::of(replica_id{3}), {"late-votes"}}});
  CHECK_FALSE(check(plan).has_value());
  plan = make_adversary_plan({"late-votes", 1, 4, 10});
  plan.faults.push_back({moment{}, moment{1ms}, adversarial_play{principal::of(client_id{0}), {"timestamp-jump"}}});
  CHECK_FALSE(check(plan).has_value());
}
