#include "runtime/metrics/node_metrics.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>

#include "runtime/metrics/disk_watch.hpp"
#include "runtime/metrics/metric_hub.hpp"
#include "runtime/metrics/prometheus_text.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::metrics;
using std::chrono_literals::operator""us;
using storage_test::contains;

namespace {

constexpr std::uint32_t replicas = 4;
constexpr std::uint32_t window = 8;

struct metrics_bench {
  node_metrics tested{replica_id{1}, replicas, window};

  [[nodiscard]] double value(metric id, std::size_t first = 0) const { return tested.values().at(id, first).value; }
  [[nodiscard]] std::uint64_t count(metric id, std::size_t first = 0) const {
    std::uint64_t sum = 0;
    for (const auto each : tested.values().at(id, first).counts)
      sum += each;
    return sum;
  }
  [[nodiscard]] std::uint64_t count(phase what) const {
    return count(metric::phase_seconds, static_cast<std::size_t>(what));
  }
  [[nodiscard]] double sum(phase what) const {
    return tested.values().at(metric::phase_seconds, static_cast<std::size_t>(what)).sum;
  }
  void commit(std::uint64_t sequence, phase_times times) {
    auto body = std::make_shared<batch>();
    body->bytes = 100;
    body->requests.resize(3);
    tested.note(slot_committed{{view_number{0}, sequence_number{sequence}, {}, std::move(body), nullptr}, times});
  }
  void execute(std::uint64_t sequence, moment executed, moment replied) {
    tested.note(batch_was_executed{sequence_number{sequence},
                                   std::make_shared<const std::vector<executed_request>>(3),
                                   {},
                                   {},
                                   {},
                                   executed,
                                   replied});
  }
};

}  // namespace

TEST_CASE_FIXTURE(metrics_bench, "each phase of a batch is measured from the end of the phase before") {
  commit(1, {.requested = moment{1ms}, .proposed = moment{3ms}, .prepared = moment{6ms}, .committed = moment{10ms}});
  execute(1, moment{15ms}, moment{21ms});
  CHECK(sum(phase::pre_prepare) == doctest::Approx(0.002));
  CHECK(sum(phase::prepared) == doctest::Approx(0.003));
  CHECK(sum(phase::committed) == doctest::Approx(0.004));
  CHECK(sum(phase::executed) == doctest::Approx(0.005));
  CHECK(sum(phase::replied) == doctest::Approx(0.006));
  CHECK(value(metric::requests_executed) == 3);
  CHECK(value(metric::batch_payload_bytes) == 100);
  CHECK(count(metric::batch_requests) == 1);
}

TEST_CASE_FIXTURE(metrics_bench, "the execution may be observed before the commit") {
  execute(2, moment{15ms}, moment{16ms});
  CHECK(count(phase::executed) == 0);
  commit(2, {.proposed = moment{1ms}, .prepared = moment{2ms}, .committed = moment{9ms}});
  CHECK(sum(phase::executed) == doctest::Approx(0.006));
  CHECK(count(phase::pre_prepare) == 0);
}

TEST_CASE_FIXTURE(metrics_bench, "a batch that lacks a time gives no measurement, and never pairs with another batch") {
  commit(3, {.committed = moment{5ms}});
  CHECK(count(phase::prepared) == 0);
  CHECK(count(phase::committed) == 0);
  // The same place in the ring, one window later.
  execute(3 + window, moment{50ms}, moment{50ms});
  CHECK(count(phase::executed) == 0);
  commit(3 + window, {.committed = moment{49ms}});
  CHECK(sum(phase::executed) == doctest::Approx(0.001));
}

