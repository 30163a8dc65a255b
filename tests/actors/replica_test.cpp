#include "actors/replica.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "messages/codec.hpp"
#include "tests/support/verified_messages.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number first_view{0};
constexpr std::chrono::milliseconds status_period{150};

/// The replica actor of one replica, by default of replica 1.
struct replica_bench : virtual_bench {
  replica_actor tested;

  explicit replica_bench(std::uint32_t self = 1) : virtual_bench(replica_id{self}) {
    tested = connect(system().spawn(replica, identity(), status_period, std::make_shared<const recovered_replica>()));
    give(tested, actors_connected{});
  }

  pre_prepare proposal(std::uint64_t sequence) const {
    return make().pre_prepare_of(first_view, sequence_number{sequence}, make().batch_number(sequence));
  }
  void hear(std::uint32_t sender, message value) {
    give_verified(tested, principal::of(replica_id{sender}), std::move(value));
  }
  /// Sends all messages of the other replicas for one sequence number.
  void hear_all(const pre_prepare& of) {
    hear(0, of);
    hear(2, make().prepare_of(replica_id{2}, of));
    hear(0, make().commit_of(replica_id{0}, of));
    hear(2, make().commit_of(replica_id{2}, of));
  }
  /// The batches that the replica passed to the journal for the executor.
  std::vector<committed_batch> handed_over() {
    std::vector<committed_batch> all;
    for (const auto& each : take<persist_and_send>("journal")) {
      if (each.committed != nullptr) all.insert(all.end(), each.committed->begin(), each.committed->end());
    }
    return all;
  }
  /// The kinds of the frames that the replica passed to the journal.
  std::vector<message_kind> sent_kinds() {
    std::vector<message_kind> kinds;
    for (const auto& each : take<persist_and_send>("journal")) {
      for (const auto& sent : *each.sends)
        kinds.push_back(*kind_of(*sent.frame));
    }
    return kinds;
  }
};

using kinds = std::vector<message_kind>;

}  // namespace

TEST_CASE("a replica publishes its view as soon as it is connected") {
  replica_bench bench;
  const auto entered = bench.take<view_entered>("batcher");
  REQUIRE(entered.size() == 1);
  CHECK(entered.front().view == first_view);
  CHECK(bench.take<view_entered>("coordinator").size() == 1);
  // The fault detector needs the view, because it accepts only group requests of this view and the next view.
  CHECK(bench.take<view_entered>("fault-detector").size() == 1);
  CHECK_FALSE(bench.take<progress_made>("ingress").empty());
  // A full member knows what it had prepared (attack 35).
  CHECK(bench.take<slots_prepared>("executor").size() == 1);
  CHECK(bench.is_quiet());
}

TEST_CASE("a proposal and the own vote for it go to the journal together") {
  replica_bench bench;
  const auto proposed = bench.proposal(1);
  bench.hear(0, proposed);
  const auto handed = bench.take<persist_and_send>("journal");
  REQUIRE(handed.size() == 1);
  const auto& records = *handed.front().records;
  REQUIRE(records.size() == 2);
  CHECK(records[0].kind == record_kind::pre_prepare);
  CHECK(records[0].bytes == proposed.raw);
  CHECK(records[1].kind == record_kind::prepare);
  const auto& sends = *handed.front().sends;
  REQUIRE(sends.size() == 1);
  CHECK(sends.front().frame == records[1].bytes);
  CHECK(!sends.front().to);
}

TEST_CASE("a batch goes to the executor with its proof when a quorum has committed it") {
  replica_bench bench;
  const auto proposed = bench.proposal(1);
  bench.hear(0, proposed);
  bench.hear(2, bench.make().prepare_of(replica_id{2}, proposed));
  bench.hear(2, bench.make().commit_of(replica_id{2}, proposed));
  CHECK(bench.handed_over().empty());
  bench.hear(0, bench.make().commit_of(replica_id{0}, proposed));
  const auto committed = bench.handed_over();
  REQUIRE(committed.size() == 1);
  CHECK(committed.front().sequence == sequence_number{1});
  CHECK(committed.front().body == proposed.body);
  CHECK(committed.front().certificate->commits.size() == 3);
  const auto progress = bench.take<progress_made>("ingress");
  REQUIRE(!progress.empty());
  CHECK(progress.back().at.decided == sequence_number{1});
}

