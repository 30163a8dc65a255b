#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/bench/bench_figures.hpp"
#include "tools/hypermesh/bench/bench_report.hpp"
#include "tools/hypermesh/bench/crypto_floor.hpp"
#include "tools/hypermesh/bench/knee_search.hpp"
#include "tools/hypermesh/bench/machine_use.hpp"
#include "tools/hypermesh/bench/replica_counts.hpp"

namespace hypermesh::testing {

namespace {

/// A cluster that carries rates up to `capacity`: beyond it, latency explodes and answers come late.
knee_step step_at(double rate, double capacity) {
  if (rate <= capacity) return {rate, rate, 2'000, 9'000, 0};
  return {rate, capacity, 500'000, 900'000, 0};
}

knee_search searched(double first, double capacity) {
  knee_search search{first, {10'000, 0.99}};
  while (const auto rate = search.next())
    search.note(step_at(*rate, capacity));
  return search;
}

/// The counts of four replicas that ordered 100 batches of 10 requests with 4 operations of 50 bytes, with replies of
/// 20 bytes: the frames that the protocol needs and no others.
replica_counts counts_of_group() {
  replica_counts all;
  all.requests_executed = 4 * 1'000;
  all.batches_committed = 4 * 100;
  all.writes = 4 * 200;
  all.write_us = 4 * 200 * 150;
  all.frames_in["request"] = {1'000, 1'000 * 300};
  all.frames_in["pre_prepare"] = {300, 300 * 3'300};
  all.frames_in["prepare"] = {900, 900 * 140};
  all.frames_in["commit"] = {1'200, 1'200 * 140};
  all.frames_out["reply"] = {4'000, 4'000 * 170};
  for (const auto& [kind, traffic] : all.frames_in)
    all.wire_bytes_in += traffic.bytes + 20 * traffic.frames;
  return all;
}

bench_run run_of_group() {
  bench_run run;
  run.shape.bundle = 4;
  run.shape.measured = 2s;
  run.result.answered_in_time = 4'000;
  for (int index = 0; index < 4'000; ++index)
    run.result.latency.record(5'000);
  run.result.operation_bytes = 50;
  run.result.result_bytes = 20;
  run.use.seconds = 2;
  run.use.replicas_s = {0.4, 0.2, 0.2, 0.2};
  run.use.loads_s = 0.1;
  run.use.roles_s = {{"actors", 0.7}, {"links", 0.3}};
  run.use.resident_bytes = {30 << 20, 20 << 20, 20 << 20, 20 << 20};
  run.use.counts = counts_of_group();
  run.use.others_cores = 0.5;
  return run;
}

target_facts facts_of_group() { return {"", "null", 4, 3, 1}; }

constexpr crypto_costs round_costs{10, 30, 1, 2, 0.5, 1};

}  // namespace

TEST_CASE("the busy time of a machine is all time but idle and waiting for the disk") {
  const auto* text = "cpu  100 20 30 1000 500 4 6 40 7 8\ncpu0 1 1 1 1 1 1 1 1 1 1\nintr 5\n";
  // 100 + 20 + 30 + 4 + 6 + 40 ticks of 10 ms.
  CHECK(busy_time_in(text, 100) == duration{2s});
  CHECK_FALSE(busy_time_in("cpu  1 2 3", 100));
  CHECK_FALSE(busy_time_in("", 100));
  CHECK_FALSE(busy_time_in("cpu0 1 2 3 4 5 6 7 8", 100));
}

TEST_CASE("processor time is read behind a name that looks like more fields") {
  const auto* text = "71 (a) b 9 (c) S 1 -2 3 4 -5 6 7 8 9 10 150 50 0 0 20 0 3 0 99\n";
  CHECK(processor_time_in(text, 100) == duration{2s});
  CHECK_FALSE(processor_time_in("71 (a) S 1 2", 100));
  CHECK_FALSE(processor_time_in("", 100));
}

TEST_CASE("threads with one name count by their place before or after the clock") {
  const auto times = times_by_role({{10, "hypermesh", 1ms},
                                    {11, "caf.multiplexer", 2ms},
                                    {12, "caf.multiplexer", 3ms},
                                    {13, "caf.clock", 4ms},
                                    {14, "caf.actor", 5ms},
                                    {15, "caf.multiplexer", 6ms},
                                    {16, "rocksdb:low", 7ms},
                                    {17, "caf.worker", 8ms}});
  CHECK(times ==
        role_times{{"actors", 13ms}, {"links", 6ms}, {"timer", 4ms}, {"own", 5ms}, {"database", 7ms}, {"rest", 1ms}});
  CHECK(difference(times, {{"links", 2ms}, {"actors", 20ms}}).at("links") == 4ms);
  CHECK(difference(times, {{"links", 2ms}, {"actors", 20ms}}).at("actors") == 0ms);
}

TEST_CASE("this process has threads and processor time") {
  CHECK_FALSE(threads_of_process(getpid()).empty());
  CHECK(processor_time_of(getpid()).has_value());
  CHECK(busy_time_now().has_value());
  CHECK(threads_of_process(-1).empty());
  CHECK_FALSE(processor_time_of(-1).has_value());
}

TEST_CASE("the text of metrics becomes counts, and foreign lines are skipped") {
  const auto counts = read_metrics(
      "# HELP hypermesh_requests_executed_total Requests\n# TYPE hypermesh_requests_executed_total counter\n"
      "hypermesh_requests_executed_total 1200\nhypermesh_batches_committed_total 30\n"
      "hypermesh_storage_write_seconds_bucket{le=\"0.1\"} 7\nhypermesh_storage_write_seconds_count 60\n"
      "hypermesh_storage_write_seconds_sum 0.012\n"
      "hypermesh_link_wire_bytes_total{direction=\"in\"} 5000\nhypermesh_link_wire_bytes_total{direction=\"out\"} 4e3\n"
      "hypermesh_link_frames_total{direction=\"in\",kind=\"request\"} 8\n"
      "hypermesh_link_frame_bytes_total{direction=\"in\",kind=\"request\"} 900\n"
      "hypermesh_link_frames_total{direction=\"out\",kind=\"reply\"} 9\n"
      "nonsense\nhypermesh_requests_executed_total NaN\nhypermesh_process_resident_memory_bytes 1048576\n");
  REQUIRE(counts.has_value());
  CHECK(counts->requests_executed == 1'200);
  CHECK(counts->batches_committed == 30);
  CHECK(counts->writes == 60);
  CHECK(counts->write_us == 12'000);
  CHECK(counts->wire_bytes_in == 5'000);
  CHECK(counts->wire_bytes_out == 4'000);
  CHECK(counts->frames_in.at("request").frames == 8);
  CHECK(counts->frames_in.at("request").bytes == 900);
  CHECK(counts->frames_out.at("reply").frames == 9);
  CHECK(counts->resident_bytes == 1 << 20);
  CHECK_FALSE(read_metrics("").has_value());
  CHECK_FALSE(read_metrics("hypermesh_requests_executed_total 1\n").has_value());
}

TEST_CASE("counts of a replica that restarted give 0 and not a huge difference") {
  replica_counts before;
  before.requests_executed = 100;
  before.frames_in["request"] = {50, 500};
  replica_counts after;
  after.requests_executed = 10;
  after.frames_in["request"] = {60, 400};
  const auto rest = difference(after, before);
  CHECK(rest.requests_executed == 0);
  CHECK(rest.frames_in.at("request").frames == 10);
  CHECK(rest.frames_in.at("request").bytes == 0);
}

TEST_CASE("the split of the traffic adds up to all bytes") {
  const auto all = counts_of_group();
  const auto split = split_of(all, {50, 20, 4});
  // Each request goes once to the primary and once in a proposal to each of three backups.
  CHECK(split.payload == doctest::Approx(4 * 1'000 * 4 * 50 + 4'000 * 4 * 20));
  CHECK(split.signatures == doctest::Approx(64 * (4 * 1'000 + 300 + 900 + 1'200)));
  CHECK(split.framing == doctest::Approx(20 * (1'000 + 300 + 900 + 1'200 + 4'000)));
  CHECK(split.payload + split.signatures + split.headers + split.framing == doctest::Approx(split.total));
  CHECK(split.total == doctest::Approx(static_cast<double>(all.wire_bytes_in) + 4'000 * 190));
  CHECK(split.headers > 0);
}

TEST_CASE("the floor counts what one batch of four replicas needs") {
  // One request: 4 verifications of it, 3 of the PRE-PREPARE, 2 + 3 of PREPAREs, 8 of COMMITs; 8 signatures.
  const auto one = floor_of(round_costs, {4, 3, 1, 1, 0, 0, 0});
  CHECK(one.signatures == doctest::Approx(8));
  CHECK(one.verifications == doctest::Approx(4 + 3 + 5 + 8));
  CHECK(one.replicas_us() == doctest::Approx(8 * 10 + 20 * 30 + 4 * 2 * 0.5));
  // With ten requests of four operations, the agreement is shared by forty.
  const auto many = floor_of(round_costs, {4, 3, 10, 4, 256, 2, 1});
  CHECK(many.signatures == doctest::Approx(8.0 / 40));
  CHECK(many.verifications == doctest::Approx((40 + 3 + 5 + 8) / 40.0));
  CHECK(many.hashing_us == doctest::Approx(4 * (11 * 0.5 + 10 * 1.0) / 40));
  CHECK(many.sealing_us == doctest::Approx((2 * 1 + 1 * 2) / 2.0));
  // If three of four operations are committed reads, a quarter of the operations is ordered.
  const auto reads = floor_of(round_costs, {4, 3, 1, 1, 0, 2, 1, 0.25});
  CHECK(reads.signatures == doctest::Approx(2));
  CHECK(reads.sealing_us == doctest::Approx(2));
  // Requests without signatures need no verification.
  floor_shape bare{4, 3, 10, 1, 0, 0, 0};
  bare.requests_are_signed = false;
  CHECK(floor_of(round_costs, bare).verifications == doctest::Approx((3 + 5 + 8) / 10.0));
}

TEST_CASE("the measured cryptography has the order that its algorithms have") {
  const auto costs = measure_crypto();
  CHECK(costs.sign_us > 1);
  CHECK(costs.verify_us > costs.sign_us);
  CHECK(costs.seal_us_per_kib > 0);
  CHECK(costs.hash_us < costs.sign_us);
}

TEST_CASE("the search finds the knee from below and from above") {
  for (const auto first : {10.0, 1'000.0, 700'000.0}) {
    const auto search = searched(first, 5'000);
    const auto knee = search.knee();
    REQUIRE(knee.has_value());
    CHECK(knee->offered <= 5'000);
    CHECK(knee->offered * knee_search::narrow_enough >= 5'000);
    CHECK(search.steps().size() <= knee_search::steps_max);
  }
}

TEST_CASE("one spoilt run does not end the search early, and two do") {
  knee_search search{1'000, {10'000, 0.99}};
  const knee_step spoilt{1'000, 1'000, 2'000, 90'000, 0};
  search.note(spoilt);
  CHECK(search.next() == 1'000);
  search.note({1'000, 1'000, 2'000, 9'000, 0});
  CHECK(search.next() == 2'000);
  knee_search other{1'000, {10'000, 0.99}};
  other.note(spoilt);
  other.note(spoilt);
  CHECK(other.next() == 500);
  // A rate of which much is missing is tried once.
  knee_search hopeless{1'000, {10'000, 0.99}};
  hopeless.note({1'000, 700, 2'000, 9'000, 0});
  CHECK(hopeless.next() == 500);
}

TEST_CASE("the search ends without a knee if nothing is carried, and at the highest rate if everything is") {
  const auto nothing = searched(100, 0);
  CHECK_FALSE(nothing.knee().has_value());
  CHECK_FALSE(nothing.next().has_value());
  const auto everything = searched(1'000'000, 1e12);
  REQUIRE(everything.knee().has_value());
  CHECK(everything.knee()->offered == 8'000'000);
}

TEST_CASE("a rate is not carried if operations fail, come late, or take too long") {
  const knee_search search{100, {10'000, 0.99}};
  CHECK(search.is_carried({100, 99.5, 1'000, 10'000, 0}));
  CHECK_FALSE(search.is_carried({100, 99.5, 1'000, 10'000, 1}));
  CHECK_FALSE(search.is_carried({100, 98, 1'000, 10'000, 0}));
  // In a second with a p99 of 10 ms, 1 % may be on its way at the end.
  CHECK(search.is_carried({100, 98, 1'000, 10'000, 0, 1}));
  CHECK_FALSE(search.is_carried({100, 90, 1'000, 10'000, 0, 0.001}));
  CHECK_FALSE(search.is_carried({100, 100, 1'000, 10'001, 0}));
}

TEST_CASE("figures are those of one operation of all replicas") {
  const auto figures = figures_of(run_of_group(), facts_of_group(), round_costs);
  CHECK(figures.replicas_us == doctest::Approx(250));
  CHECK(figures.loads_us == doctest::Approx(25));
  CHECK(figures.roles_us.at("actors") == doctest::Approx(175));
  CHECK(figures.operations_per_request == doctest::Approx(4));
  CHECK(figures.requests_per_batch.value() == doctest::Approx(10));
  CHECK(figures.writes_per_batch.value() == doctest::Approx(2));
  CHECK(figures.write_us.value() == doctest::Approx(150));
  CHECK(figures.wire.has_value());
  REQUIRE(figures.floor.has_value());
  CHECK(figures.times_floor.value() == doctest::Approx(250 / figures.floor->replicas_us()));
}

TEST_CASE("figures without a source are missing and not 0") {
  auto run = run_of_group();
  run.use.counts->frames_in.clear();
  const auto joined = figures_of(run, facts_of_group(), round_costs);
  CHECK_FALSE(joined.wire.has_value());
  CHECK(joined.wire_bytes.has_value());
  CHECK(joined.floor.has_value());
  run.use.counts.reset();
  const auto silent = figures_of(run, facts_of_group(), round_costs);
  CHECK_FALSE(silent.floor.has_value());
  CHECK_FALSE(silent.times_floor.has_value());
  run.result = {};
  CHECK(figures_of(run, facts_of_group(), round_costs).replicas_us == 0);
}

TEST_CASE("the report fits 80 columns, names the loop, and warns of other users of the machine") {
  bench_result result;
  result.target = facts_of_group();
  result.crypto = round_costs;
  result.runs.push_back(run_of_group());
  for (const auto rate : {0.0, 123'456.0}) {
    auto& run = result.runs.back();
    run.shape.rate = rate;
    const auto text = text_of(result, text_style::plain());
    CAPTURE(text);
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      CHECK(display_width(text.substr(begin, end - begin)) <= 80);
      begin = end + 1;
    }
    CHECK((text.find("open loop") != std::string::npos) == (rate > 0));
    CHECK((text.find("closed loop") != std::string::npos) == (rate == 0));
    CHECK(text.find("other processes used 0.50 processors") != std::string::npos);
    run.use.others_cores = 0.1;
    CHECK(text_of(result, text_style::plain()).find("other processes") == std::string::npos);
    run.use.others_cores = 0.5;
  }
}

}  // namespace hypermesh::testing
