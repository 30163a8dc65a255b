#include "actors/executor.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/protocol/reputation/system_request.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// An executor with a counting machine. It takes a checkpoint after every fourth batch.
struct executor_bench : virtual_bench {
  executor_actor tested = connect(system().spawn(executor, identity(), machine()));

  executor_bench() : virtual_bench(replica_id{1}) {}

  static std::shared_ptr<executor_start> machine() {
    return std::make_shared<executor_start>(executor_start{
        std::make_unique<replicated_state>(std::make_unique<counting_machine>(), cluster_parameters{}), {}, {}});
  }
  void open(std::uint32_t client, const std::string& name) {
    const auto session = link(name);
    links[name] = session;
    give(tested, client_link_opened{client_id{client}, session});
  }
  /// Commits a batch of one request of client 0. `when` is the timestamp of the request.
  void commit(std::uint64_t sequence, std::uint64_t when) {
    const auto body = make().batch_number(when);
    give(tested, batch_committed{{view_number{0}, sequence_number{sequence}, digest_of_batch(*body), body, nullptr}});
  }
  void commit(std::uint64_t sequence) { commit(sequence, sequence); }

  std::vector<reply> replies(const std::string& name) {
    std::vector<reply> all;
    for (auto& each : take_frames(name))
      all.push_back(std::get<reply>(std::move(each)));
    return all;
  }

  std::map<std::string, peer_actor> links;
};

/// The state of a machine that has executed `count` batches, and a certificate for it.
install_state state_after(const virtual_bench& bench, std::uint64_t count) {
  replicated_state state{std::make_unique<counting_machine>(), cluster_parameters{}};
  for (std::uint64_t sequence = 1; sequence <= count; ++sequence) {
    static_cast<void>(state.execute(sequence_number{sequence}, *bench.make().batch_number(sequence)));
  }
  auto snapshot = std::make_shared<const state_snapshot>(state.snapshot());
  return {bench.make().certificate_of(sequence_number{count}, state_root(*snapshot)), snapshot};
}

}  // namespace

TEST_CASE_FIXTURE(executor_bench, "a client is answered on each of its links, up to its limit of sessions") {
  open(0, "oldest");
  for (std::size_t count = 0; count < executor_state::links_per_client_max; ++count)
    open(0, std::to_string(count));
  open(1, "other");
  commit(1);
  CHECK(replies("oldest").empty());
  for (std::size_t count = 0; count < executor_state::links_per_client_max; ++count)
    CHECK(replies(std::to_string(count)).size() == 1);
  CHECK(replies("other").empty());
}

TEST_CASE_FIXTURE(executor_bench, "the results of a session go to the link that opened it last") {
  open(0, "a");
  open(0, "b");
  const auto opening = reference_of(make().session_request(client_id{0}, session_id{7}, timestamp{0}));
  const auto commit_in_session = [&](std::uint64_t sequence, std::uint64_t when) {
    const auto body = request_factory::batch_of({make().session_request(client_id{0}, session_id{7}, timestamp{when})});
    give(tested, batch_committed{{view_number{0}, sequence_number{sequence}, digest_of_batch(*body), body, nullptr}});
  };
  give(tested, session_routed{opening, links["a"]});
  // Another process tried the same session and was too late.
  const auto other = make().session_request(client_id{0}, session_id{7}, timestamp{0}, session_mode::ordered, 1);
  give(tested, session_routed{reference_of(other), links["b"]});
  commit_in_session(1, 0);
  CHECK(replies("a").size() == 1);
  CHECK(replies("b").empty());
  give(tested, session_routed{opening, links["b"]});
  commit_in_session(2, 1);
  CHECK(replies("a").empty());
  CHECK(replies("b").size() == 1);
  give(tested, client_link_closed{client_id{0}, links["b"]});
  commit_in_session(3, 2);
  CHECK(replies("a").size() == 1);
}

TEST_CASE_FIXTURE(executor_bench, "a closed link gets no frames") {
  open(0, "a");
  open(0, "b");
  give(tested, client_link_closed{client_id{0}, links["a"]});
  commit(1);
  CHECK(replies("a").empty());
  CHECK(replies("b").size() == 1);
}

