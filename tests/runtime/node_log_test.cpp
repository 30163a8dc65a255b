// The lines of the log, their bounds, and the rate of each kind.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "runtime/events/node_log.hpp"

namespace hypermesh::testing {

namespace {

using kind = operator_event_kind;
using nlohmann::json;

/// A log with a clock that the test moves. It keeps its lines.
struct log_bench {
  moment now{100s};
  std::vector<std::string> lines;

  node_log log{{log_format::json, log_level::info}, replica_id{1}, cluster_parameters{}, ports()};

  node_log::ports ports() {
    return {[this] { return now; }, [] { return wall_time{std::chrono::milliseconds{1'795'802'637'042}}; },
            [this](event_level, const std::string& line) { lines.push_back(line); }};
  }
  std::size_t lines_with(std::string_view part) const {
    return static_cast<std::size_t>(
        std::ranges::count_if(lines, [&](const auto& each) { return each.find(part) != std::string::npos; }));
  }
};

operator_event refused(std::string address, link_error reason = link_error::not_hypermesh) {
  const auto event = link_events{}.of({link_event::what::refused, std::nullopt, std::move(address), reason, {}});
  REQUIRE(event);
  return *event;
}

}  // namespace

TEST_CASE("a line has time, level, node, event and sentence, in both formats") {
  const auto event = event_of(kind::link_up, {{"member", std::string{"replica-3"}}, {"address", std::string{"h:1"}}});
  const log_heading heading{wall_time{std::chrono::milliseconds{1'795'802'637'042}}, "replica-1"};
  CHECK(log_line(log_format::text, heading, event) ==
        "2026-11-27T18:03:57.042Z info replica-1 link_up: the link to replica-3 (h:1) is up\n");
  CHECK(log_line(log_format::json, heading, event) ==
        R"({"time":"2026-11-27T18:03:57.042Z","level":"info","node":"replica-1","event":"link_up",)"
        R"("text":"the link to replica-3 (h:1) is up","member":"replica-3","address":"h:1"})"
        "\n");
  CHECK(log_line(log_format::text, heading, event, {kind::link_up, 12, 31s}) ==
        "2026-11-27T18:03:57.042Z info replica-1 link_up: the link to replica-3 (h:1) is up "
        "(12 more of this kind left out in 31 s)\n");
}

TEST_CASE("RFC 3339 has milliseconds and UTC, also at the edges") {
  CHECK(rfc3339(wall_time{}) == "1970-01-01T00:00:00.000Z");
  CHECK(rfc3339(wall_time{std::chrono::milliseconds{951'782'399'999}}) == "2000-02-28T23:59:59.999Z");
  CHECK(rfc3339(wall_time{std::chrono::milliseconds{-1}}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("no bytes of a stranger end a line, steer a terminal or break the JSON") {
  const std::string hostile = "a\nb\r\x1b[2J\x7f\"\\\xff\xe2\x80\xae}{" + std::string(1, '\0') + "z";
  for (const auto format : {log_format::text, log_format::json}) {
    const auto line = log_line(format, {{}, "replica-1"}, refused(hostile));
    CAPTURE(line);
    CHECK(line.find('\n') == line.size() - 1);
    for (const char letter : line.substr(0, line.size() - 1))
      CHECK((static_cast<unsigned char>(letter) >= 0x20 && letter != 0x7f));
    CHECK(line.find("\xe2\x80\xae") == std::string::npos);
    if (format == log_format::json) {
      const auto parsed = json::parse(line);
      CHECK(parsed["event"] == "connection_refused");
      CHECK(parsed["address"].get<std::string>().starts_with("a\\nb\\r\\x1b"));
    }
  }
}

TEST_CASE("the longest texts make a line of bounded length that is still JSON") {
  for (const auto& text : {std::string(100'000, '"'), std::string(100'000, '\\'), std::string(100'000, '\x01')}) {
    for (const auto& row : event_table()) {
      std::vector<event_field> fields;
      for (const auto name : row.fields) {
        if (!name.empty()) fields.push_back({name, text});
      }
      const auto event = event_of(row.kind, fields, "because");
      for (const auto format : {log_format::text, log_format::json}) {
        const auto line = log_line(format, {{}, "replica-4294967295"}, event, {row.kind, ~std::uint64_t{0}, 1h});
        CHECK(line.size() <= log_line_bytes_max);
        if (format == log_format::json) CHECK(json::accept(line));
      }
    }
  }
  // A cut does not divide a character.
  std::string letters;
  for (int count = 0; count < 1'000; ++count)
    letters += "é";
  const auto cut = text_of(event_value{letters});
  CHECK(cut.size() <= field_bytes_max);
  CHECK(json(cut).dump().ends_with("é...\""));
}

TEST_CASE_FIXTURE(log_bench, "strangers cannot fill the log, and each line says what was left out before it") {
  for (int attempt = 0; attempt < 1'000; ++attempt)
    log.note(refused("10.0.0.9"));
  CHECK(lines.size() == event_limiter::burst);
  // Another reason and another kind are not affected.
  log.note(refused("10.0.0.9", link_error::bad_signature));
  log.on_observation(view_was_entered{view_number{3}});
  CHECK(lines.size() == event_limiter::burst + 2);
  now += 11s;
  log.note(refused("10.0.0.9"));
  const auto later = json::parse(lines.back());
  CHECK(later["left_out"] == 1'000 - event_limiter::burst);
  CHECK(later["left_out_s"] == 11);
  // The count begins again.
  now += 11s;
  log.note(refused("10.0.0.9"));
  CHECK_FALSE(json::parse(lines.back()).contains("left_out"));
}

TEST_CASE_FIXTURE(log_bench, "a flood that ends is reported although nothing follows it") {
  for (int attempt = 0; attempt < 20; ++attempt)
    log.note(refused("10.0.0.9"));
  log.report_omissions();
  CHECK(lines_with("events_left_out") == 0);
  now += 31s;
  log.report_omissions();
  REQUIRE(lines_with("events_left_out") == 1);
  const auto told = json::parse(lines.back());
  CHECK(told["text"] == "12 more of connection_refused left out in 31 s");
  CHECK(told["count"] == 12);
  now += 31s;
  log.report_omissions();
  CHECK(lines_with("events_left_out") == 1);
}

TEST_CASE_FIXTURE(log_bench, "a flood of one client hides no conviction of a replica") {
  for (std::uint32_t number = 0; number < 1'000; ++number) {
    const auto who = principal::of(client_id{number});
    log.on_observation(standing_changed{standing_changed::what::convicted, who, 5, sequence_number{number}, {}});
  }
  CHECK(lines.size() == event_limiter::burst);
  const auto accused = principal::of(replica_id{3});
  log.on_observation(standing_changed{standing_changed::what::convicted, accused, 1, sequence_number{9}, {}});
  CHECK(lines_with("replica-3 is convicted") == 1);
}

TEST_CASE_FIXTURE(log_bench, "a link that flaps cannot fill the log") {
  for (int change = 0; change < 1'000; ++change) {
    const auto happened = change % 2 == 0 ? link_event::what::up : link_event::what::down;
    log.on_link({happened, principal::of(replica_id{3}), "h:1", link_error::closed, {}});
  }
  CHECK(lines.size() == 2 * event_limiter::burst);
}

TEST_CASE("subjects that a peer could choose do not make the limiter grow") {
  event_limiter limiter;
  auto event = refused("10.0.0.9");
  std::size_t passed = 0;
  for (std::uint32_t subject = 0; subject < 100'000; ++subject) {
    event.subject = subject;
    passed += limiter.admit(event, moment{}).passes ? 1 : 0;
  }
  // All subjects beyond the bound share one rate.
  CHECK(passed == event_limiter::entries_max + event_limiter::burst);
}

TEST_CASE("the log shows nothing below its level, and a hidden event uses no allowance") {
  log_bench bench;
  node_log quiet{{log_format::text, log_level::warn}, replica_id{1}, cluster_parameters{}, bench.ports()};
  for (int count = 0; count < 100; ++count)
    quiet.on_observation(view_was_entered{view_number{3}});
  CHECK(bench.lines.empty());
  quiet.on_observation(primary_suspected{view_number{3}, suspicion_reason::slow});
  CHECK(bench.lines.size() == 1);
  node_log off{{log_format::text, log_level::off}, replica_id{1}, cluster_parameters{}, bench.ports()};
  off.on_observation(node_failed{{"the disk is full", "free space"}});
  CHECK(bench.lines.size() == 1);
}

}  // namespace hypermesh::testing
