#include "runtime/audit/auditor.hpp"

#include <doctest/doctest.h>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "tests/runtime/audit_test_trail.hpp"
#include "tests/support/simulated_storage.hpp"
#include "tests/support/virtual_bench.hpp"

using namespace hypermesh;
using namespace hypermesh::testing::audit_test;
using namespace hypermesh::testing;

namespace {

/// The auditor of replica 1 with real files on a disk that can fill up.
struct auditor_bench : virtual_bench {
  trail_bench files;
  std::shared_ptr<audit_queue> queue;
  filling_sink* disk = nullptr;
  auditor_actor tested;
  std::shared_ptr<const audit_tap> tap;
  std::shared_ptr<simulated_storage> storage = std::make_shared<simulated_storage>();

  explicit auditor_bench(std::uint64_t queue_bytes = audit_queue::bytes_max, bool votes = true)
      : virtual_bench(replica_id{1}), queue(std::make_shared<audit_queue>(queue_bytes)) {
    tested = spawn();
    tap = std::make_shared<const audit_tap>(tested, queue, votes);
    connect(tested);
  }

  auditor_actor spawn() {
    files.open().reset();
    auto opened = audit_files::open(files.folder).value();
    expect_done(opened->resume(1));
    trail_place place;
    place.at = chain_start(files.owner());
    place.head.turn = 1;
    place.head.sealed = place.at;
    place.segments[1] = segment_header_bytes;
    auto sink = std::make_unique<filling_sink>(std::move(opened));
    disk = sink.get();
    auto trail = std::make_shared<std::unique_ptr<audit_trail>>(std::make_unique<audit_trail>(
        files.owner(), files.keys(), std::move(sink), trail_settings{}, std::move(place)));
    expect_done((*trail)->begin_run());
    return system().spawn(auditor, std::move(trail), queue, entry_clock{[this] { return ++files.now; }});
  }

  void write(const std::vector<storage_record>& records) {
    audited_storage audited{storage, tap};
    CHECK(audited.write(records).has_value());
    settle();
  }
  storage_record commit_record(std::uint64_t sequence) const {
    return {record_kind::commit, view_number{0}, sequence_number{sequence},
            testing::frame_of(files.make.commit_of(replica_id{1}, files.proposal(sequence)))};
  }
  storage_record stable_record(std::uint64_t sequence) const {
    return {record_kind::stable_checkpoint, view_number{0}, sequence_number{sequence}, files.stable(sequence).frame};
  }
  /// The newest value of this gauge that the monitor received.
  std::uint64_t gauge(const std::string& name) {
    for (const auto& told : take<counters_reported>("monitor")) {
      for (const auto& each : *told.counters)
        gauges[each.name] = each.value;
    }
    return gauges[name];
  }
  std::map<std::string, std::uint64_t> gauges;
};

struct tight_bench : auditor_bench {
  tight_bench() : auditor_bench(1'500) {}
};

struct decisions_bench : auditor_bench {
  decisions_bench() : auditor_bench(audit_queue::bytes_max, false) {}
};

}  // namespace

TEST_CASE_FIXTURE(auditor_bench, "records and observations are in the trail, sealed at a checkpoint") {
  write({commit_record(3), commit_record(4)});
  CHECK(disk->syncs == 0);
  committed_batch batch;
  batch.certificate = std::make_shared<const commit_certificate>(files.committed(4).certificate);
  tap->on_observed(slot_committed{batch});
  tap->on_observed(watermarks_moved{});
  tap->on_observed(divergence_found{sequence_number{4}});
  settle();
  write({stable_record(4)});
  CHECK(disk->syncs == 1);
  const auto verdict = files.verify();
  CHECK_MESSAGE(verdict.is_sound(), files.objection());
  CHECK(verdict.is_live);
  CHECK(verdict.walk.end.next_index == 6);
  REQUIRE(verdict.seals.size() == 1);
  CHECK(verdict.seals[0].checkpoint == sequence_number{4});
  CHECK(verdict.entries_by_kind.at(audit_kind::vote) == 2);
  CHECK(verdict.entries_by_kind.at(audit_kind::committed) == 1);
  CHECK(gauge("audit_entries_sealed") == 6);
  CHECK(gauge("audit_is_failing") == 0);
  // The node's disk still has all records.
  CHECK(storage->records_held() == 3);
}

TEST_CASE_FIXTURE(auditor_bench, "a record that the disk refused is not entered as a promise") {
  storage->fail_writes({"the disk is gone", "replace it"});
  audited_storage audited{storage, tap};
  CHECK_FALSE(audited.write(std::vector{commit_record(3)}).has_value());
  settle();
  CHECK(files.verify().walk.end.next_index == 0);
}

TEST_CASE_FIXTURE(auditor_bench, "closing seals the trail and frees the folder") {
  write({commit_record(3)});
  give(tested, close_trail{});
  const auto verdict = files.verify();
  CHECK_MESSAGE(verdict.is_sound(), files.objection());
  CHECK_FALSE(verdict.is_live);
  REQUIRE(verdict.head);
  CHECK(verdict.head->closed);
  CHECK(verdict.entries_by_kind.at(audit_kind::stopped) == 1);
  CHECK(verdict.unsealed() == 0);
}

TEST_CASE_FIXTURE(auditor_bench, "a full disk is reported once, and by a gauge until there is room again") {
  disk->room = 0;
  write({commit_record(3)});
  write({commit_record(4)});
  const auto told = take_observed<audit_interrupted>();
  REQUIRE(told.size() == 1);
  CHECK(told[0].error.what == "the disk is full");
  CHECK(gauge("audit_is_failing") == 1);
  disk->room = 1'000'000;
  write({stable_record(4)});
  CHECK(gauge("audit_is_failing") == 0);
  CHECK(gauge("audit_entries_lost") == 2);
  CHECK(gauge("audit_failures_total") == 2);
  CHECK_MESSAGE(files.verify().is_sound(), files.objection());
  CHECK(files.verify().entries_lost == 2);
}

TEST_CASE_FIXTURE(tight_bench,
                  "entries beyond the queue are dropped and counted, and the queue accepts entries again later") {
  audited_storage audited{storage, tap};
  // The auditor does not run during this loop.
  for (std::uint64_t sequence = 1; sequence <= 10; ++sequence)
    CHECK(audited.write(std::vector{commit_record(sequence)}).has_value());
  settle();
  const auto votes = files.verify().entries_by_kind.at(audit_kind::vote);
  CHECK(votes >= 1);
  CHECK(votes < 10);
  CHECK(files.verify().entries_lost == 10 - votes);
  write({commit_record(11)});
  CHECK(files.verify().entries_by_kind.at(audit_kind::vote) == votes + 1);
  CHECK(storage->records_held() == 11);
}

TEST_CASE_FIXTURE(decisions_bench, "a trail without votes holds the decisions only") {
  write({commit_record(3), stable_record(4)});
  committed_batch batch;
  batch.certificate = std::make_shared<const commit_certificate>(files.committed(4).certificate);
  tap->on_observed(slot_committed{batch});
  settle();
  const auto verdict = files.verify();
  CHECK_FALSE(verdict.entries_by_kind.contains(audit_kind::vote));
  CHECK(verdict.entries_by_kind.at(audit_kind::committed) == 1);
  CHECK(verdict.entries_by_kind.at(audit_kind::checkpoint_stable) == 1);
}
