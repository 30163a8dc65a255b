// The planned end of a replica: it hands its view over, and finishes what it has admitted. The rest of the class is in
// hosted_replica.cpp.
#include <algorithm>

#include <fmt/format.h>

#include <caf/send.hpp>

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"
#include "messages/signing.hpp"
#include "runtime/group_watch.hpp"
#include "runtime/hosted_replica.hpp"
#include "runtime/patience.hpp"

namespace hypermesh::runtime {

namespace {

using steady = std::chrono::steady_clock;

/// How often a wait of a drain looks at the links.
constexpr std::chrono::milliseconds look_interval{100};

/// The number of other replicas with an open link.
std::uint32_t peers_linked(const health::health_report& known, replica_id self) {
  const auto gone = std::ranges::count_if(known.reasons, [self](const auto& each) {
    return each.replica != self && each.condition == health::replica_condition::unlinked;
  });
  return known.group.replicas() - 1 - static_cast<std::uint32_t>(gone);
}

/// Waits until `holds`, until `deadline`, or until the group is gone. Returns whether it holds.
template <class Holds>
bool wait_in_group(const hosted_replica& in, const node_condition& condition, group_watch& group,
                   steady::time_point deadline, const Holds& holds) {
  while (true) {
    if (condition.wait_until(std::min(deadline, steady::now() + look_interval), holds)) return true;
    if (group.is_gone(peers_linked(in.health_report(), in.self()), steady::now())) return false;
    if (steady::now() >= deadline) return false;
  }
}

}  // namespace

or_error<void> hosted_replica::drain(std::chrono::milliseconds patience) {
  if (stopped_) return {};
  const auto deadline = steady::now() + bounded(patience);
  watch_->drain();
  // The view is handed over first. If the primary refused requests, its clients would wait for a retransmission.
  const auto handed_over = hand_over(deadline);
  caf::anon_send(actors_.batcher, stop_admitting{});
  const auto has_ended = [](const auto& facts) {
    return facts.must_stop() || (!facts.is_admitting && facts.requests_pending == 0);
  };
  group_watch group{identity_.cluster.group(), steady::now()};
  (void)wait_in_group(*this, *condition_, group, deadline, has_ended);
  const auto left = condition_->facts();
  const bool is_done = !left.is_admitting && left.requests_pending == 0;
  const bool was_alone = peers_linked(health_report(), self_) + 1 < identity_.cluster.group().quorum();
  stop();
  if (!left.running) return tl::unexpected(left.running.error());
  if (handed_over && is_done) return {};
  const auto what =
      fmt::format("{}{} of its requests were not executed{}", handed_over ? "" : "it is still the primary, and ",
                  left.requests_pending, was_alone ? ", because fewer replicas than a quorum are linked" : " in time");
  return tl::unexpected(world_error{
      fmt::format("the replica stopped before it was drained: {}", what),
      was_alone ? "nothing is lost; if the whole group is stopped together, this is as it must be; otherwise stop the "
                  "replicas one after another, each when the one before is back"
                : "nothing is lost, and clients repeat what has no result; give 'drain' more time next time"});
}

void hosted_replica::hurry() { condition_->on_hurry(); }

bool hosted_replica::is_primary() const {
  return identity_.cluster.group().primary_of(condition_->facts().view) == self_;
}

bool hosted_replica::hand_over(steady::time_point deadline) {
  group_watch group{identity_.cluster.group(), steady::now()};
  constexpr std::chrono::milliseconds repeat_after{250};
  while (steady::now() < deadline && !group.was_gone()) {
    const auto facts = condition_->facts();
    const auto view = facts.view;
    if (facts.must_stop() || !is_primary()) break;
    // A primary alone may give up its own view. The other replicas get the request with the batch that contains it.
    const auto content =
        hand_over_of(self_, self_, view.next(), hand_over_cause::step_down, identity_.cluster.signing.epoch);
    const auto by = identity_.keys->sign(
        signing_input(identity_.cluster.signing, message_kind::hand_over, statement_bytes(content)));
    auto frame = decode(encode_vote(message_kind::hand_over, {content, by}));
    require(frame.has_value(), "a hand-over that this node signed is well-formed");
    caf::anon_send(actors_.fault_detector, verified_message{principal::of(self_), peer_actor{},
                                                            std::make_shared<const message>(std::move(*frame))});
    const auto next = std::min(deadline, steady::now() + repeat_after);
    (void)wait_in_group(*this, *condition_, group, next,
                        [&](const auto& now) { return now.must_stop() || now.view != view; });
  }
  return !is_primary();
}

}  // namespace hypermesh::runtime