TEST_CASE_FIXTURE(executor_bench, "an executed batch is reported with the requests that were fresh in it") {
  commit(1);
  commit(2, 1);
  const auto told = take<batch_executed>("batcher");
  REQUIRE(told.size() == 2);
  CHECK(told[0].view == view_number{0});
  CHECK(told[0].requests->front().first_time);
  CHECK_FALSE(told[1].requests->front().first_time);
  CHECK(take_observed<batch_was_executed>().size() == 2);
}

TEST_CASE_FIXTURE(executor_bench, "a request that is ordered twice is answered twice with one result") {
  open(0, "a");
  commit(1, 1);
  commit(2, 1);
  const auto answers = replies("a");
  REQUIRE(answers.size() == 2);
  CHECK(answers[0].outcome == answers[1].outcome);
}

TEST_CASE_FIXTURE(executor_bench, "a reply is repeated from the client table, and only for an executed request") {
  commit(1);
  open(0, "a");
  give(tested, reply_again{{{client_id{0}, timestamp{1}}, {}}, links["a"], {}});
  CHECK(replies("a").size() == 1);
  give(tested, reply_again{{{client_id{0}, timestamp{2}}, {}}, links["a"], {}});
  CHECK(replies("a").empty());
}

TEST_CASE_FIXTURE(executor_bench, "a repeated reply goes only to the link that asked for it") {
  commit(1);
  open(0, "a");
  open(0, "b");
  give(tested, reply_again{{{client_id{0}, timestamp{1}}, {}}, links["b"], {}});
  CHECK(replies("a").empty());
  CHECK(replies("b").size() == 1);
}

TEST_CASE_FIXTURE(executor_bench,
                  "an executor with a diverged state answers no client and executes nothing (attack 27)") {
  commit(1);
  open(0, "a");
  give(tested, own_root_disproven{sequence_number{4}});
  give(tested, reply_again{{{client_id{0}, timestamp{1}}, {}}, links["a"], {}});
  commit(2);
  CHECK(replies("a").empty());
}

TEST_CASE_FIXTURE(executor_bench, "a diverged executor refuses no request and answers no query") {
  give(tested, own_root_disproven{sequence_number{4}});
  open(0, "a");
  give(tested, refuse{{{client_id{0}, timestamp{9}}, {}}, reply_status::overloaded, links["a"], {}});
  CHECK(replies("a").empty());
  give_verified(tested, principal::of(client_id{2}), query{{client_id{2}, timestamp{7}}, to_byte_vector("count")},
                link("asker"));
  CHECK(take_frames("asker").empty());
}

TEST_CASE_FIXTURE(executor_bench,
                  "the certified state replaces a diverged one, and the node continues from it (attack 27)") {
  for (std::uint64_t sequence = 1; sequence <= 6; ++sequence)
    commit(sequence, 100 + sequence);
  give(tested, own_root_disproven{sequence_number{4}});
  forget();
  const auto verified = state_after(*this, 4);
  give(tested, verified);
  const auto told = take<state_installed>("batcher");
  REQUIRE(told.size() == 1);
  CHECK(told.front().sequence == sequence_number{4});
  const auto kept = take<state_to_keep>("journal");
  REQUIRE(kept.size() == 1);
  CHECK(kept.front().installed.sequence == sequence_number{4});
  CHECK(take_observed<state_was_installed>().size() == 1);
  const auto taken = take<checkpoint_installed>("checkpointer");
  REQUIRE(taken.size() == 1);
  CHECK(taken.front().root == state_root(*verified.snapshot));
  // Batches that the replica handed over before it heard of the divergence are dropped. Batches that it hands over
  // again are executed.
  forget();
  commit(7);
  CHECK(is_quiet());
  open(0, "a");
  for (std::uint64_t sequence = 5; sequence <= 8; ++sequence)
    commit(sequence);
  CHECK(take<batch_executed>("batcher").size() == 4);
  CHECK(replies("a").size() == 4);
}