TEST_CASE("the observation of a commit has the times of its phases, which the actor's clock gives") {
  replica_bench bench{0};
  constexpr duration step = 1ms;
  const auto body = bench.make().batch_number(1);
  bench.advance(step);
  bench.give(bench.tested, batch_cut{first_view, body, moment{step}});
  const auto proposed = bench.proposal(1);
  bench.advance(step);
  for (const std::uint32_t sender : {1U, 2U})
    bench.hear(sender, bench.make().prepare_of(replica_id{sender}, proposed));
  bench.advance(step);
  for (const std::uint32_t sender : {1U, 2U})
    bench.hear(sender, bench.make().commit_of(replica_id{sender}, proposed));
  std::optional<phase_times> times;
  for (const auto& each : bench.take<observed>("monitor")) {
    if (const auto* it = std::get_if<slot_committed>(&each.what)) times = it->times;
  }
  REQUIRE(times);
  CHECK(times->requested == moment{step});
  CHECK(times->prepared - times->proposed == step);
  CHECK(times->committed - times->prepared == step);
}

TEST_CASE("effects leave in their order: persist, send and execute, then report") {
  replica_bench bench;
  bench.hear_all(bench.proposal(1));
  const auto all = bench.order();
  const auto place = [&](const std::string& name) { return std::find(all.begin(), all.end(), name) - all.begin(); };
  const auto last_journal = std::find(all.rbegin(), all.rend(), std::string{"journal"}).base() - all.begin() - 1;
  CHECK(last_journal < place("monitor"));
  // Batches for the executor are sent through the journal.
  CHECK(bench.take<batch_committed>("executor").empty());
}

TEST_CASE("the executor hears of a prepared slot before the journal gets its COMMIT (attack 35)") {
  replica_bench bench;
  REQUIRE(bench.take<slots_prepared>("executor").size() == 1);
  const auto proposed = bench.proposal(1);
  bench.hear(0, proposed);
  bench.forget();
  bench.hear(2, bench.make().prepare_of(replica_id{2}, proposed));
  const auto all = bench.order();
  const auto place = [&](const std::string& name) { return std::find(all.begin(), all.end(), name) - all.begin(); };
  CHECK(place("executor") < place("journal"));
  const auto told = bench.take<slots_prepared>("executor");
  REQUIRE(told.size() == 1);
  CHECK(told.front().through == sequence_number{1});
  CHECK(bench.sent_kinds() == std::vector{message_kind::commit});
}

TEST_CASE("the primary's batches become proposals inside the window and wait beyond it") {
  replica_bench bench{0};
  for (std::uint64_t number = 1; number <= 9; ++number) {
    bench.give(bench.tested, batch_cut{view_number{0}, bench.make().batch_number(number)});
  }
  CHECK(bench.sent_kinds() == kinds(8, message_kind::pre_prepare));
}

TEST_CASE("a stable checkpoint truncates the log of the replica and of the journal") {
  replica_bench bench;
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence)
    bench.hear_all(bench.proposal(sequence));
  bench.forget();
  const auto certificate = bench.make().certificate_of(sequence_number{4}, named_digest("root"));
  // The certificate alone does not move the watermarks, because the executor may lag behind.
  bench.give(bench.tested, checkpoint_stable{certificate});
  CHECK(bench.take<forget_records>("journal").empty());
  bench.give(bench.tested, checkpoint_taken{sequence_number{4}, nullptr});
  const auto forgotten = bench.take<forget_records>("journal");
  REQUIRE(forgotten.size() == 1);
  CHECK(forgotten.front().through == sequence_number{4});
  const auto moved = bench.take_observed<watermarks_moved>();
  REQUIRE(moved.size() == 1);
  CHECK(moved.front().low == sequence_number{4});
}

TEST_CASE("a replica behind a stable checkpoint fetches the state after a delay") {
  replica_bench bench;
  const auto certificate = bench.make().certificate_of(sequence_number{4}, named_digest("root"));
  bench.give(bench.tested, checkpoint_stable{certificate});
  bench.advance(status_period);
  CHECK(bench.take<fetch_state>("state-transfer").empty());
  bench.advance(status_period);
  const auto wanted = bench.take<fetch_state>("state-transfer");
  REQUIRE(wanted.size() == 1);
  CHECK(wanted.front().certificate == certificate);
  // The certificate alone does not move the watermarks.
  CHECK(bench.take_observed<watermarks_moved>().empty());
  bench.give(bench.tested, state_installed{sequence_number{4}, std::make_shared<const sessions_by_client>(),
                                           bench.make().certificate_of(sequence_number{4}, {})});
  const auto moved = bench.take_observed<watermarks_moved>();
  REQUIRE(moved.size() == 1);
  CHECK(moved.front().low == sequence_number{4});
}

