#include <doctest/doctest.h>

#include <rapidcheck.h>
#include <nlohmann/json.hpp>

#include "runtime/health/assessment.hpp"

namespace hypermesh::testing {

namespace {

using std::chrono::milliseconds;

/// What replica 0 knows in a healthy group whose primary is replica 0.
health_input healthy(std::uint32_t replicas) {
  health_input known;
  known.group = group_size{replicas};
  known.peers.resize(replicas);
  for (auto& each : known.peers)
    each.heard_ago = milliseconds{100};
  return known;
}

std::vector<std::uint32_t> safe_in(const health_report& report) {
  std::vector<std::uint32_t> all;
  for (const auto each : report.safe_to_restart)
    all.push_back(each.value);
  return all;
}

using numbers = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("in a healthy group all replicas but the primary are safe to restart") {
  const auto report = assess(healthy(4));
  CHECK(report.live);
  CHECK(report.ready);
  CHECK_FALSE(report.degraded());
  CHECK(report.faults_tolerated == 1);
  CHECK(safe_in(report) == numbers{1, 2, 3});
  CHECK(sentence_of(report) == "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)");
}

TEST_CASE("with as many faults as the group tolerates no replica is safe to restart") {
  auto known = healthy(4);
  known.peers[2].linked = false;
  const auto report = assess(known);
  CHECK(report.ready);
  CHECK(report.service_possible);
  CHECK(report.faults_tolerated == 0);
  CHECK(sentence_of(report) == "tolerates 0 more faults; replica 2 not connected; safe to restart: none");
  known.peers[3].heard_ago.reset();
  const auto worse = assess(known);
  CHECK_FALSE(worse.service_possible);
  CHECK_FALSE(worse.ready);
  CHECK(sentence_of(worse) ==
        "not ready; no service: 1 of the 3 replicas of a quorum take part; replica 0 hears from 1 other replica, which "
        "is too few; replica 2 not connected; replica 3 is silent; safe to restart: none");
}

TEST_CASE("the sentence names the probation of a replica and the replicas that are still safe") {
  auto known = healthy(7);
  known.self = replica_id{6};
  known.peers[3].on_probation = true;
  known.peers[3].probation_until = sequence_number{512};
  const auto report = assess(known);
  CHECK(sentence_of(report) ==
        "tolerates 1 more fault; replica 3 on probation until sequence 512; safe to restart: 1, 2, 4, 5, 6 (one at a "
        "time)");
}

TEST_CASE("each thing that a node knows about a replica makes that replica a fault") {
  const auto of_peer = [](const std::function<void(peer_health&)>& change) {
    auto known = healthy(4);
    change(known.peers[2]);
    const auto report = assess(known);
    CHECK(safe_in(report).empty());
    REQUIRE(report.reasons.size() == 1);
    CHECK(report.reasons[0].replica == replica_id{2});
    return report.reasons[0].condition;
  };
  const health_bounds bounds;
  CHECK(of_peer([](auto& peer) { peer.linked = false; }) == replica_condition::unlinked);
  CHECK(of_peer([](auto& peer) { peer.heard_ago.reset(); }) == replica_condition::silent);
  CHECK(of_peer([&](auto& peer) { peer.heard_ago = bounds.silence_max + milliseconds{1}; }) ==
        replica_condition::silent);
  CHECK(of_peer([](auto& peer) { peer.quarantined = true; }) == replica_condition::quarantined);
  CHECK(of_peer([](auto& peer) { peer.on_probation = true; }) == replica_condition::on_probation);
  CHECK(of_peer([](auto& peer) { peer.view_entered = false; }) == replica_condition::changing_view);
  CHECK(of_peer([](auto& peer) { peer.view = view_number{1}; }) == replica_condition::other_view);
  CHECK(of_peer([&](auto& peer) { peer.behind = bounds.behind_max + 1; }) == replica_condition::behind);
  CHECK(of_peer([&](auto& peer) { peer.votes_missed = bounds.votes_missed_max + 1; }) == replica_condition::not_voting);
}

TEST_CASE("a replica at a bound still takes part") {
  auto known = healthy(4);
  known.peers[1].heard_ago = known.bounds.silence_max;
  known.peers[2].behind = known.bounds.behind_max;
  known.peers[3].votes_missed = known.bounds.votes_missed_max;
  CHECK_FALSE(assess(known).degraded());
}

TEST_CASE("a node that does not take part is not ready and names no replica that is safe to restart") {
  const auto of_node = [](const std::function<void(own_health&)>& change) {
    auto known = healthy(7);
    change(known.own);
    const auto report = assess(known);
    CHECK_FALSE(report.ready);
    CHECK(safe_in(report).empty());
    CHECK(report.faults_tolerated == 1);
    REQUIRE(report.reasons.size() == 1);
    return std::pair{report.reasons[0].condition, report.live};
  };
  const health_bounds bounds;
  const auto late = milliseconds{1};
  CHECK(of_node([](auto& own) { own.failure = "the disk is full"; }) == std::pair{replica_condition::failed, false});
  CHECK(of_node([](auto& own) { own.stopped = true; }) == std::pair{replica_condition::stopped, false});
  CHECK(of_node([&](auto& own) { own.since_answer = bounds.answer_max + late; }) ==
        std::pair{replica_condition::stuck, true});
  CHECK(of_node([&](auto& own) { own.since_answer = bounds.stuck_max; }) == std::pair{replica_condition::stuck, true});
  CHECK(of_node([&](auto& own) { own.since_answer = bounds.stuck_max + late; }) ==
        std::pair{replica_condition::stuck, false});
  CHECK(of_node([&](auto& own) { own.since_step = bounds.stuck_max + late; }) ==
        std::pair{replica_condition::stuck, false});
  CHECK(of_node([&](auto& own) { own.since_step = bounds.silence_max + late; }) ==
        std::pair{replica_condition::stuck, true});
  CHECK(of_node([](auto& own) { own.draining = true; }) == std::pair{replica_condition::draining, true});
  CHECK(of_node([](auto& own) { own.machine_complaint = "it is in 'apply'"; }) ==
        std::pair{replica_condition::blocked, true});
  CHECK(of_node([](auto& own) { own.diverged = true; }) == std::pair{replica_condition::diverged, true});
  CHECK(of_node([](auto& own) { own.on_probation = true; }) == std::pair{replica_condition::on_probation, true});
  CHECK(of_node([&](auto& own) { own.lacks_state = bounds.stall_max + late; }) ==
        std::pair{replica_condition::fetching_state, true});
  CHECK(of_node([&](auto& own) { own.waiting_for_view = bounds.stall_max + late; }) ==
        std::pair{replica_condition::changing_view, true});
  CHECK(of_node([&](auto& own) { own.not_executing = bounds.stall_max + late; }) ==
        std::pair{replica_condition::not_executing, true});
}

TEST_CASE("one late answer does not make a node stuck") {
  auto known = healthy(4);
  known.own.since_answer = known.bounds.answer_max;
  CHECK(assess(known).ready);
  // A node with a short status period is asked no more often than others.
  CHECK(bounds_of(cluster_parameters{}, milliseconds{10}).answer_max >= milliseconds{2'000});
}

TEST_CASE("a node that hears from too few replicas is not ready, one that hears from a quorum is") {
  for (const std::uint32_t replicas : {4U, 5U, 6U, 7U, 31U}) {
    CAPTURE(replicas);
    const auto quorum = group_size{replicas}.quorum();
    auto known = healthy(replicas);
    for (std::uint32_t number = quorum; number < replicas; ++number)
      known.peers[number].heard_ago.reset();
    CHECK(assess(known).ready);
    known.peers[1].linked = false;
    const auto report = assess(known);
    CHECK(report.live);
    CHECK_FALSE(report.ready);
    CHECK(report.reasons[0] == health_reason{replica_id{0}, replica_condition::isolated, quorum - 2});
  }
}

TEST_CASE("the error of a node is one line of the sentence, and bounded") {
  auto known = healthy(4);
  known.own.failure = "two\nlines";
  CHECK(text_of(assess(known).reasons[0]) == "replica 0 failed: two\\nlines");
  known.own.failure = std::string(detail_bytes_max - 1, 'x') + "\u00e9\u00e9";
  const auto& detail = assess(known).reasons[0].detail;
  CHECK(detail == std::string(detail_bytes_max - 1, 'x'));
  known.own.failure = std::string(100'000, '\xff');
  CHECK(sentence_of(assess(known)).size() <= 800);
}

TEST_CASE("a node that has just left its view is ready, but nothing is safe to restart") {
  auto known = healthy(7);
  known.own.waiting_for_view = milliseconds{10};
  CHECK(assess(known).ready);
  CHECK(safe_in(assess(known)).empty());
}

TEST_CASE("a node whose disk does not survive a restart is not safe to restart") {
  auto known = healthy(4);
  known.self = replica_id{3};
  known.own.keeps_disk = false;
  CHECK(safe_in(assess(known)) == numbers{1, 2});
}

TEST_CASE("f liars cannot make a node believe that it lags or is in an old view, f + 1 replicas can") {
  auto known = healthy(7);
  for (std::uint32_t number = 1; number <= 2; ++number) {
    known.peers[number].ahead = 1'000'000;
    known.peers[number].view = view_number{7};
  }
  // The liars themselves do not count, because they claim to be in another view.
  CHECK(assess(known).ready);
  CHECK(assess(known).faults_tolerated == 0);
  known.peers[3].view = view_number{7};
  CHECK(assess(known).reasons[0] == health_reason{replica_id{0}, replica_condition::other_view, 0});
  auto lagging = healthy(7);
  for (std::uint32_t number = 1; number <= 3; ++number)
    lagging.peers[number].ahead = 129 + number;
  CHECK(assess(lagging).reasons[0] == health_reason{replica_id{0}, replica_condition::behind, 130});
}

TEST_CASE("no replica is safe to restart while the primary does not take part") {
  auto known = healthy(7);
  known.self = replica_id{6};
  known.peers[0].linked = false;
  CHECK(assess(known).faults_tolerated == 1);
  CHECK(safe_in(assess(known)).empty());
}

TEST_CASE("the sentence of a large group is bounded") {
  auto known = healthy(100);
  for (std::uint32_t number = 1; number < 100; number += 2)
    known.peers[number].heard_ago = milliseconds{9'000'000'000};
  const auto many = sentence_of(assess(known));
  CHECK(many.size() <= 800);
  CHECK(many.find("and 47 more") != std::string::npos);
  health_report scattered;
  scattered.group = group_size{100};
  for (std::uint32_t number = 0; number < 100; number += 3)
    scattered.safe_to_restart.push_back(replica_id{number});
  CHECK(sentence_of(scattered).size() <= 800);
  CHECK(sentence_of(scattered).find("21 and 26 more (one at a time)") != std::string::npos);
}

TEST_CASE("every condition has a name and a text") {
  std::set<std::string> names;
  for (std::uint8_t number = 0; number <= static_cast<std::uint8_t>(replica_condition_last); ++number) {
    const auto condition = static_cast<replica_condition>(number);
    CHECK(to_string(condition) != "unknown");
    CHECK(text_of(health_reason{replica_id{1}, condition, 3}).find("unknown") == std::string::npos);
    names.emplace(to_string(condition));
  }
  CHECK(names.size() == static_cast<std::size_t>(replica_condition_last) + 1);
}

TEST_CASE("the JSON form has the documented keys") {
  auto known = healthy(4);
  known.peers[3].on_probation = true;
  const auto json = nlohmann::json::parse(json_of(assess(known)));
  for (const char* key :
       {"sentence", "replica", "live", "ready", "draining", "degraded", "primary", "replicas", "faulty_max", "quorum",
        "voting", "service_possible", "service_known", "faults_tolerated", "safe_to_restart", "reasons"}) {
    CAPTURE(key);
    CHECK(json.contains(key));
  }
  CHECK(json["voting"] == 3);
  CHECK(json["reasons"][0]["condition"] == "on_probation");
  CHECK(json["safe_to_restart"].empty());
}

TEST_CASE("whatever a node knows, without a replica that it calls safe a quorum takes part") {
  CHECK(rc::check([] {
    const auto replicas = *rc::gen::inRange<std::uint32_t>(4, 32);
    auto known = healthy(replicas);
    known.self = replica_id{*rc::gen::inRange<std::uint32_t>(0, replicas)};
    known.own.view = view_number{*rc::gen::inRange<std::uint64_t>(0, 4)};
    for (auto& peer : known.peers) {
      peer.view = *rc::gen::weightedElement<view_number>({{30, known.own.view}, {1, view_number{9}}});
      peer.linked = *rc::gen::weightedElement<bool>({{30, true}, {1, false}});
      peer.behind = *rc::gen::weightedElement<std::uint64_t>({{30, 0}, {1, 129}});
      peer.ahead = *rc::gen::weightedElement<std::uint64_t>({{30, 0}, {1, 1'000}});
      peer.on_probation = *rc::gen::weightedElement<bool>({{30, false}, {1, true}});
      peer.votes_missed = *rc::gen::weightedElement<std::uint64_t>({{30, 64}, {1, 65}});
      peer.heard_ago = milliseconds{*rc::gen::weightedElement<int>({{30, 2'400}, {1, 2'401}})};
    }
    known.own.keeps_disk = *rc::gen::weightedElement<bool>({{5, true}, {1, false}});
    const auto report = assess(known);
    // The number of replicas that take part is computed from the inputs, without the product's functions.
    std::uint32_t taking_part = report.ready ? 1 : 0;
    std::uint32_t heard = 0;
    for (std::uint32_t number = 0; number < replicas; ++number) {
      const auto& peer = known.peers[number];
      const bool votes = peer.linked && peer.heard_ago <= milliseconds{2'400} && peer.view == known.own.view &&
                         peer.behind <= 128 && !peer.on_probation && peer.votes_missed <= 64;
      if (replica_id{number} != known.self && votes) ++taking_part;
      if (replica_id{number} != known.self && peer.linked && peer.heard_ago <= milliseconds{2'400}) ++heard;
      if (replica_id{number} != known.self && !votes) RC_ASSERT(!report.is_safe_to_restart(replica_id{number}));
    }
    const auto f = (replicas - 1) / 3;
    if (2 * (heard + 1) < replicas + f + 1) RC_ASSERT(!report.ready);
    RC_ASSERT(report.voting == taking_part);
    RC_ASSERT(report.faults_tolerated <= f);
    for (const auto each : report.safe_to_restart) {
      RC_ASSERT(2 * (taking_part - 1) >= replicas + f + 1);
      RC_ASSERT(replicas - taking_part + 1 <= f);
      RC_ASSERT(each.value != known.own.view.value % replicas);
      RC_ASSERT(each != known.self || known.own.keeps_disk);
    }
    RC_CLASSIFY(!report.safe_to_restart.empty());
  }));
}

}  // namespace hypermesh::testing
