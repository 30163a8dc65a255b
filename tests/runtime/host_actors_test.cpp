#include <doctest/doctest.h>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/protocol/verification/validator.hpp"
#include "messages/codec.hpp"
#include "runtime/host_actors/consensus.hpp"
#include "runtime/host_actors/translation.hpp"
#include "tests/support/virtual_bench.hpp"

namespace hypermesh::testing {

namespace {

/// The response of an actor, once there is one.
template <class Response>
using response_place = std::shared_ptr<std::optional<Response>>;

/// The actor `consensus` of replica 1, as `module` connects it. The actors of the node are probes.
struct host_bench : virtual_bench {
  std::shared_ptr<std::atomic<bool>> is_told = std::make_shared<std::atomic<bool>>(false);
  std::shared_ptr<feed::node_feed> feed =
      std::make_shared<feed::node_feed>(replica_id{1}, identity().cluster, feed::kept_evidence::newest);
  host::inner_consensus_actor tested;

  host_bench() : virtual_bench(replica_id{1}) {
    const auto& all = probes();
    const auto healthy = [] { return hypermesh::node_health{}; };
    tested =
        system().spawn(host::consensus, host::consensus_sources{identity().cluster, all.monitor, all.fault_detector,
                                                                all.reputation_tracker, feed, healthy, is_told});
    keep(tested);
    feed->set_listener([told = is_told, actor = tested] {
      if (!told->exchange(true)) caf::anon_send(actor, host::look_again{});
    });
  }
  ~host_bench() { feed->set_listener({}); }

