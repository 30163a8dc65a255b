#include "actors/monitor.hpp"

#include <doctest/doctest.h>

#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/executor.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// The monitor of replica 1 and a real executor, which the monitor asks for the root.
struct monitor_bench : virtual_bench {
  std::vector<std::string> failures;
  std::size_t shown = 0;
  monitor_actor tested;
  executor_actor machine;

  monitor_bench() : virtual_bench(replica_id{1}) {
    tested = system().spawn(monitor, identity(),
                            failure_handler{[this](const world_error& error) { failures.push_back(error.what); }},
                            observation_handler{[this](const observation&) { ++shown; }});
    machine = system().spawn(
        executor, identity(),
        std::make_shared<executor_start>(executor_start{
            std::make_unique<replicated_state>(std::make_unique<counting_machine>(), cluster_parameters{}), {}, {}}));
    keep(tested);
    keep(machine);
    auto all = probes();
    all.executor = machine;
    give(tested, wired{std::make_shared<const node_actors>(all)});
    give(machine, wired{std::make_shared<const node_actors>(probes())});
  }

  void see(observation what) { give(tested, observed{std::move(what), nullptr}); }
  node_report report() {
    give_verified(tested, principal::of(client_id{0}), node_query{{client_id{0}, timestamp{5}}}, link("asker"));
    const auto answers = take_frames("asker");
    REQUIRE(answers.size() == 1);
    return std::get<node_report>(answers.front());
  }
  static std::uint64_t counter(const node_report& of, const std::string& name) {
    for (const auto& each : of.counters) {
      if (each.name == name) return each.value;
    }
    return 0;
  }
};

}  // namespace

TEST_CASE_FIXTURE(monitor_bench, "a report contains the node's position and status") {
  see(execution_resumed{sequence_number{5}});
  CHECK(report().last_executed == sequence_number{5});
  see(watermarks_moved{sequence_number{4}, sequence_number{12}});
  see(batch_was_executed{sequence_number{6}, std::make_shared<const std::vector<executed_request>>(3)});
  see(checkpoint_became_stable{sequence_number{4}, named_digest("root")});
  const auto told = report();
  CHECK(told.id == request_id{client_id{0}, timestamp{5}});
  CHECK(told.replica == replica_id{1});
  CHECK(told.low_watermark == sequence_number{4});
  CHECK(told.high_watermark == sequence_number{12});
  CHECK(told.last_executed == sequence_number{6});
  CHECK(told.stable_checkpoint == sequence_number{4});
  CHECK(told.state_root == counting_machine{}.root());
  CHECK(counter(told, "requests_executed_total") == 3);
}

TEST_CASE_FIXTURE(monitor_bench, "rejections are counted by reason, for each replica and for all clients together") {
  see(frame_rejected{principal::of(replica_id{2}), rejection::bad_signature});
  see(frame_rejected{principal::of(client_id{0}), rejection::bad_signature});
  see(frame_rejected{principal::of(client_id{1}), rejection::bad_signature});
  const auto told = report();
  CHECK(counter(told, "rejected_total{reason=\"bad_signature\"}") == 3);
  CHECK(counter(told, "rejected_by_sender_total{sender=\"replica-2\",reason=\"bad_signature\"}") == 1);
  CHECK(counter(told, "rejected_by_sender_total{sender=\"clients\",reason=\"bad_signature\"}") == 2);
}

TEST_CASE_FIXTURE(monitor_bench, "the pauses for snapshots are counted and added up, and the longest one is kept") {
  see(snapshot_was_taken{sequence_number{4}, 70us});
  see(snapshot_was_taken{sequence_number{8}, 300us});
  see(snapshot_was_taken{sequence_number{12}, 30us});
  const auto told = report();
  CHECK(counter(told, "snapshots_total") == 3);
  CHECK(counter(told, "snapshot_us_total") == 400);
  CHECK(counter(told, "snapshot_us_max") == 300);
}

TEST_CASE_FIXTURE(monitor_bench, "replaced donors are counted by replica and reason") {
  see(donor_replaced{replica_id{2}, donor_fault::late});
  see(donor_replaced{replica_id{2}, donor_fault::late});
  see(donor_replaced{replica_id{2}, donor_fault::lied});
  see(donor_replaced{replica_id{0}, donor_fault::refused});
  const auto told = report();
  CHECK(counter(told, "donors_replaced_total{donor=\"replica-2\",reason=\"late\"}") == 2);
  CHECK(counter(told, "donors_replaced_total{donor=\"replica-2\",reason=\"lied\"}") == 1);
  CHECK(counter(told, "donors_replaced_total{donor=\"replica-0\",reason=\"refused\"}") == 1);
}

TEST_CASE_FIXTURE(monitor_bench, "the host is notified when the node must stop") {
  see(node_failed{{"the disk is gone", "replace it"}});
  CHECK(failures == std::vector<std::string>{"the disk is gone"});
  CHECK(counter(report(), "node_failures_total") == 1);
}

TEST_CASE_FIXTURE(monitor_bench, "every observation is passed to each subscriber") {
  see(divergence_found{sequence_number{4}});
  see(batcher_progress{});
  CHECK(shown == 2);
}

TEST_CASE_FIXTURE(monitor_bench, "a failed write of the audit trail is counted and stops nothing") {
  see(audit_interrupted{{"the disk is full", "make room"}});
  CHECK(counter(report(), "audit_interruptions_total") == 1);
  CHECK(failures.empty());
}

TEST_CASE_FIXTURE(monitor_bench, "counters of other parts and the state of links appear in the report") {
  give(tested, counters_reported{std::make_shared<const std::vector<named_counter>>(
                   std::vector<named_counter>{{"link_frames_total", 17}})});
  give(tested, link_changed{replica_id{2}, true});
  auto told = report();
  CHECK(counter(told, "link_frames_total") == 17);
  CHECK(counter(told, "link_up{peer=\"replica-2\"}") == 1);
  give(tested, link_changed{replica_id{2}, false});
  CHECK(counter(report(), "link_up{peer=\"replica-2\"}") == 0);
}

TEST_CASE_FIXTURE(monitor_bench, "a monitor without an answer of the executor sends no report") {
  caf::anon_send_exit(machine, caf::exit_reason::user_shutdown);
  settle();
  give_verified(tested, principal::of(client_id{0}), node_query{{client_id{0}, timestamp{5}}}, link("asker"));
  advance(std::chrono::seconds{10});
  CHECK(take_frames("asker").empty());
  // A report without the root needs no executor, so a frequent question costs the executor nothing.
  std::optional<node_report> without_root;
  caf::scoped_actor asker{system()};
  auto asked = asker->request(tested, std::chrono::seconds{1}, report_wanted{.with_root = false});
  settle();
  asked.receive([&](const node_report& it) { without_root = it; }, [](const caf::error&) {});
  REQUIRE(without_root);
  CHECK(without_root->replica == replica_id{1});
  // The monitor itself continues to run.
  see(node_failed{{"again", ""}});
  CHECK(failures.size() == 1);
}