TEST_CASE("an idle replica sends its STATUS at a low rate") {
  replica_bench bench;
  bench.advance(3 * status_period);
  CHECK(bench.sent_kinds().empty());
  bench.advance(status_period);
  CHECK(bench.sent_kinds() == kinds{message_kind::status});
}

TEST_CASE("a replica that waits for votes sends its STATUS at once") {
  replica_bench bench;
  bench.hear(0, bench.proposal(1));
  bench.forget();
  bench.advance(status_period);
  CHECK(bench.sent_kinds() == kinds{message_kind::status});
}

TEST_CASE("a STATUS is answered with the messages that its sender lacks, to it alone and once a tick") {
  replica_bench bench;
  bench.hear_all(bench.proposal(1));
  bench.forget();
  const auto lacking = bench.make().status_of(replica_id{3}, first_view, sequence_number{0}, sequence_number{0},
                                              {slot_progress{true, false, false}});
  bench.hear(3, lacking);
  const auto handed = bench.take<persist_and_send>("journal");
  REQUIRE(handed.size() == 1);
  CHECK(handed.front().records->empty());
  REQUIRE(handed.front().sends->size() == 2);
  for (const auto& each : *handed.front().sends)
    CHECK(each.to == replica_id{3});
  bench.hear(3, lacking);
  CHECK(bench.sent_kinds().empty());
}

TEST_CASE("a replica with a diverged state does not vote") {
  replica_bench bench;
  bench.give(bench.tested, state_diverged{sequence_number{4}});
  bench.hear_all(bench.proposal(1));
  bench.advance(10 * status_period);
  CHECK(bench.take<persist_and_send>("journal").empty());
}

TEST_CASE("a repaired replica tells the ingress that it dropped messages during the divergence (attack 27)") {
  replica_bench bench;
  bench.give(bench.tested, state_diverged{sequence_number{4}});
  bench.forget();
  bench.give(bench.tested, state_installed{sequence_number{4}, std::make_shared<const sessions_by_client>(),
                                           bench.make().certificate_of(sequence_number{4}, {})});
  const auto told = bench.take<progress_made>("ingress");
  REQUIRE(!told.empty());
  CHECK(told.back().at.repairs == 1);
}

TEST_CASE("a replica judges times by its wall clock, and looks again at each tick (attack 42)") {
  replica_bench bench;
  bench.settle();
  bench.forget();
  const auto bound = bench.make().cluster().clock_skew_max;
  const auto time = std::chrono::floor<std::chrono::milliseconds>(bench.clock().now() + bound + 200ms);
  const auto late = request_factory::at_time(*bench.make().batch_number(1), time);
  bench.hear(0, bench.make().pre_prepare_of(first_view, sequence_number{1}, late));
  CHECK(bench.sent_kinds().empty());
  bench.advance(status_period);
  CHECK(std::ranges::count(bench.sent_kinds(), message_kind::prepare) == 0);
  bench.advance(status_period);
  CHECK(std::ranges::count(bench.sent_kinds(), message_kind::prepare) == 1);
}

TEST_CASE("a replica reads its wall clock before a NEW-VIEW, because early proposals follow it (attack 42)") {
  replica_bench bench;
  bench.settle();
  constexpr view_number next_view{2};
  const auto bound = bench.make().cluster().clock_skew_max;
  const auto time = std::chrono::floor<std::chrono::milliseconds>(bench.clock().now() + bound + 50ms);
  const auto body = request_factory::at_time(*bench.make().batch_number(1), time);
  bench.hear(2, bench.make().pre_prepare_of(next_view, sequence_number{1}, body));
  std::vector<view_change> changes;
  for (const std::uint32_t from : {0U, 2U, 3U})
    changes.push_back(bench.make().view_change_of(replica_id{from}, next_view, nullptr, {}));
  const auto opened = planned(bench.make(), bench.make().new_view_of(next_view, changes));
  bench.forget();
  // Less than a status period passes, so no tick gives a reading.
  bench.advance(status_period / 2);
  bench.give(bench.tested,
             new_view_verified{principal::of(replica_id{2}), std::make_shared<const planned_new_view>(opened)});
  CHECK(std::ranges::count(bench.sent_kinds(), message_kind::prepare) == 1);
}
