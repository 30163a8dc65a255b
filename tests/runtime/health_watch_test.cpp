#include <doctest/doctest.h>

#include "runtime/health/health_watch.hpp"
#include "tests/support/request_factory.hpp"

namespace hypermesh::testing {

namespace {

using std::chrono::milliseconds;

/// The watch of replica 1 of four.
struct watch_bench {
  cluster_parameters cluster = small_cluster(4);
  health_time now{};
  health_watch watch{{cluster, replica_id{1}, milliseconds{150}, true}, now};

  void pass(milliseconds time) { now += time; }
  void see(const observation& what) { watch.note(what, now); }
  void step() {
    see(replica_progress{});
    watch.on_answers({}, now);
  }
  void hear(std::uint32_t replica, std::uint64_t decided = 0, bool on_probation = false, std::uint64_t view = 0) {
    see(status_was_heard{replica_id{replica}, view_number{view}, true, sequence_number{decided}, on_probation});
  }
  void hear_all_but(std::uint32_t silent) {
    step();
    for (const std::uint32_t replica : {0, 2, 3})
      if (replica != silent) hear(replica);
  }
  void hear_all() { hear_all_but(1); }
  /// This node is in a view and has entered it.
  void enter(std::uint64_t view) {
    replica_progress seen;
    seen.view = view_number{view};
    see(seen);
    watch.on_answers({}, now);
  }
  void commit(std::uint64_t sequence, const std::vector<std::uint32_t>& voters, std::uint64_t view = 0) {
    auto certificate = std::make_shared<commit_certificate>();
    for (const auto each : voters) {
      signed_statement vote;
      vote.content.replica = replica_id{each};
      certificate->commits.push_back(vote);
    }
    committed_batch content;
    content.sequence = sequence_number{sequence};
    content.view = view_number{view};
    content.body = std::make_shared<const batch>();
    content.certificate = std::move(certificate);
    see(slot_committed{std::move(content)});
  }
  void execute(std::uint64_t sequence) {
    batch_was_executed done;
    done.sequence = sequence_number{sequence};
    see(done);
  }
  [[nodiscard]] health_report report() const { return assess(watch.known_at(now)); }
  [[nodiscard]] bool has_sentence(std::string_view part) const {
    return sentence_of(report()).find(part) != std::string::npos;
  }
  [[nodiscard]] health_reason only_reason() const {
    const auto all = report().reasons;
    REQUIRE(all.size() == 1);
    return all[0];
  }
};

}  // namespace

TEST_CASE_FIXTURE(watch_bench, "a node that has just started is live, and ready once it has heard from a quorum") {
  step();
  CHECK(report().voting == 0);
  CHECK_FALSE(report().service_possible);
  CHECK(report().live);
  CHECK_FALSE(report().ready);
  hear(0);
  CHECK_FALSE(report().ready);
  hear(2);
  CHECK(report().ready);
  CHECK(report().safe_to_restart.empty());
  hear_all();
  CHECK_FALSE(report().degraded());
  CHECK(report().safe_to_restart == std::vector{replica_id{1}, replica_id{2}, replica_id{3}});
}

TEST_CASE_FIXTURE(watch_bench, "a replica counts for four STATUS periods after its last STATUS") {
  hear_all();
  pass(milliseconds{2'400});
  step();
  CHECK_FALSE(report().degraded());
  hear(0);
  hear(2);
  pass(milliseconds{1});
  CHECK(only_reason() == health_reason{replica_id{3}, replica_condition::silent, 2'401});
}

TEST_CASE_FIXTURE(watch_bench, "a replica whose link was down counts again after a STATUS on the new link") {
  hear_all();
  watch.on_link(replica_id{2}, false, now);
  CHECK(only_reason().condition == replica_condition::unlinked);
  // This STATUS was under way when the link went down.
  hear(2);
  CHECK(only_reason().condition == replica_condition::unlinked);
  watch.on_link(replica_id{2}, true, now);
  CHECK(only_reason().condition == replica_condition::unreported);
  pass(milliseconds{2'401});
  hear_all_but(2);
  CHECK(only_reason().condition == replica_condition::silent);
  hear(2);
  CHECK_FALSE(report().degraded());
}

TEST_CASE_FIXTURE(watch_bench, "a replica on probation does not count, and its agreed end is shown") {
  hear_all();
  hear(3, 0, true);
  CHECK(only_reason() == health_reason{replica_id{3}, replica_condition::on_probation, 0});
  move_agreed agreed;
  agreed.wanted.kind = message_kind::readmission;
  agreed.wanted.about = replica_id{3};
  agreed.through = sequence_number{512};
  see(agreed);
  CHECK(only_reason().number == 512);
  hear(3);
  CHECK_FALSE(report().degraded());
}

TEST_CASE_FIXTURE(watch_bench, "a replica that claims to be well and does not vote does not count") {
  hear_all();
  for (std::uint64_t sequence = 1; sequence <= 64; ++sequence) {
    commit(sequence, {0, 1, 2});
    execute(sequence);
  }
  hear(3, 64);
  CHECK_FALSE(report().degraded());
  commit(65, {0, 1, 2});
  execute(65);
  CHECK(only_reason() == health_reason{replica_id{3}, replica_condition::not_voting, 65});
  SUBCASE("until it votes in time") { commit(66, {0, 1, 3}); }
  SUBCASE("until it votes late") {
    // A PREPARE and a COMMIT.
    for (int vote = 0; vote < 2; ++vote)
      see(frame_rejected{principal::of(replica_id{3}), rejection::already_decided});
    commit(66, {0, 1, 2});
  }
  execute(66);
  CHECK_FALSE(report().degraded());
}

TEST_CASE_FIXTURE(watch_bench,
                  "a replica that only sends late CHECKPOINTs does not vote, one whose votes are late does") {
  const auto late = [this](std::uint32_t replica) {
    see(frame_rejected{principal::of(replica_id{replica}), rejection::already_decided});
  };
  hear_all();
  for (std::uint64_t sequence = 1; sequence <= 90; ++sequence) {
    commit(sequence, {0, 1});
    execute(sequence);
    late(2);
    if (sequence % 4 == 0) late(3);
  }
  hear(2, 90);
  hear(3, 90);
  CHECK(only_reason() == health_reason{replica_id{3}, replica_condition::not_voting, 68});
}

TEST_CASE_FIXTURE(watch_bench, "a replica misses no votes while it is down, lags, or is in another view") {
  hear_all();
  std::uint64_t sequence = 0;
  const auto commit_many = [&] {
    for (int count = 0; count < 70; ++count) {
      commit(++sequence, {0, 1, 2});
      execute(sequence);
    }
  };
  SUBCASE("down") { watch.on_link(replica_id{3}, false, now); }
  SUBCASE("silent") { watch.on_link(replica_id{3}, true, now); }
  SUBCASE("in another view") { hear(3, 0, false, 1); }
  SUBCASE("behind") {
    execute(cluster.checkpoint_period + 1);
    hear(3);
  }
  commit_many();
  watch.on_link(replica_id{3}, true, now);
  hear(3, sequence);
  CHECK_FALSE(report().degraded());
  // From here on it counts, up to a bound.
  for (int count = 0; count < 3; ++count)
    commit_many();
  hear(3, sequence);
  CHECK(only_reason() == health_reason{replica_id{3}, replica_condition::not_voting, 128});
}

TEST_CASE_FIXTURE(watch_bench,
                  "a replica that returns from a silence is not mute before the next batch without its vote") {
  std::uint64_t sequence = 0;
  const auto commit_many = [&](std::uint64_t count) {
    for (std::uint64_t each = 0; each < count; ++each) {
      commit(++sequence, {0, 1, 2});
      execute(sequence);
    }
  };
  hear_all();
  // The link is cut, and the batches of the next moments are committed before anybody notices the silence.
  commit_many(100);
  pass(milliseconds{2'401});
  step();
  hear(0, sequence);
  hear(2, sequence);
  CHECK(only_reason().condition == replica_condition::silent);
  // It caught up, and the group is idle, so there is nothing for which it could vote.
  hear(3, sequence);
  CHECK_FALSE(report().degraded());
  SUBCASE("a mute replica gains nothing by fewer STATUSes") {
    commit_many(1);
    CHECK(only_reason() == health_reason{replica_id{3}, replica_condition::not_voting, 65});
  }
  SUBCASE("an honest one votes again") {
    commit(++sequence, {0, 1, 3});
    execute(sequence);
    commit_many(64);
    CHECK_FALSE(report().degraded());
  }
}

TEST_CASE_FIXTURE(watch_bench, "after a view change, claims that are only old make nobody faulty") {
  hear_all();
  enter(1);
  CHECK(report().service_possible);
  CHECK_FALSE(report().degraded());
  // As long as the claims differ, no restart is called safe.
  CHECK(report().safe_to_restart.empty());
  for (const std::uint32_t replica : {0, 2})
    hear(replica, 0, false, 1);
  pass(milliseconds{1'200});
  enter(1);
  hear(3);
  CHECK_FALSE(report().degraded());
  SUBCASE("a replica that stays in the old view does not count") {
    pass(milliseconds{1});
    enter(1);
    CHECK(only_reason() == health_reason{replica_id{3}, replica_condition::other_view, 0});
  }
  SUBCASE("a vote in the new view is as good as a STATUS") {
    commit(1, {0, 1, 3}, 1);
    execute(1);
    pass(milliseconds{1'000});
    enter(1);
    CHECK_FALSE(report().degraded());
    CHECK(report().safe_to_restart.size() == 3);
  }
}

TEST_CASE_FIXTURE(watch_bench, "a node that starts says that it does not know, and later that there is no service") {
  step();
  CHECK_FALSE(report().service_possible);
  CHECK(has_sentence("starting"));
  CHECK(sentence_of(report()).starts_with(
      "not ready; starting: not known yet whether a quorum takes part (0 of 3 known)"));
  hear(0);
  CHECK(has_sentence("starting"));
  watch.on_link(replica_id{3}, false, now);
  CHECK(has_sentence("starting"));
  watch.on_link(replica_id{2}, false, now);
  CHECK_FALSE(has_sentence("starting"));
  CHECK(sentence_of(report()).starts_with("not ready; no service"));
  watch.on_link(replica_id{2}, true, now);
  CHECK(has_sentence("starting"));
  pass(milliseconds{2'401});
  step();
  hear(0);
  CHECK_FALSE(has_sentence("starting"));
  CHECK_FALSE(report().service_possible);
  hear(2);
  CHECK(report().service_possible);
  CHECK_FALSE(has_sentence("starting"));
}

TEST_CASE_FIXTURE(watch_bench, "other rejected frames, also of clients, are no votes") {
  hear_all();
  for (std::uint64_t sequence = 1; sequence <= 65; ++sequence) {
    commit(sequence, {0, 1, 2});
    execute(sequence);
    see(frame_rejected{principal::of(replica_id{3}), rejection::bad_signature});
    see(frame_rejected{principal::of(client_id{3}), rejection::already_decided});
  }
  CHECK(only_reason().condition == replica_condition::not_voting);
}

TEST_CASE_FIXTURE(watch_bench, "the lag of a replica is that at the time of its STATUS") {
  const auto period = cluster.checkpoint_period;
  hear_all();
  execute(period + 1);
  // The STATUS is older than the execution.
  CHECK_FALSE(report().degraded());
  hear(2, 0);
  CHECK(only_reason() == health_reason{replica_id{2}, replica_condition::behind, period + 1});
  hear(2, 1);
  CHECK_FALSE(report().degraded());
}

TEST_CASE_FIXTURE(watch_bench, "a node that commits and does not execute is not ready after a while") {
  hear_all();
  commit(1, {0, 1, 2});
  pass(milliseconds{2'400});
  hear_all();
  CHECK(report().ready);
  pass(milliseconds{1});
  CHECK_FALSE(report().ready);
  CHECK(only_reason().condition == replica_condition::not_executing);
  execute(1);
  CHECK(report().ready);
}

TEST_CASE_FIXTURE(watch_bench, "a node is ready again when it has a view, its state and its readmission") {
  hear_all();
  replica_progress seen;
  auto wanted = replica_condition::on_probation;
  SUBCASE("a view") {
    seen.active = false;
    wanted = replica_condition::changing_view;
  }
  SUBCASE("a correct state") {
    seen.diverged = true;
    wanted = replica_condition::diverged;
  }
  SUBCASE("a state") {
    seen.lacks_state = true;
    wanted = replica_condition::fetching_state;
  }
  SUBCASE("a readmission") { see(probation_changed{sequence_number{8}, view_number{2}, false}); }
  see(seen);
  pass(milliseconds{2'401});
  hear(0);
  hear(2);
  hear(3);
  see(seen);
  watch.on_answers({}, now);
  CHECK_FALSE(report().ready);
  CHECK(only_reason().condition == wanted);
  see(probation_changed{sequence_number{8}, view_number{2}, true});
  step();
  CHECK(report().ready);
}

TEST_CASE_FIXTURE(watch_bench, "a node whose replica actor makes no step is first not ready, then not live") {
  hear_all();
  pass(milliseconds{2'401});
  CHECK_FALSE(report().ready);
  CHECK(report().live);
  pass(milliseconds{15'000});
  CHECK_FALSE(report().live);
}

TEST_CASE_FIXTURE(watch_bench, "a node whose actors do not answer is first not ready, then not live") {
  hear_all();
  for (int period = 0; period < 7; ++period) {
    CHECK(report().live);
    // The replica actor makes steps, and the others are heard.
    pass(milliseconds{2'400});
    see(replica_progress{});
    for (const std::uint32_t replica : {0, 2, 3})
      hear(replica);
    CHECK(report().ready == (period == 0));
  }
  CHECK_FALSE(report().live);
  watch.on_answers({}, now);
  CHECK(report().ready);
}

TEST_CASE_FIXTURE(watch_bench, "a replica that the group convicted does not count until its release") {
  hear_all();
  std::vector<reputation> agreed(4);
  agreed[2].agreed.awaits_quarantine = true;
  watch.on_answers(agreed, now);
  CHECK(only_reason() == health_reason{replica_id{2}, replica_condition::quarantined, 0});
  agreed[2].agreed.awaits_quarantine = false;
  agreed[2].agreed.quarantined_until = sequence_number{99};
  watch.on_answers(agreed, now);
  CHECK(only_reason() == health_reason{replica_id{2}, replica_condition::quarantined, 99});
  watch.on_answers(std::vector<reputation>(4), now);
  CHECK_FALSE(report().degraded());
}

TEST_CASE("the watchdog of the machine is asked with the bound of the caller") {
  const health_time now{};
  shared_health_watch watch{{small_cluster(4), replica_id{1}, milliseconds{150}, true}, now, [](milliseconds bound) {
                              return bound <= milliseconds{300} ? std::optional<std::string>{"it is in 'apply'"}
                                                                : std::nullopt;
                            }};
  for (const std::uint32_t number : {0, 2, 3})
    watch.note(status_was_heard{replica_id{number}, {}, true, {}, false}, now);
  CHECK(watch.report(now).ready);
  const auto report = watch.report(now, milliseconds{300});
  CHECK(report.live);
  CHECK_FALSE(report.ready);
  CHECK(text_of(report.reasons[0]) == "replica 1 is blocked by its state machine: it is in 'apply'");
}

TEST_CASE_FIXTURE(watch_bench, "a node that failed or will stop does not become ready again") {
  hear_all();
  SUBCASE("failed") { see(node_failed{{"no disk", "check it"}}); }
  SUBCASE("will stop") { watch.drain(); }
  SUBCASE("was stopped") { watch.stop(); }
  step();
  CHECK_FALSE(report().ready);
}

TEST_CASE_FIXTURE(watch_bench, "numbers outside of the group, and claims about this node, change nothing") {
  hear_all();
  for (const std::uint32_t number : {1U, 4U, 0xffffffffU}) {
    hear(number, 1'000'000, true, 9);
    watch.on_link(replica_id{number}, false, now);
    see(frame_rejected{principal::of(replica_id{number}), rejection::already_decided});
  }
  CHECK_FALSE(report().degraded());
}

}  // namespace hypermesh::testing