TEST_CASE_FIXTURE(metrics_bench, "the lag is the distance to the last certified checkpoint") {
  tested.note(checkpoint_became_stable{sequence_number{40}, {}});
  CHECK(value(metric::lag) == 40);
  execute(10, moment{1ms}, moment{1ms});
  CHECK(value(metric::lag) == 30);
  tested.note(state_was_installed{sequence_number{40}, {}});
  CHECK(value(metric::lag) == 0);
  commit(43, {});
  CHECK(value(metric::batches_unexecuted) == 3);
  tested.note(checkpoint_became_stable{sequence_number{30}, {}});
  CHECK(value(metric::stable_checkpoint) == 40);
}

TEST_CASE_FIXTURE(metrics_bench, "faults of a sender and late frames are counted apart, and a stranger is a client") {
  const auto at = [](rejection reason) { return static_cast<std::size_t>(reason); };
  tested.note(frame_rejected{principal::of(replica_id{2}), rejection::bad_signature});
  tested.note(frame_rejected{principal::of(client_id{9}), rejection::bad_signature});
  tested.note(frame_rejected{principal::of(replica_id{99}), rejection::bad_signature});
  tested.note(frame_rejected{principal::of(replica_id{2}), rejection::duplicate});
  CHECK(value(metric::frames_rejected, at(rejection::bad_signature)) == 3);
  CHECK(value(metric::frames_ignored, at(rejection::duplicate)) == 1);
  CHECK(value(metric::frames_rejected_by_sender, 3) == 1);
  CHECK(value(metric::frames_rejected_by_sender, 0) == 2);
  const auto page = prometheus_text(tested.values());
  CHECK(contains(page, "hypermesh_frames_rejected_total{reason=\"bad_signature\"} 3"));
  CHECK_FALSE(contains(page, "hypermesh_frames_rejected_total{reason=\"duplicate\"}"));
}

TEST_CASE_FIXTURE(metrics_bench, "a counter is reported from the start, a gauge once it is known") {
  auto page = prometheus_text(tested.values());
  CHECK(contains(page, "hypermesh_faults_proven_total 0"));
  // Also a link that never comes up has a series, because an alert watches it. There is no link to itself.
  CHECK(contains(page, "hypermesh_link_up{replica=\"2\"} 0"));
  CHECK_FALSE(contains(page, "hypermesh_link_up{replica=\"1\"}"));
  CHECK_FALSE(contains(page, "hypermesh_disk_free_bytes"));
  CHECK(contains(page, "hypermesh_replica_number 1"));
  tested.note_link(replica_id{2}, true);
  tested.note_link(replica_id{77}, true);
  page = prometheus_text(tested.values());
  CHECK(contains(page, "hypermesh_link_up{replica=\"2\"} 1"));
  CHECK_FALSE(contains(page, "replica=\"77\""));
}

TEST_CASE_FIXTURE(metrics_bench, "the buckets of a histogram are cumulative and end with +Inf") {
  for (const auto took : {100us, 300us, 20'000'000us})
    tested.note_write(2, 50, took);
  const auto page = prometheus_text(tested.values());
  CHECK(contains(page, "hypermesh_storage_write_seconds_bucket{le=\"0.0001\"} 1"));
  CHECK(contains(page, "hypermesh_storage_write_seconds_bucket{le=\"0.0005\"} 2"));
  CHECK(contains(page, "hypermesh_storage_write_seconds_bucket{le=\"5\"} 2"));
  CHECK(contains(page, "hypermesh_storage_write_seconds_bucket{le=\"+Inf\"} 3"));
  CHECK(contains(page, "hypermesh_storage_write_seconds_count 3"));
  CHECK(value(metric::storage_records) == 6);
}