TEST_CASE_FIXTURE(executor_bench,
                  "a diverged state is not replaced by an older one, and the older one is not announced") {
  for (std::uint64_t sequence = 1; sequence <= 8; ++sequence)
    commit(sequence, 100 + sequence);
  give(tested, own_root_disproven{sequence_number{8}});
  forget();
  give(tested, state_after(*this, 4));
  const auto told = take<install_refused>("state-transfer");
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told.front().unreadable);
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(executor_bench, "a late report of a repaired divergence changes nothing") {
  give(tested, state_after(*this, 4));
  forget();
  give(tested, own_root_disproven{sequence_number{4}});
  CHECK(take<state_diverged>("replica").empty());
  commit(5);
  CHECK(take<batch_executed>("batcher").size() == 1);
}

TEST_CASE_FIXTURE(executor_bench, "a divergence is reported by the executor, which owns the state") {
  for (std::uint64_t sequence = 1; sequence <= 6; ++sequence)
    commit(sequence);
  give(tested, own_root_disproven{sequence_number{4}});
  const auto told = take<state_diverged>("replica");
  REQUIRE(told.size() == 1);
  CHECK(told.front().sequence == sequence_number{4});
  CHECK(take<state_diverged>("state-transfer").size() == 1);
  CHECK(take_observed<divergence_found>().size() == 1);
}

TEST_CASE_FIXTURE(executor_bench, "a refusal carries no result") {
  open(0, "a");
  give(tested, refuse{{{client_id{0}, timestamp{9}}, {}}, reply_status::overloaded, links["a"], {}});
  const auto answers = replies("a");
  REQUIRE(answers.size() == 1);
  CHECK(answers.front().outcome.status == reply_status::overloaded);
  CHECK(answers.front().outcome.statuses.empty());
}

TEST_CASE_FIXTURE(executor_bench,
                  "a checkpoint is taken after the last batch of a period, for voting and for donating") {
  for (std::uint64_t sequence = 1; sequence <= 3; ++sequence)
    commit(sequence);
  CHECK(take<checkpoint_taken>("checkpointer").empty());
  commit(4);
  const auto taken = take<checkpoint_taken>("checkpointer");
  REQUIRE(taken.size() == 1);
  CHECK(taken.front().sequence == sequence_number{4});
  CHECK(taken.front().state->finish().root == state_root(*state_after(*this, 4).snapshot));
  CHECK(take<checkpoint_taken>("state-transfer").size() == 1);
  const auto paused = take_observed<snapshot_was_taken>();
  REQUIRE(paused.size() == 1);
  CHECK(paused.front().sequence == sequence_number{4});
}

TEST_CASE_FIXTURE(executor_bench, "a verified state replaces an older one and is served to others") {
  commit(1);
  const auto verified = state_after(*this, 4);
  give(tested, verified);
  const auto told = take<state_installed>("batcher");
  REQUIRE(told.size() == 1);
  CHECK(told.front().sequence == sequence_number{4});
  // The journal informs the other actors when the state is on the disk.
  CHECK(take<state_installed>("replica").empty());
  const auto to_keep = take<state_to_keep>("journal");
  REQUIRE(to_keep.size() == 1);
  CHECK(to_keep.front().installed.sequence == sequence_number{4});
  CHECK(to_keep.front().installed.certificate == verified.certificate);
  const auto installed = take_observed<state_was_installed>();
  REQUIRE(installed.size() == 1);
  CHECK(installed.front().root == state_root(*verified.snapshot));
  CHECK(take<checkpoint_installed>("state-transfer").size() == 1);
  // The client table is part of the state, so its requests are answered and not executed again.
  open(0, "a");
  forget();
  commit(5, 3);
  CHECK_FALSE(take<batch_executed>("batcher").front().requests->front().first_time);
  CHECK(replies("a").size() == 1);
}

TEST_CASE_FIXTURE(executor_bench, "a batch below the installed state is not executed") {
  give(tested, state_after(*this, 4));
  forget();
  commit(3);
  commit(4);
  CHECK(is_quiet());
  commit(5);
  CHECK(take<batch_executed>("batcher").size() == 1);
}

