// The trace of a node, its text, and the Chrome trace of several nodes.
#include <doctest/doctest.h>

#include <map>

#include <nlohmann/json.hpp>

#include "runtime/trace/chrome_trace.hpp"

namespace hypermesh::testing {

namespace {

using nlohmann::json;

moment at(std::int64_t us) { return moment{duration{us}}; }

slot_committed committed(std::uint64_t sequence, std::uint64_t view, phase_times times) {
  slot_committed it;
  it.content.sequence = sequence_number{sequence};
  it.content.view = view_number{view};
  it.times = times;
  return it;
}

batch_was_executed executed(std::uint64_t sequence, std::size_t requests, moment when) {
  std::vector<executed_request> all;
  for (std::size_t number = 0; number < requests; ++number)
    all.push_back({{client_id{0}, timestamp{number + 1}, session_id{5}}});
  batch_was_executed it;
  it.sequence = sequence_number{sequence};
  it.requests = std::make_shared<const std::vector<executed_request>>(std::move(all));
  it.executed = when;
  it.replied = when + 3us;
  return it;
}

constexpr phase_times usual{moment{duration{100}}, moment{duration{110}}, moment{duration{130}}, moment{duration{160}}};

/// The trace of a node with one batch of two requests.
node_trace trace_of(std::uint32_t replica, std::int64_t offset, phase_times times = usual) {
  trace_ring ring{8};
  ring.note(committed(7, 2, times));
  ring.note(executed(7, 2, at(170)));
  return {replica_id{replica}, "00ff", offset, ring.batches(node_trace_bytes_max)};
}

}  // namespace

TEST_CASE("a batch is traced once both of its ends are known, in any order") {
  trace_ring ring{4};
  ring.note(committed(1, 0, usual));
  CHECK(ring.batches(node_trace_bytes_max).empty());
  ring.note(executed(1, 3, at(170)));
  ring.note(executed(2, 1, at(180)));
  ring.note(committed(2, 0, usual));
  const auto all = ring.batches(node_trace_bytes_max);
  REQUIRE(all.size() == 2);
  CHECK(all[0].sequence == sequence_number{1});
  CHECK(all[0].requests.size() == 3);
  CHECK(all[0].replied == at(173));
  CHECK(all[1].times == usual);
}

TEST_CASE("the ring keeps the last batches, and neither an old one nor a second way displaces them") {
  trace_ring ring{4};
  for (std::uint64_t sequence = 1; sequence <= 10; ++sequence) {
    ring.note(committed(sequence, 0, usual));
    ring.note(executed(sequence, 1, at(170)));
  }
  ring.note(committed(3, 9, usual));
  ring.note(executed(3, 1, at(9'999)));
  // A later view commits the batch again.
  ring.note(committed(9, 5, {}));
  CHECK(ring.batches(250).size() == 2);
  CHECK(ring.batches(250).back().sequence == sequence_number{10});
  CHECK(ring.batches(0).empty());
  const auto all = ring.batches(node_trace_bytes_max);
  REQUIRE(all.size() == 4);
  for (std::size_t place = 0; place < all.size(); ++place) {
    CHECK(all[place].sequence == sequence_number{7 + place});
    CHECK(all[place].view == view_number{0});
    CHECK(all[place].times == usual);
  }
}

TEST_CASE("a batch with more requests than the ring keeps counts them") {
  trace_ring ring{1};
  ring.note(committed(1, 0, usual));
  ring.note(executed(1, 10'000, at(170)));
  CHECK(ring.batches(node_trace_bytes_max).front().requests.size() == trace_ring::requests_max);
  CHECK(ring.batches(node_trace_bytes_max).front().requests_total == 10'000);
}

TEST_CASE("the text of a trace can be read back, and unknown moments stay unknown") {
  auto trace = trace_of(1, -5);
  trace.batches.front().times.requested = {};
  const auto read = read_node_trace(node_trace_text(trace), "a");
  REQUIRE(read);
  CHECK(read->replica == replica_id{1});
  CHECK(read->wall_minus_steady_us == -5);
  REQUIRE(read->batches.size() == 1);
  CHECK(read->batches.front().times == trace.batches.front().times);
  CHECK(read->batches.front().requests == trace.batches.front().requests);
  CHECK(read->batches.front().replied == at(173));
}

TEST_CASE("the text of the largest trace is bounded, and keeps the newest batches") {
  trace_ring ring{4'096};
  for (std::uint64_t sequence = 1; sequence <= 4'096; ++sequence) {
    ring.note(committed(sequence, 0, usual));
    ring.note(executed(sequence, trace_ring::requests_max, at(170)));
  }
  const auto text = node_trace_text({replica_id{0}, "00ff", 0, ring.batches(node_trace_bytes_max)});
  CHECK(text.size() <= node_trace_bytes_max);
  const auto read = read_node_trace(text, "a");
  REQUIRE(read);
  CHECK(read->batches.size() < 4'096);
  CHECK(read->batches.back().sequence == sequence_number{4'096});
}

TEST_CASE("no text of a faulty node is read as a trace, and none is fatal") {
  const auto whole = node_trace_text(trace_of(1, 0));
  REQUIRE(read_node_trace(whole, "a"));
  for (std::size_t size = 0; size + 2 < whole.size(); ++size)
    CHECK_FALSE(read_node_trace(whole.substr(0, size), "a"));
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = whole;
    const auto place = text.find(from);
    REQUIRE(place != std::string::npos);
    return read_node_trace(text.replace(place, from.size(), to), "a");
  };
  CHECK_FALSE(with("\"replica\":1", "\"replica\":4000000000"));
  CHECK_FALSE(with("\"replica\":1", "\"replica\":-1"));
  CHECK_FALSE(with("\"sequence\":7", "\"sequence\":\"7\""));
  CHECK_FALSE(with("\"proposed\":110", "\"proposed\":18446744073709551615"));
  CHECK_FALSE(with("[0,5,1]", "[0,5]"));
  CHECK_FALSE(with("[0,5,1]", "[99999999999,5,1]"));
  CHECK_FALSE(with("\"00ff\"", "\"" + std::string(65, 'a') + "\""));
  CHECK_FALSE(read_node_trace(std::string(100'000, '['), "a"));
  const auto error = read_node_trace("[]", "far.json");
  CHECK(error.error().what.starts_with("far.json: "));
  // The clock may say anything; the differences do not overflow.
  const auto strange = with("\"wall_minus_steady_us\":0", "\"wall_minus_steady_us\":-9223372036854775808");
  REQUIRE(strange);
  CHECK(json::accept(chrome_trace_text({*strange, trace_of(2, 5)})));
}

TEST_CASE("a Chrome trace has a process for each node, and slices that begin before they end") {
  // The clock of the second node is 40 us ahead of that of the first.
  phase_times backup = usual;
  backup.requested = {};
  const auto text = chrome_trace_text({trace_of(0, 1'000), trace_of(3, 1'040, backup)});
  const auto read = json::parse(text);
  CHECK(read["otherData"]["clock_offset_us_replica_0"] == "0");
  CHECK(read["otherData"]["clock_offset_us_replica_3"] == "40");
  CHECK(read["otherData"]["origin_unix_us"] == "1100");
  std::map<std::string, std::int64_t> open;
  std::size_t slices = 0;
  for (const auto& event : read["traceEvents"]) {
    if (event["ph"] == "M") continue;
    const auto key = event["pid"].dump() + event["cat"].get<std::string>() + event["id2"]["local"].get<std::string>() +
                     event["name"].get<std::string>();
    const auto ts = event["ts"].get<std::int64_t>();
    CHECK(ts >= 0);
    if (event["ph"] == "b") {
      CHECK_FALSE(open.contains(key));
      open[key] = ts;
    } else {
      REQUIRE(open.contains(key));
      CHECK(open[key] <= ts);
      open.erase(key);
      ++slices;
    }
  }
  CHECK(open.empty());
  // A batch and two requests, each with five phases at the primary and four at the backup.
  CHECK(slices == 3 * (1 + 5) + 3 * (1 + 4));
  CHECK(text.find("client-0 5/2") != std::string::npos);
}

TEST_CASE("a batch whose moments are of two runs shows only the phases in their order") {
  phase_times restored = usual;
  restored.prepared = at(5'000);
  const auto read = json::parse(chrome_trace_text({trace_of(0, 0, restored)}));
  std::size_t begun = 0;
  for (const auto& event : read["traceEvents"])
    begun += event["ph"] == "b" ? 1 : 0;
  // wait, pre-prepare, commit and execute, without prepare.
  CHECK(begun == 3 * (1 + 4));
  CHECK(json::parse(chrome_trace_text({}))["traceEvents"].empty());
}

}  // namespace hypermesh::testing
