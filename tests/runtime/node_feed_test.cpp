#include "runtime/feed/node_feed.hpp"

#include <doctest/doctest.h>

#include <future>

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/codec.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::feed;

namespace {

constexpr std::chrono::milliseconds at_once{0};
/// What a host passes that wants to wait until there is something.
constexpr auto for_ever = std::chrono::milliseconds::max();
constexpr std::chrono::seconds deadline{60};

const request_factory& factory() {
  static const request_factory made{small_cluster(4)};
  return made;
}

std::shared_ptr<node_feed> feed_of_replica_2(kept_evidence keeps = kept_evidence::none) {
  return std::make_shared<node_feed>(replica_id{2}, factory().cluster(), keeps);
}

/// Replica 3 sent two COMMITs for `sequence`.
fault_proven equivocation(std::uint64_t sequence) {
  evidence shown;
  for (const auto* value : {"a", "b"}) {
    const auto content =
        factory().content_of(replica_id{3}, view_number{0}, sequence_number{sequence}, named_digest(value));
    shown.items.push_back({message_kind::commit, factory().signed_as(message_kind::commit, content)});
  }
  return {principal::of(replica_id{3}), 1, std::make_shared<const evidence>(std::move(shown))};
}

}  // namespace

TEST_CASE("a subscriber that waits for ever is woken by the next event") {
  const auto feed = feed_of_replica_2();
  auto events = events_of(feed);
  auto next = std::async(std::launch::async, [&] { return events->next(for_ever); });
  // A patience that overflows the clock ends at once, with nothing.
  CHECK(next.wait_for(std::chrono::milliseconds{50}) == std::future_status::timeout);
  feed->on_observation(view_was_entered{view_number{4}});
  REQUIRE(next.wait_for(deadline) == std::future_status::ready);
  const auto event = next.get();
  REQUIRE(event);
  CHECK(event->view == view_number{4});
  auto operations = operations_of(feed, std::nullopt);
  auto item = std::async(std::launch::async, [&] { return operations->next(for_ever); });
  CHECK(item.wait_for(std::chrono::milliseconds{50}) == std::future_status::timeout);
  feed->on_observation(execution_resumed{sequence_number{9}});
  REQUIRE(item.wait_for(deadline) == std::future_status::ready);
  CHECK(item.get());
}

TEST_CASE("a stream is over when the replica has stopped and the subscriber has everything") {
  const auto feed = feed_of_replica_2();
  auto events = events_of(feed);
  auto operations = operations_of(feed, operation_position{sequence_number{1}});
  CHECK_FALSE(events->next(at_once));
  CHECK_FALSE(events->is_over());
  feed->on_observation(view_was_entered{view_number{1}});
  feed->on_observation(view_was_entered{view_number{2}});
  feed->on_observation(execution_resumed{sequence_number{5}});
  feed->close();
  CHECK_FALSE(events->is_over());
  CHECK_FALSE(operations->is_over());
  CHECK(events->next(at_once));
  CHECK_FALSE(events->is_over());
  CHECK(events->next(at_once));
  CHECK(events->is_over());
  CHECK_FALSE(events->next(for_ever));
  // The gap before the first sequence that this run executes.
  CHECK(operations->next(at_once));
  CHECK(operations->is_over());
  CHECK_FALSE(operations->next(for_ever));
}

TEST_CASE("a replica that is drained twice says so once, and a failure is an event about the replica") {
  const auto feed = feed_of_replica_2();
  auto events = events_of(feed);
  feed->on_draining();
  feed->on_draining();
  feed->on_failure({"the disk is gone\n", ""});
  const auto draining = events->next(at_once);
  REQUIRE(draining);
  CHECK(draining->kind == event_kind::draining);
  CHECK(draining->about == principal::of(replica_id{2}));
  const auto failed = events->next(at_once);
  REQUIRE(failed);
  CHECK(failed->kind == event_kind::failed);
  CHECK(failed->text == "the disk is gone\\n");
  CHECK_FALSE(events->next(at_once));
}

TEST_CASE("clients cannot displace the events of a node with queries that fail") {
  const auto feed = feed_of_replica_2();
  feed->on_observation(view_was_entered{view_number{7}});
  for (std::size_t count = 0; count < 2 * event_log::events_max; ++count)
    feed->on_observation(query_failed{"it threw"});
  const auto page = feed->events_from(1, event_log::events_max);
  CHECK(page.dropped == 0);
  REQUIRE(page.events.size() >= 2);
  // The queries may fill a burst, and one more if the test takes longer than a period.
  CHECK(page.events.size() <= 1 + runtime::event_limiter::burst + 1);
  CHECK(page.events[0].kind == event_kind::view_entered);
  CHECK(page.events[1].kind == event_kind::query_failed);
}

TEST_CASE("the newest evidence is kept as frames that every member can verify, if somebody can ask for it") {
  const auto forgetful = feed_of_replica_2();
  forgetful->on_observation(equivocation(1));
  CHECK(forgetful->evidence().empty());
  const auto feed = feed_of_replica_2(kept_evidence::newest);
  for (std::uint64_t sequence = 1; sequence <= node_feed::evidence_max + 6; ++sequence)
    feed->on_observation(equivocation(sequence));
  // Evidence without a document, or that convicts nobody, is no evidence.
  feed->on_observation(fault_proven{principal::of(replica_id{3}), 1, nullptr});
  feed->on_observation(fault_proven{principal::of(replica_id{3}), 1, std::make_shared<const evidence>()});
  const auto found = feed->evidence();
  REQUIRE(found.size() == node_feed::evidence_max);
  CHECK(found.front().accused == principal::of(replica_id{3}));
  const auto first = decode(found.front().frame);
  REQUIRE(first);
  const auto about = claim_in(std::get<system_request>(*first), factory().cluster());
  REQUIRE(about);
  // The six oldest pieces are gone.
  CHECK(case_name_of(*about) == case_name_of(*claim_in(*equivocation(7).proof, factory().cluster())));
  CHECK(case_name_of(*about) != case_name_of(*claim_in(*equivocation(6).proof, factory().cluster())));
}