TEST_CASE_FIXTURE(metrics_bench, "links, reputations and the machine are folded into the values") {
  links::link_counters counters;
  const std::vector<std::byte> frame{std::byte{1}, std::byte{2}, std::byte{static_cast<int>(message_kind::commit)}};
  counters.add_frame(links::link_direction::out, frame);
  counters.add(links::link_error::bad_frame);
  std::vector<reputation> reputations(replicas);
  reputations[3].agreed.convictions = 2;
  reputations[3].agreed.quarantined_until = sequence_number{9};
  host_facts facts;
  facts.disks[0] = disk_facts{5, 100};
  auto values = tested.values();
  fold(counters, values);
  fold(reputations, values);
  fold(facts, values);
  const auto page = prometheus_text(values);
  CHECK(contains(page, "hypermesh_link_frame_bytes_total{direction=\"out\",kind=\"commit\"} 3"));
  CHECK(contains(page, "hypermesh_link_closed_total{reason=\"bad_frame\"} 1"));
  CHECK(contains(page, "hypermesh_convictions_total{replica=\"3\"} 2"));
  CHECK(contains(page, "hypermesh_quarantined{replica=\"3\"} 1"));
  CHECK(contains(page, "hypermesh_quarantined{replica=\"0\"} 0"));
  CHECK(contains(page, "hypermesh_disk_free_bytes{directory=\"data\"} 5"));
  CHECK_FALSE(contains(page, "hypermesh_disk_free_bytes{directory=\"audit\"}"));
}

TEST_CASE("the number of reported series depends on the replicas only") {
  node_metrics small{replica_id{0}, 4, window};
  const auto lines = [](const node_metrics& of) {
    const auto page = prometheus_text(of.values());
    return std::ranges::count(page, '\n');
  };
  const auto before = lines(small);
  for (std::uint32_t number = 0; number < 10'000; ++number)
    small.note(frame_rejected{principal::of(client_id{number}), rejection::bad_signature});
  CHECK(lines(small) == before);
}

TEST_CASE("the system tells the facts of this process") {
  const auto facts = read_host_facts();
  REQUIRE(facts.resident_bytes);
  CHECK(*facts.resident_bytes > 1'000'000);
  CHECK(facts.threads.value_or(0) >= 1);
  CHECK(facts.open_files.value_or(0) >= 3);
  const auto disk = read_disk_facts(std::filesystem::temp_directory_path());
  REQUIRE(disk);
  CHECK(disk->size_bytes >= disk->free_bytes);
  CHECK_FALSE(read_disk_facts("/no/such/place"));
}

TEST_CASE("a disk is examined, and facts that are too old are not reported") {
  const disk_watch watch{{"data", {}}, [](const auto&) { return disk_facts{5, 100}; }};
  while (!watch.facts()[0])
    std::this_thread::yield();
  CHECK(watch.facts()[0]->free_bytes == 5);
  CHECK_FALSE(watch.facts()[1]);
  CHECK_FALSE(watch.facts(disk_watch::clock::now() + std::chrono::minutes{1})[0]);
}

TEST_CASE("a disk that hangs holds nobody, and does not hide another disk") {
  struct disk {
    std::promise<void> entered;
    std::promise<void> answers;
    std::promise<void> returned;
  };
  // The thread outlives the watch, so it owns what it uses.
  const auto hung = std::make_shared<disk>();
  {
    const disk_watch watch{{"hangs", "works"}, [hung](const std::filesystem::path& directory) {
                             if (directory == "works") return disk_facts{1, 2};
                             hung->entered.set_value();
                             hung->answers.get_future().wait();
                             hung->returned.set_value();
                             return disk_facts{3, 4};
                           }};
    hung->entered.get_future().wait();
    while (!watch.facts()[1])
      std::this_thread::yield();
    CHECK_FALSE(watch.facts()[0]);
  }
  // The watch is gone, and its thread still waits for the disk.
  hung->answers.set_value();
  hung->returned.get_future().wait();
}

TEST_CASE("an examination that throws gives no facts") {
  std::atomic<int> calls = 0;
  const disk_watch watch{{"data", {}}, [&](const auto&) -> std::optional<disk_facts> {
                           ++calls;
                           throw std::runtime_error{"no"};
                         }};
  while (calls == 0)
    std::this_thread::yield();
  CHECK_FALSE(watch.facts()[0]);
}
