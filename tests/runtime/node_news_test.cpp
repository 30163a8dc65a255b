#include <doctest/doctest.h>

#include <fmt/format.h>

#include "actors/protocol/reputation/system_request.hpp"
#include "runtime/node_news.hpp"

namespace hypermesh::testing {

namespace {

constexpr replica_id self{1};
constexpr std::uint32_t four = 4;

/// What the log of replica 1 has to say about the observation. The lines of one test stand at one moment.
std::optional<news> line_of(node_news& all, const observation& what, node_news::time now = {}) {
  return all.of(what, now);
}

bool has(const std::optional<news>& told, std::string_view part) {
  return told && told->line.find(part) != std::string::npos;
}

link_event of_link(link_event::what happened, std::uint32_t remote, link_error reason = link_error::closed) {
  return {happened, principal::of(replica_id{remote}), "10.0.0.9:7400", reason, {}};
}

link_event refusal(link_error reason, hello_claim claim = {}) {
  return {link_event::what::refused, std::nullopt, "10.0.0.9", reason, claim};
}

}  // namespace

TEST_CASE("a change of the view is logged with its reason, once for each step") {
  node_news all{self, four};
  const auto suspected = line_of(all, primary_suspected{view_number{4}, suspicion_reason::mute});
  CHECK(has(suspected, "view 4: this replica suspects the primary, replica-0: requests are pending"));
  CHECK(suspected->level == news_level::warning);
  CHECK(has(line_of(all, replica_progress{view_number{5}, false, {}, 0}), "waiting for NEW-VIEW of view 5"));
  CHECK_FALSE(line_of(all, replica_progress{view_number{5}, false, {}, 3}));
  const auto entered = line_of(all, view_was_entered{view_number{5}});
  CHECK(has(entered, "entered view 5, the primary is this replica; the previous primary was suspected because"));
  CHECK_FALSE(line_of(all, replica_progress{view_number{5}, true, {}, 0}));
  // The other replicas caused the next change.
  CHECK(has(line_of(all, replica_progress{view_number{6}, false, {}, 0}), "other replicas suspect the primary"));
  const auto next = line_of(all, view_was_entered{view_number{6}});
  CHECK(has(next, "entered view 6, the primary is replica-2"));
  CHECK_FALSE(has(next, "because"));
}

TEST_CASE("the own quarantine and release are logged, and those of others") {
  node_news all{self, four};
  using what = standing_changed::what;
  const auto told = [&](what happened, replica_id about, std::uint8_t reason = 1) {
    return line_of(all,
                   standing_changed{happened, principal::of(about), reason, sequence_number{40}, sequence_number{90}});
  };
  CHECK(has(told(what::convicted, self), "this replica is convicted of "));
  CHECK(has(told(what::quarantined, self), "this replica is in quarantine from sequence 40 until 90"));
  CHECK(has(told(what::released, self), "this replica is released from quarantine at sequence 40"));
  CHECK(has(told(what::quarantined, replica_id{3}), "replica-3 is in quarantine"));
  CHECK(has(told(what::complained, replica_id{3}, 2), "complain about replica-3: flood"));
  CHECK(has(told(what::convicted, replica_id{3}, 250), "unknown"));
}

TEST_CASE("probation is logged when it begins, changes or ends, and not in between") {
  node_news all{self, four};
  const probation_changed begun{sequence_number{512}, view_number{3}, false};
  CHECK(has(line_of(all, begun), "on probation"));
  CHECK(has(node_news{self, four}.of(begun, {}), "votes above sequence 512 and commits from view 3 on"));
  CHECK_FALSE(line_of(all, begun));
  CHECK(has(line_of(all, probation_changed{sequence_number{600}, view_number{3}, false}), "600"));
  CHECK(has(line_of(all, probation_changed{sequence_number{600}, view_number{3}, true}), "probation ended"));
  CHECK_FALSE(line_of(all, probation_changed{sequence_number{600}, view_number{3}, true}));
}

TEST_CASE("frequent events are not logged") {
  node_news all{self, four};
  CHECK_FALSE(line_of(all, batcher_progress{9, 9}));
  CHECK_FALSE(line_of(all, replica_progress{view_number{0}, true, {}, 4}));
  CHECK_FALSE(line_of(all, watermarks_moved{sequence_number{1}, sequence_number{9}}));
}

TEST_CASE("a link that is lost, fails to open or is restored is logged with address and reason") {
  link_news all{self};
  const link_news::time now{};
  CHECK(has(all.of(of_link(link_event::what::up, 3), now), "the link to replica-3 (10.0.0.9:7400) is up"));
  const auto lost = all.of(of_link(link_event::what::down, 3, link_error::dead_link), now);
  CHECK(has(lost, "is lost: nothing was received before the timeout"));
  CHECK(lost->level == news_level::warning);
  CHECK(has(all.of(of_link(link_event::what::dial_failed, 3, link_error::connect_failed), now), "retrying"));
  // The node tries again repeatedly. The same failure makes no further line.
  CHECK_FALSE(all.of(of_link(link_event::what::dial_failed, 3, link_error::connect_failed), now));
  CHECK(has(all.of(of_link(link_event::what::dial_failed, 3, link_error::bad_signature), now),
            "its key is not the one in the genesis"));
  CHECK_FALSE(all.of(of_link(link_event::what::down, 2, link_error::stopped), now));
}

TEST_CASE("a wrong peer is logged with its claimed identity") {
  link_news all{self};
  const hello_claim claim{principal::of(replica_id{3}), principal::of(replica_id{0})};
  const auto told = all.of(refusal(link_error::wrong_responder, claim), {});
  CHECK(has(told, "refused a connection from 10.0.0.9 that claims to be replica-3 and dialed replica-0"));
  CHECK(has(told, "compare the addresses in genesis.toml (wrong_responder)"));
  CHECK(told->level == news_level::warning);
}

TEST_CASE("strangers cannot fill the log, and omitted lines are counted") {
  link_news all{self};
  link_news::time now{};
  std::size_t lines = 0;
  for (int attempt = 0; attempt < 1'000; ++attempt)
    lines += all.of(refusal(link_error::not_hypermesh), now) ? 1 : 0;
  CHECK(lines <= 5);
  CHECK(has(all.of(refusal(link_error::bad_signature), now), "bad_signature"));
  now += std::chrono::minutes{10};
  const auto later = all.of(refusal(link_error::not_hypermesh), now);
  CHECK(has(later, fmt::format("({} similar lines omitted)", 1'000 - lines)));
}

TEST_CASE("clients cannot fill the log with queries that fail") {
  node_news all{self, four};
  node_news::time now{};
  std::size_t lines = 0;
  for (int attempt = 0; attempt < 1'000; ++attempt)
    lines += line_of(all, query_failed{"it threw"}, now) ? 1 : 0;
  CHECK(lines >= 1);
  CHECK(lines <= 5);
  // Other news are not limited by them.
  CHECK(line_of(all, view_was_entered{view_number{5}}, now));
  now += std::chrono::minutes{10};
  CHECK(has(line_of(all, query_failed{"it threw"}, now), fmt::format("({} similar lines omitted)", 1'000 - lines)));
}

TEST_CASE("a link that flaps cannot fill the log") {
  link_news all{self};
  std::size_t lines = 0;
  for (int change = 0; change < 1'000; ++change) {
    const auto happened = change % 2 == 0 ? link_event::what::up : link_event::what::down;
    lines += all.of(of_link(happened, 3), {}) ? 1 : 0;
  }
  CHECK(lines <= 5);
}

TEST_CASE("no bytes of a stranger steer the terminal of the log") {
  link_news all{self};
  auto event = refusal(link_error::not_hypermesh);
  event.address = "\x1b[2J";
  const auto told = all.of(event, {});
  REQUIRE(told);
  CHECK(told->line.find('\x1b') == std::string::npos);
}

}  // namespace hypermesh::testing