TEST_CASE_FIXTURE(executor_bench, "a fetched state that execution has passed changes nothing") {
  const auto verified = state_after(*this, 4);
  for (std::uint64_t sequence = 1; sequence <= 5; ++sequence)
    commit(sequence);
  forget();
  give(tested, verified);
  const auto told = take<install_refused>("state-transfer");
  REQUIRE(told.size() == 1);
  CHECK(told.front().sequence == sequence_number{4});
  CHECK_FALSE(told.front().unreadable);
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(executor_bench, "a certified state that cannot be read stops the node") {
  auto unreadable = state_after(*this, 4);
  auto chunks = *unreadable.snapshot;
  chunks.erase(chunks.begin() + 1);
  unreadable.snapshot = std::make_shared<const state_snapshot>(std::move(chunks));
  give(tested, unreadable);
  CHECK(take_observed<node_failed>().size() == 1);
  const auto told = take<install_refused>("state-transfer");
  REQUIRE(told.size() == 1);
  CHECK(told.front().sequence == sequence_number{4});
  CHECK(told.front().unreadable);
  CHECK(is_quiet());
}

TEST_CASE_FIXTURE(executor_bench, "a query is answered from the present state, over the link that asked") {
  commit(1);
  give_verified(tested, principal::of(client_id{2}), query{{client_id{2}, timestamp{7}}, to_byte_vector("count")},
                link("asker"));
  const auto answers = take_frames("asker");
  REQUIRE(answers.size() == 1);
  const auto& answer = std::get<query_reply>(answers.front());
  CHECK(answer.id == request_id{client_id{2}, timestamp{7}});
  CHECK(answer.last_executed == sequence_number{1});
  CHECK(as_text(answer.result) == "1");
}

TEST_CASE_FIXTURE(executor_bench,
                  "a linearizable query is answered once everything is executed that was prepared (attack 35)") {
  const auto ask = [&](std::uint64_t when) {
    give_verified(tested, principal::of(client_id{2}),
                  query{{client_id{2}, timestamp{when}}, to_byte_vector("count"), true}, link("asker"));
    std::vector<std::string> results;
    for (const auto& each : take_frames("asker"))
      results.emplace_back(as_text(std::get<query_reply>(each).result));
    return results;
  };
  using answers = std::vector<std::string>;
  // The replica has not said yet what it had prepared before its start.
  CHECK(ask(1).empty());
  give(tested, slots_prepared{sequence_number{0}});
  CHECK(ask(2) == answers{"0"});
  give(tested, slots_prepared{sequence_number{2}});
  CHECK(ask(3).empty());
  commit(1);
  CHECK(take_frames("asker").empty());
  commit(2);
  const auto held = take_frames("asker");
  REQUIRE(held.size() == 1);
  CHECK(std::get<query_reply>(held.front()).id.when == timestamp{3});
  CHECK(as_text(std::get<query_reply>(held.front()).result) == "2");
  CHECK(ask(4) == answers{"2"});
}

TEST_CASE_FIXTURE(executor_bench, "an installed state answers the queries that waited for it, a diverged one none") {
  give(tested, slots_prepared{sequence_number{4}});
  const auto ask = [&](std::uint64_t when) {
    give_verified(tested, principal::of(client_id{2}),
                  query{{client_id{2}, timestamp{when}}, to_byte_vector("count"), true}, link("asker"));
  };
  ask(1);
  CHECK(take_frames("asker").empty());
  give(tested, state_after(*this, 4));
  CHECK(take_frames("asker").size() == 1);
  give(tested, own_root_disproven{sequence_number{8}});
  ask(2);
  CHECK(take_frames("asker").empty());
}

TEST_CASE_FIXTURE(executor_bench, "queries beyond the bound are dropped and counted (attack 33)") {
  give(tested, slots_prepared{sequence_number{1}});
  for (std::uint64_t when = 1; when <= 1'025; ++when) {
    give_verified(tested, principal::of(client_id{2}),
                  query{{client_id{2}, timestamp{when}}, to_byte_vector("count"), true}, link("asker"));
  }
  const auto refused = take_observed<frame_rejected>();
  REQUIRE(refused.size() == 1);
  CHECK(refused.front().reason == rejection::client_quota);
  CHECK(refused.front().sender == principal::of(client_id{2}));
  commit(1);
  CHECK(take_frames("asker").size() == 1'024);
}

TEST_CASE_FIXTURE(executor_bench,
                  "a receipt is signed for an executed operation, over the link that asked (attack 44)") {
  commit(1);
  const auto ask = [&](std::uint64_t when) {
    const receipt_query wanted{{client_id{0}, timestamp{when}}, 0};
    give_verified(tested, principal::of(client_id{0}), wanted, link("asker"));
    const auto answers = take_frames("asker");
    REQUIRE(answers.size() == 1);
    CHECK(std::get<receipt_reply>(answers.front()).asked == wanted);
    return std::get<receipt_reply>(answers.front()).share;
  };
  const auto share = ask(1);
  REQUIRE(share);
  CHECK(share->place.sequence == sequence_number{1});
  CHECK_FALSE(ask(2));
  give(tested, own_root_disproven{sequence_number{4}});
  CHECK_FALSE(ask(1));
}

TEST_CASE_FIXTURE(executor_bench, "a null request ends a checkpoint period (attack 16)") {
  for (std::uint64_t n = 1; n <= 3; ++n)
    commit(n);
  forget();
  give(tested, batch_committed{{view_number{1}, sequence_number{4}, null_request_digest(),
                                std::make_shared<const batch>(), nullptr}});
  const auto taken = take<checkpoint_taken>("checkpointer");
  REQUIRE(taken.size() == 1);
  CHECK(taken[0].sequence == sequence_number{4});
  CHECK(take<batch_executed>("batcher").at(0).requests->empty());
}

TEST_CASE_FIXTURE(executor_bench, "a restarted executor reports the step-downs that recovery executed again") {
  const cluster_parameters cluster;
  const auto leaves =
      hand_over_of(replica_id{0}, replica_id{0}, view_number{1}, hand_over_cause::step_down, cluster.signing.epoch);
  const evidence shown{{{message_kind::hand_over, make().signed_as(message_kind::hand_over, leaves)}}};
  const auto claim = claim_in(shown, cluster);
  REQUIRE(claim);
  auto start = machine();
  const auto body =
      request_factory::batch_of({}, {system_request_for(*claim, std::make_shared<const evidence>(shown))});
  (void)start->state->execute(sequence_number{1}, *body);
  const auto restarted = connect(system().spawn(executor, identity(), start));
  forget();
  give(restarted, actors_connected{});
  const auto agreed = take<moves_agreed>("coordinator");
  REQUIRE_FALSE(agreed.empty());
  CHECK(agreed.back().stepped_down == std::vector{view_number{0}});
  CHECK(agreed.back().at == sequence_number{1});
}

TEST_CASE("a query that throws has no answer, is reported, and does not end the executor") {
  /// Throws in each query.
  struct throwing_machine final : state_machine {
    [[nodiscard]] std::string_view name() const override { return "throwing"; }
    operation_result apply(const operation_context&, byte_span) override { return {}; }
    [[nodiscard]] operation_result query(byte_span) const override { throw std::runtime_error("forgotten case"); }
    [[nodiscard]] state_snapshot snapshot() override { return {}; }
    [[nodiscard]] or_reason<void> restore(const state_snapshot&) override { return {}; }
    [[nodiscard]] digest root() override { return {}; }
  };
  virtual_bench bench{replica_id{1}};
  const auto tested = bench.connect(bench.system().spawn(
      executor, bench.identity(),
      std::make_shared<executor_start>(executor_start{
          std::make_unique<replicated_state>(std::make_unique<throwing_machine>(), cluster_parameters{}), {}, {}})));
  for (std::uint64_t when = 1; when <= 2; ++when) {
    const query asked{{client_id{0}, timestamp{when}}, to_byte_vector("anything")};
    bench.give(tested, verified_message{principal::of(client_id{0}), bench.link("asker"),
                                        std::make_shared<const message>(asked)});
    CHECK(bench.take_frames("asker").empty());
    const auto failed = bench.take_observed<query_failed>();
    REQUIRE(failed.size() == 1);
    CHECK(failed.front().why == "forgotten case");
  }
}