  void happens(const observation& what) {
    feed->on_observation(what);
    settle();
  }
  template <class Response, class Request>
  [[nodiscard]] response_place<Response> ask(const Request& request) {
    auto place = std::make_shared<std::optional<Response>>();
    const auto asker = system().spawn([place, whom = tested, request](caf::event_based_actor* self) {
      self->request(whom, std::chrono::seconds{3'600}, request)
          .then([place](const Response& given) { *place = given; }, [](const caf::error&) {});
    });
    keep(asker);
    settle();
    return place;
  }
};

}  // namespace

TEST_CASE_FIXTURE(host_bench, "a request that waits is answered by the news, long before its patience") {
  const auto events = ask<host::events>(host::events_wanted{0, 60'000});
  const auto operations = ask<host::operations>(host::operations_wanted{0, 0, 60'000});
  advance(1s);
  CHECK_FALSE(*events);
  happens(view_was_entered{view_number{3}});
  REQUIRE(*events);
  REQUIRE((*events)->all.size() == 1);
  CHECK((*events)->all.front().kind == "view_entered");
  CHECK((*events)->all.front().view == 3);
  CHECK((*events)->next == 2);
  CHECK_FALSE(*operations);
  happens(execution_resumed{sequence_number{5}});
  REQUIRE(*operations);
  REQUIRE((*operations)->items.size() == 1);
  CHECK((*operations)->items.front().sequence == 1);
  CHECK((*operations)->items.front().gap_last == 5);
  CHECK((*operations)->next_sequence == 6);
}

TEST_CASE_FIXTURE(host_bench, "each request that waits ends with its own patience, in whatever order they came") {
  const auto late = ask<host::events>(host::events_wanted{0, 5'000});
  const auto early = ask<host::operations>(host::operations_wanted{0, 0, 50});
  const auto middle = ask<host::events>(host::events_wanted{7, 700});
  advance(49ms);
  CHECK_FALSE(*early);
  advance(1ms);
  REQUIRE(*early);
  CHECK((*early)->items.empty());
  CHECK_FALSE(*middle);
  advance(650ms);
  REQUIRE(*middle);
  CHECK((*middle)->next == 7);
  CHECK_FALSE(*late);
  // News that answer nobody leave the timer alone.
  happens(batcher_progress{});
  advance(4'300ms);
  CHECK(*late);
}

TEST_CASE_FIXTURE(host_bench, "a request without patience, and one too many, are answered at once") {
  CHECK(*ask<host::events>(host::events_wanted{0, 0}));
  std::vector<response_place<host::events>> waiting;
  for (std::size_t count = 0; count < host::consensus_state::waiting_max; ++count)
    waiting.push_back(ask<host::events>(host::events_wanted{0, 60'000}));
  CHECK_FALSE(*waiting.front());
  CHECK_FALSE(*waiting.back());
  CHECK(*ask<host::events>(host::events_wanted{0, 60'000}));
}

TEST_CASE_FIXTURE(host_bench, "metrics cost the machine no root, and the state does") {
  const auto metrics = ask<host::metrics>(host::metrics_wanted{});
  const auto without = take<report_wanted>("monitor");
  REQUIRE(without.size() == 1);
  CHECK_FALSE(without.front().with_root);
  const auto state = ask<host::node_state>(host::state_wanted{});
  const auto with = take<report_wanted>("monitor");
  REQUIRE(with.size() == 1);
  CHECK(with.front().with_root);
}

TEST_CASE_FIXTURE(host_bench, "a release reaches the fault detector, unless the cluster has no such replica") {
  give(tested, host::release_replica{3});
  const auto wanted = take<release_wanted>("fault-detector");
  REQUIRE(wanted.size() == 1);
  CHECK(wanted.front().replica == replica_id{3});
  give(tested, host::release_replica{4});
  CHECK(take<release_wanted>("fault-detector").empty());
}

TEST_CASE_FIXTURE(host_bench, "evidence arrives as frames that prove themselves") {
  CHECK((*ask<host::proofs>(host::evidence_wanted{}))->all.empty());
  evidence shown;
  for (const auto* value : {"a", "b"}) {
    const auto content = make().content_of(replica_id{3}, view_number{0}, sequence_number{4}, named_digest(value));
    shown.items.push_back({message_kind::commit, make().signed_as(message_kind::commit, content)});
  }
  happens(fault_proven{principal::of(replica_id{3}), 1, std::make_shared<const evidence>(shown)});
  const auto proofs = ask<host::proofs>(host::evidence_wanted{});
  REQUIRE(*proofs);
  REQUIRE((*proofs)->all.size() == 1);
  CHECK((*proofs)->all.front().accused == "replica-3");
  const auto frame = decode(std::make_shared<const byte_vector>(to_byte_vector((*proofs)->all.front().frame)));
  REQUIRE(frame);
  const validator checks{identity().cluster, *identity().keys};
  CHECK_FALSE(checks.check(principal::of(replica_id{2}), *frame));
}

TEST_CASE_FIXTURE(host_bench, "requests that wait are answered when the actor ends") {
  const auto events = ask<host::events>(host::events_wanted{0, 60'000});
  const auto operations = ask<host::operations>(host::operations_wanted{0, 0, 60'000});
  give(tested, host::end_host_actor{});
  CHECK(*events);
  CHECK(*operations);
}

TEST_CASE("reports reach hosts with every member of the public headers") {
  node_report report;
  report.replica = replica_id{2};
  report.view = view_number{3};
  report.low_watermark = sequence_number{128};
  report.high_watermark = sequence_number{384};
  const auto state = host::state_in(report);
  CHECK(state.replica == 2);
  CHECK(state.view == 3);
  CHECK(state.low_watermark == 128);
  CHECK(state.high_watermark == 384);

  reputation_report known;
  known.replicas.resize(2);
  known.replicas[1].agreed.score = 400;
  known.replicas[1].agreed.quarantined_until = sequence_number{512};
  known.replicas[1].local_score = 70;
  known.replicas[1].is_throttled = true;
  const auto shown = host::reputations_in(known);
  REQUIRE(shown.all.size() == 2);
  CHECK(shown.all[1].replica == 1);
  CHECK(shown.all[1].score == 400);
  CHECK(shown.all[1].quarantined_until == 512);
  CHECK(shown.all[1].local_score == 70);
  CHECK(shown.all[1].is_throttled);
  CHECK_FALSE(shown.all[1].is_avoided_as_primary);

  feed::operation_page page;
  committed_operation done;
  done.at.sequence = sequence_number{9};
  done.at.ordered_time = wall_time{std::chrono::milliseconds{1'700'000'000'123}};
  done.operation = to_byte_vector("add 1");
  page.items.emplace_back(done);
  const auto operations = host::shown_of(page);
  REQUIRE(operations.items.size() == 1);
  CHECK(operations.items.front().gap_last == 0);
  CHECK(operations.items.front().ordered_time_ms == 1'700'000'000'123);
  CHECK(operations.items.front().operation == "add 1");
}

}  // namespace hypermesh::testing
