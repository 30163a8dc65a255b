// The table of events, and the events that observations, links and samples make.
#include <doctest/doctest.h>

#include <cerrno>
#include <cstring>

#include <fstream>
#include <set>

#include "actors/protocol/reputation/system_request.hpp"
#include "runtime/base/wrapped_text.hpp"
#include "runtime/events/event_documents.hpp"
#include "runtime/events/event_maker.hpp"
#include "runtime/events/sampled_events.hpp"

namespace hypermesh::testing {

namespace {

using kind = operator_event_kind;

constexpr replica_id self{1};
const std::filesystem::path top{HYPERMESH_SOURCE_DIR};

cluster_parameters four() {
  cluster_parameters cluster;
  cluster.checkpoint_period = 4;
  cluster.watermark_window = 8;
  return cluster;
}

/// A maker with a clock that the test moves.
struct event_bench {
  observation_events maker{four()};
  moment now{1s};

  std::optional<operator_event> of(const observation& what) { return maker.of(what, now); }
};

bool has(const std::optional<operator_event>& event, std::string_view part) {
  return event && sentence_of(*event).find(part) != std::string::npos;
}

std::string text_in(const std::optional<operator_event>& event, std::string_view name) {
  const auto* value = event ? field_in(*event, name) : nullptr;
  return value == nullptr ? "(none)" : text_of(*value);
}

replica_progress progress(std::uint64_t view, bool is_active) {
  replica_progress it;
  it.view = view_number{view};
  it.active = is_active;
  return it;
}

/// The executed batch of this sequence, with evidence against a replica that signed two COMMITs.
batch_was_executed judged_batch(sequence_number sequence, replica_id accused) {
  const auto vote = [&](std::uint8_t value) {
    statement content;
    content.view = view_number{2};
    content.sequence = sequence_number{7};
    content.value.bytes.fill(static_cast<decltype(content.value.bytes)::value_type>(value));
    content.replica = accused;
    return signed_statement{content, {}};
  };
  evidence shown;
  shown.items = {{message_kind::commit, vote(1)}, {message_kind::commit, vote(2)}};
  const auto proof = std::make_shared<const evidence>(shown);
  const auto claim = claim_in(*proof, four());
  REQUIRE(claim);
  auto body = std::make_shared<batch>();
  body->system_requests.push_back({case_name_of(*claim), proof, {}});
  batch_was_executed it;
  it.sequence = sequence;
  it.body = body;
  return it;
}

link_event of_link(link_event::what happened, std::uint32_t remote, link_error reason = link_error::closed) {
  return {happened, principal::of(replica_id{remote}), "10.0.0.9:7400", reason, {}};
}

link_event refusal(link_error reason, hello_claim claim = {}) {
  return {link_event::what::refused, std::nullopt, "10.0.0.9", reason, claim};
}

}  // namespace

// --- The table -------------------------------------------------------------------

TEST_CASE("every event has its own name, and its sentence and fields agree") {
  std::set<std::string_view> names;
  std::set<std::string_view> known;
  std::set<std::string_view> used;
  std::set<std::string_view> reserved = {"time", "level", "node", "event", "text", "left_out", "left_out_s", "why"};
  for (const auto& row : field_table()) {
    CHECK_MESSAGE(known.insert(row.name).second, row.name);
    CHECK_FALSE_MESSAGE(reserved.contains(row.name), row.name);
    CHECK(row.about.ends_with('.'));
  }
  for (std::size_t number = 0; number < event_table().size(); ++number) {
    const auto& row = event_table()[number];
    CAPTURE(row.name);
    CHECK(static_cast<std::size_t>(row.kind) == number);
    CHECK(names.insert(row.name).second);
    CHECK_FALSE(row.about.empty());
    for (const auto field : row.fields) {
      if (field.empty()) continue;
      used.insert(field);
      CHECK_MESSAGE(known.contains(field), field);
    }
    // The sentence names only fields of its event.
    for (auto rest = row.sentence; rest.find('{') != std::string_view::npos;) {
      rest.remove_prefix(rest.find('{') + 1);
      const auto name = rest.substr(0, rest.find('}'));
      CHECK_MESSAGE((name == "why" || std::ranges::find(row.fields, name) != row.fields.end()), name);
    }
  }
  CHECK(known == used);
}

TEST_CASE("every kind of event for hosts has exactly one row") {
  for (std::uint8_t number = 0; number <= static_cast<std::uint8_t>(event_kind_last); ++number) {
    const auto count =
        std::ranges::count(event_table(), std::optional{static_cast<event_kind>(number)}, &event_row::for_hosts);
    CAPTURE(number);
    CHECK(count == 1);
  }
}

TEST_CASE("the reference of the events is current, and no line of it is too long") {
  std::ifstream file{top / "runtime" / "EVENTS.md", std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  CHECK_MESSAGE(text == events_reference_text(), "make it again: hypermesh events print-reference > runtime/EVENTS.md");
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    CAPTURE(line);
    // An ellipsis has three bytes and one column.
    CHECK((line.starts_with('|') || line.starts_with('{') || line.size() <= base::line_bytes_max + 2));
    at = end + 1;
  }
}

TEST_CASE("every observation makes the events that the table names, or the table says why it makes none") {
  for (const auto& row : observation_table()) {
    CAPTURE(row.name);
    CHECK((!row.kinds.empty() || !row.reason.empty()));
  }
  // One observation of each alternative makes an event exactly if its row has one without a condition.
  const auto check = [&]<std::size_t... Number>(std::index_sequence<Number...>) {
    const auto check_one = [](std::size_t number, const observation& what) {
      const auto& row = observation_table()[number];
      CAPTURE(row.name);
      const auto event = event_bench{}.of(what);
      if (row.kinds.empty()) CHECK_FALSE(event);
      if (event) CHECK(std::ranges::find(row.kinds, event->kind) != row.kinds.end());
      if (row.reason.empty()) CHECK(event);
    };
    (check_one(Number, observation{std::in_place_index<Number>}), ...);
  };
  check(std::make_index_sequence<std::variant_size_v<observation>>{});
  CHECK(event_bench{}.of(frame_rejected{principal::of(replica_id{2}), rejection::throttled}));
  CHECK(event_bench{}.of(progress(3, false)));
  CHECK(event_bench{}.of(probation_changed{sequence_number{5}, view_number{1}, false}));
}

// --- Views -----------------------------------------------------------------------

TEST_CASE_FIXTURE(event_bench, "a change of the view is an event with its cause, once for each step") {
  CHECK_FALSE(of(progress(4, true)));
  const auto suspected = of(primary_suspected{view_number{4}, suspicion_reason::mute});
  CHECK(has(suspected, "view 4: this replica suspects the primary, replica-0: requests are pending"));
  CHECK(suspected->level == event_level::warn);
  const auto left = of(progress(5, false));
  CHECK(has(left, "left view 4, waiting for NEW-VIEW of view 5: requests are pending"));
  CHECK(text_in(left, "cause") == "mute");
  CHECK_FALSE(of(progress(5, false)));
  now += 420ms;
  const auto entered = of(view_was_entered{view_number{5}});
  CHECK(has(entered, "entered view 5, the primary is replica-1, after 420 ms"));
  CHECK(text_in(entered, "cause") == "mute");
  CHECK_FALSE(of(progress(5, true)));
  // The other replicas cause the next change.
  CHECK(text_in(of(progress(6, false)), "cause") == "others");
  CHECK(text_in(of(view_was_entered{view_number{6}}), "cause") == "others");
}

TEST_CASE_FIXTURE(event_bench, "a hand-over is the cause of the change that follows it, and of no later one") {
  CHECK_FALSE(of(progress(0, true)));
  group_request wanted;
  wanted.kind = message_kind::hand_over;
  wanted.to = view_number{1};
  wanted.cause = hand_over_cause::operators;
  CHECK(of(move_agreed{wanted, sequence_number{9}, {}}));
  CHECK(text_in(of(progress(1, false)), "cause") == "operators");
  CHECK(text_in(of(view_was_entered{view_number{1}}), "cause") == "operators");
  // The same move is executed again after a transfer.
  CHECK(of(move_agreed{wanted, sequence_number{9}, {}}));
  CHECK(text_in(of(progress(2, false)), "cause") == "others");
}

TEST_CASE_FIXTURE(event_bench, "a replica that was stopped while it waited for a view says so") {
  CHECK(text_in(of(progress(3, false)), "cause") == "restart");
  CHECK(text_in(of(view_was_entered{view_number{3}}), "cause") == "restart");
}

// --- Members ---------------------------------------------------------------------

TEST_CASE_FIXTURE(event_bench, "a conviction names the evidence, by the same name at the node that found it") {
  const auto batch = judged_batch(sequence_number{40}, replica_id{3});
  CHECK_FALSE(of(batch));
  using what = standing_changed::what;
  const auto told = [&](what happened, replica_id about, sequence_number at) {
    return of(standing_changed{happened, principal::of(about), 1, at, sequence_number{90}});
  };
  const auto convicted = told(what::convicted, replica_id{3}, sequence_number{40});
  const auto id = text_in(convicted, "evidence");
  CHECK(id.size() == 16);
  CHECK(has(convicted, "replica-3 is convicted of conflicting_votes, evidence " + id));
  const auto found = of(fault_proven{principal::of(replica_id{3}), 1, batch.body->system_requests.front().shown});
  CHECK(text_in(found, "evidence") == id);
  CHECK(text_in(told(what::quarantined, replica_id{3}, sequence_number{40}), "evidence") == id);
  // Neither another member nor another sequence has this evidence.
  CHECK(text_in(told(what::convicted, replica_id{2}, sequence_number{40}), "evidence").empty());
  CHECK(text_in(told(what::convicted, replica_id{3}, sequence_number{44}), "evidence").empty());
}

TEST_CASE_FIXTURE(event_bench, "a standing that no version of this node knows is unknown and not fatal") {
  const auto who = principal::of(replica_id{3});
  CHECK(text_in(of(standing_changed{standing_changed::what::convicted, who, 250, {}, {}}), "reason") == "unknown");
  CHECK(text_in(of(standing_changed{standing_changed::what::complained, who, 2, {}, {}}), "reason") == "flood");
  CHECK(text_in(of(fault_proven{who, 250, nullptr}), "misbehaviour") == "unknown");
}

TEST_CASE_FIXTURE(event_bench, "all clients share one subject, and each replica has its own") {
  const auto subject = [&](principal who) { return of(frame_rejected{who, rejection::client_quota})->subject; };
  CHECK(subject(principal::of(client_id{1})) == subject(principal::of(client_id{700})));
  CHECK(subject(principal::of(replica_id{1})) != subject(principal::of(replica_id{2})));
  CHECK(subject(principal::of(replica_id{0})) != subject(principal::of(client_id{0})));
}

// --- Checkpoints and state -------------------------------------------------------

TEST_CASE_FIXTURE(event_bench,
                  "a window that stays full is a lagging checkpoint, and one that is full for a moment not") {
  const auto executed = [&](std::uint64_t sequence) {
    batch_was_executed it;
    it.sequence = sequence_number{sequence};
    (void)of(it);
  };
  // After a restart the last stable checkpoint is not known at first.
  executed(20);
  CHECK_FALSE(of(progress(0, true)));
  now += 10s;
  CHECK_FALSE(of(progress(0, true)));
  maker = observation_events{four()};
  (void)of(execution_resumed{});
  executed(8);
  CHECK_FALSE(of(progress(0, true)));
  now += 1s;
  CHECK_FALSE(of(watermarks_moved{sequence_number{4}, sequence_number{12}}));
  executed(12);
  CHECK_FALSE(of(progress(0, true)));
  now += 3s;
  const auto lagging = of(progress(0, true));
  CHECK(has(lagging, "executed through sequence 12, its last stable checkpoint is 4"));
  CHECK_FALSE(of(progress(0, true)));
  const auto ended = of(watermarks_moved{sequence_number{12}, sequence_number{20}});
  REQUIRE(ended);
  CHECK(ended->kind == kind::checkpoint_lag_ended);
}

TEST_CASE_FIXTURE(event_bench, "probation is an event when it begins, changes or ends, and not in between") {
  const auto waits = of(probation_changed{});
  CHECK(has(waits, "does not vote before a quorum has reported"));
  CHECK(waits->level == event_level::info);
  const probation_changed begun{sequence_number{512}, view_number{3}, false};
  CHECK(has(of(begun), "votes only above sequence 512 and commits from view 3 on"));
  CHECK_FALSE(of(begun));
  CHECK(has(of(probation_changed{sequence_number{600}, view_number{3}, false}), "600"));
  const auto over = of(probation_changed{sequence_number{600}, view_number{3}, true});
  CHECK(has(over, "a full member again"));
  CHECK(over->level == event_level::info);
  CHECK_FALSE(of(probation_changed{sequence_number{600}, view_number{3}, true}));
  CHECK(has(of(probation_changed{sequence_number{0}, view_number{0}, true}), "has never voted"));
}

TEST_CASE("a transfer, a distrusted replica and a full disk are one event for each change") {
  sampled_events samples{self};
  node_report report;
  report.last_executed = sequence_number{77};
  CHECK_FALSE(samples.of_transfer(report));
  report.counters = {{"transfer_is_active", 1}};
  CHECK(has(samples.of_transfer(report), "through sequence 77"));
  CHECK_FALSE(samples.of_transfer(report));
  report.counters = {{"transfer_is_active", 0}};
  CHECK_FALSE(samples.of_transfer(report));

  std::vector<reputation> all(4);
  CHECK(samples.of_trust(all).empty());
  all[1].is_throttled = true;
  all[3].is_throttled = true;
  const auto changes = samples.of_trust(all);
  // A node does not say that it throttles itself.
  REQUIRE(changes.size() == 1);
  CHECK(text_in(changes.front(), "member") == "replica-3");
  CHECK(samples.of_trust(all).empty());
  all[3].is_throttled = false;
  REQUIRE(samples.of_trust(all).size() == 1);

  host_facts facts;
  facts.disks[0] = {50, 1'000};
  REQUIRE(samples.of_disks(facts.disks).size() == 1);
  facts.disks[0] = {110, 1'000};
  CHECK(samples.of_disks(facts.disks).empty());
  facts.disks[0] = {130, 1'000};
  const auto room = samples.of_disks(facts.disks);
  REQUIRE(room.size() == 1);
  CHECK(room.front().kind == kind::disk_has_room);
}

TEST_CASE("a health event warns of lost redundancy, names the reasons, and says when all replicas take part again") {
  health::health_report report;
  report.group = group_size{4};
  report.faults_tolerated = 1;
  const auto whole = health_event(report, true, {}, false);
  CHECK(whole.level == event_level::info);
  CHECK(sentence_of(whole) == "health: live true, ready true, tolerates 1 faults; all replicas take part");
  report.faults_tolerated = 0;
  report.reasons = {{replica_id{3}, health::replica_condition::silent, 0}};
  const auto worse = health_event(report, true, {}, false);
  CHECK(worse.level == event_level::warn);
  CHECK(sentence_of(worse) == "health: live true, ready true, tolerates 0 faults; degraded: replica_3_silent");
  report.faults_tolerated = 1;
  report.reasons.clear();
  const auto again = health_event(report, true, {}, true);
  CHECK(again.level == event_level::info);
  CHECK(sentence_of(again) == "health: live true, ready true, tolerates 1 faults; recovered: all replicas take part");
  CHECK(health_event(report, false, {}, false).level == event_level::warn);
}

// --- Links -----------------------------------------------------------------------

TEST_CASE("a link that is lost, fails to open or is restored is an event with address and reason") {
  link_events all;
  CHECK(has(all.of(of_link(link_event::what::up, 3)), "the link to replica-3 (10.0.0.9:7400) is up"));
  const auto lost = all.of(of_link(link_event::what::down, 3, link_error::dead_link));
  CHECK(has(lost, "is lost: nothing was received before the timeout"));
  CHECK(lost->level == event_level::warn);
  CHECK(all.of(of_link(link_event::what::down, 3, link_error::ended))->level == event_level::info);
  CHECK(has(all.of(of_link(link_event::what::dial_failed, 3, link_error::connect_failed)), "retrying"));
  // The node tries again repeatedly. The same failure makes no further event.
  CHECK_FALSE(all.of(of_link(link_event::what::dial_failed, 3, link_error::connect_failed)));
  CHECK(has(all.of(of_link(link_event::what::dial_failed, 3, link_error::bad_signature)),
            "its key is not the one in the genesis"));
  CHECK_FALSE(all.of(of_link(link_event::what::down, 2, link_error::stopped)));
}

TEST_CASE("a link that cannot be opened is explained by the error of the system") {
  const auto failed = [](int error) {
    auto what = of_link(link_event::what::dial_failed, 3, link_error::connect_failed);
    what.system_error = error;
    return what;
  };
  link_events all;
  CHECK(has(all.of(failed(ECONNREFUSED)), "nothing listens at this address"));
  for (const int error : {EHOSTUNREACH, ENETUNREACH}) {
    const auto event = all.of(failed(error));
    CHECK(has(event, std::string{"the network does not reach this address ("} + std::strerror(error) + ")"));
    CHECK_FALSE(has(event, "listens"));
  }
  const auto silent = all.of(failed(ETIMEDOUT));
  CHECK(has(silent, "nothing answers at this address"));
  CHECK(has(silent, "cable"));
  CHECK(has(all.of(failed(ENOENT)), "host name"));
  CHECK(has(all.of(failed(EACCES)), "Permission denied"));
  // Each error is reported once.
  CHECK_FALSE(all.of(failed(EACCES)));
}

TEST_CASE("a wrong peer is reported with its claimed identity") {
  const hello_claim claim{principal::of(replica_id{3}), principal::of(replica_id{0})};
  const auto refused = link_events{}.of(refusal(link_error::wrong_responder, claim));
  CHECK(has(refused, "refused a connection from 10.0.0.9 that claims to be replica-3 and dialed replica-0"));
  CHECK(has(refused, "compare the addresses in genesis.toml (wrong_responder)"));
  CHECK(refused->subject != link_events{}.of(refusal(link_error::bad_signature))->subject);
}

}  // namespace hypermesh::testing
