#include "runtime/health/health.hpp"

#include <doctest/doctest.h>

#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/executor.hpp"
#include "actors/monitor.hpp"
#include "actors/reputation_tracker.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/virtual_bench.hpp"

namespace hypermesh::testing {

namespace {

/// The health actor of replica 1, with the real actors that it asks.
struct health_bench : virtual_bench {
  health_subject subject{identity().cluster, replica_id{1}, std::chrono::milliseconds{150}, true};
  std::shared_ptr<shared_health_watch> watch;
  node_actors all = probes();
  health_actor tested;

  health_bench() : virtual_bench(replica_id{1}) {
    all.monitor = system().spawn(monitor, identity(), failure_handler{}, observation_handler{});
    all.executor = system().spawn(
        executor, identity(),
        std::make_shared<executor_start>(executor_start{
            std::make_unique<replicated_state>(std::make_unique<counting_machine>(), identity().cluster), {}, {}}));
    all.reputation_tracker = system().spawn(reputation_tracker, identity());
    keep(all.monitor);
    keep(all.executor);
    keep(all.reputation_tracker);
    watch = std::make_shared<shared_health_watch>(subject, health_time{});
    tested = system().spawn(health::health, watch, true);
    keep(tested);
  }
  void connect_all() {
    const auto shared = std::make_shared<const node_actors>(all);
    give(all.monitor, wired{shared});
    give(all.executor, wired{shared});
    give(all.reputation_tracker, wired{shared});
    give(tested, wired{shared});
  }
  /// Every replica takes part at the present time of the bench.
  void be_well() {
    watch->note(replica_progress{}, now());
    for (const std::uint32_t number : {0, 2, 3})
      watch->note(status_was_heard{replica_id{number}, {}, true, {}, false}, now());
  }
  [[nodiscard]] health_time now() { return system().clock().now(); }
  [[nodiscard]] health_report report() { return watch->report(now()); }
  /// Passes the time in periods, while every replica takes part.
  void live_for(std::chrono::milliseconds time) {
    for (auto left = time; left.count() > 0; left -= health_state::period) {
      advance(health_state::period);
      be_well();
    }
  }
  [[nodiscard]] std::optional<std::uint64_t> counter(const std::string& name) {
    caf::scoped_actor asker{system()};
    auto asked = asker->request(all.monitor, health_state::patience, report_wanted{.with_root = false});
    settle();
    std::optional<std::uint64_t> found;
    asked.receive(
        [&](const node_report& report) {
          for (const auto& each : report.counters) {
            if (each.name == name) found = each.value;
          }
        },
        [](const caf::error& error) { FAIL(caf::to_string(error)); });
    return found;
  }
};

}  // namespace

TEST_CASE_FIXTURE(health_bench, "a node whose actors answer stays ready for a minute") {
  connect_all();
  be_well();
  live_for(std::chrono::minutes{1});
  CHECK(sentence_of(report()) == "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)");
  watch->on_link(replica_id{3}, false, now());
  CHECK(sentence_of(report()) == "tolerates 0 more faults; replica 3 not connected; safe to restart: none");
}

TEST_CASE_FIXTURE(health_bench, "a replica that the group agreed to be faulty does not count") {
  connect_all();
  be_well();
  agreed_reputation agreed{sequence_number{2}, std::vector<replica_standing>(4), {}, {}};
  agreed.replicas[2].quarantined_until = sequence_number{99};
  give(all.reputation_tracker, reputation_agreed{std::make_shared<const agreed_reputation>(agreed)});
  live_for(health_state::period);
  CHECK(sentence_of(report()) ==
        "tolerates 0 more faults; replica 2 in quarantine until sequence 99; safe to restart: none");
}

TEST_CASE_FIXTURE(health_bench, "the monitor reports the health as counters, also after a recovery") {
  watch->on_link(replica_id{3}, false, now());
  CHECK_FALSE(counter("health_ready"));
  be_well();
  connect_all();
  live_for(health_state::period);
  CHECK(counter("health_ready") == 1);
  CHECK(counter("health_peer_condition{replica=\"3\"}") == static_cast<std::uint64_t>(replica_condition::unlinked));
  watch->on_link(replica_id{3}, true, now());
  be_well();
  live_for(health_state::period);
  CHECK(counter("health_peer_condition{replica=\"3\"}") == 0);
}

TEST_CASE_FIXTURE(health_bench,
                  "a node whose actor hangs is first not ready, then not live, and is asked once at a time") {
  // The probe in place of the tracker never answers.
  all.reputation_tracker = probes().reputation_tracker;
  connect_all();
  be_well();
  live_for(std::chrono::seconds{2});
  CHECK(report().ready);
  live_for(std::chrono::seconds{1});
  CHECK_FALSE(report().ready);
  CHECK(report().live);
  live_for(std::chrono::seconds{13});
  CHECK_FALSE(report().live);
  // A question is repeated after the patience, three times in these 16 s.
  CHECK(take<reputation_wanted>("reputation-tracker").size() == 3);
}

}  // namespace hypermesh::testing
