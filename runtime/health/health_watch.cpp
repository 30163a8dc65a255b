#include "runtime/health/health_watch.hpp"

#include <algorithm>
#include <set>

#include "messages/require.hpp"

namespace hypermesh::health {

namespace {

std::chrono::milliseconds since(health_time then, health_time now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::max(now, then) - then);
}

/// Keeps the time at which a condition began to hold; nothing while it does not hold.
void begin_or_end(std::optional<health_time>& since_when, bool holds, health_time now) {
  if (!holds) {
    since_when.reset();
  } else if (!since_when) {
    since_when = now;
  }
}

std::uint64_t distance(sequence_number from, sequence_number to) { return to > from ? to.value - from.value : 0; }

}  // namespace

/// Translates one observation into facts. Observations without a meaning for the health are ignored.
struct health_watch::noting {
  health_watch& into;
  health_time now;

  void operator()(const replica_progress& it) const {
    into.stepped_at_ = now;
    into.own_.view = it.view;
    into.own_.diverged = it.diverged;
    for (auto& each : into.peers_)
      into.compare_views(each, now);
    begin_or_end(into.view_left_at_, !it.active, now);
    begin_or_end(into.lacks_state_since_, it.lacks_state, now);
  }
  void operator()(const status_was_heard& it) const {
    auto* peer = into.peer(it.replica);
    if (peer == nullptr) return;
    into.forgive_votes(*peer, now);
    peer->heard_at = now;
    peer->facts.view = it.view;
    peer->facts.view_entered = it.active;
    peer->facts.on_probation = it.on_probation;
    peer->facts.behind = distance(it.last_decided, into.executed_);
    peer->facts.ahead = distance(into.executed_, it.last_decided);
    into.compare_views(*peer, now);
  }
  void operator()(const slot_committed& it) const {
    // A verified COMMIT proves that its sender has entered the view. It comes before the next STATUS.
    for (const auto& each : it.content.certificate->commits) {
      auto* peer = into.peer(each.content.replica);
      if (peer == nullptr || it.content.view < peer->facts.view) continue;
      peer->facts.view = it.content.view;
      peer->facts.view_entered = true;
      into.compare_views(*peer, now);
    }
    std::set<replica_id> voters;
    for (const auto& each : it.content.certificate->commits)
      voters.insert(each.content.replica);
    for (std::uint32_t number = 0; number < into.peers_.size(); ++number)
      into.count_vote(replica_id{number}, voters.contains(replica_id{number}), now);
    into.set_committed(it.content.sequence, now);
  }
  void operator()(const frame_rejected& it) const {
    // A vote that arrives after the decision is not verified, so it is only a hint that a slow replica still votes. One
    // hint makes up for one batch, because a late CHECKPOINT has the same reason: a replica that sends only CHECKPOINTs
    // gives one hint in a checkpoint period, and a slow voter two in each batch.
    if (it.reason != rejection::already_decided || !it.sender.is_replica()) return;
    auto* peer = into.peer(replica_id{it.sender.number});
    if (peer != nullptr && peer->facts.votes_missed > 0) --peer->facts.votes_missed;
  }
  void operator()(const batch_was_executed& it) const { into.set_executed(it.sequence, now); }
  void operator()(const execution_resumed& it) const { into.set_executed(it.last_executed, now); }
  void operator()(const state_was_installed& it) const { into.set_executed(it.sequence, now); }
  void operator()(const probation_changed& it) const {
    into.own_.on_probation = !it.over;
    into.own_.probation_until = it.floor;
  }
  void operator()(const move_agreed& it) const {
    if (it.wanted.kind != message_kind::readmission) return;
    if (it.wanted.about == into.subject_.self) {
      into.own_.probation_until = it.through;
    } else if (auto* peer = into.peer(it.wanted.about)) {
      peer->facts.probation_until = it.through;
    }
  }
  void operator()(const node_failed& it) const { into.fail(it.error); }
  template <class Other>
  void operator()(const Other&) const {}
};

health_watch::health_watch(const health_subject& subject, health_time start)
    : subject_(subject),
      bounds_(bounds_of(subject.cluster, subject.status_period)),
      peers_(subject.cluster.replicas),
      stepped_at_(start),
      answered_at_(start) {
  require(subject.cluster.group().contains(subject.self), "a node watches its own group");
  own_.keeps_disk = subject.keeps_disk;
  begin(start);
}

void health_watch::begin(health_time now) {
  stepped_at_ = answered_at_ = now;
  for (auto& each : peers_)
    each.awaited_since = now;
}

/// Null for this node itself and for a number outside of the group.
health_watch::peer_notes* health_watch::peer(replica_id replica) {
  const bool is_other = replica != subject_.self && replica.value < peers_.size();
  return is_other ? &peers_[replica.value] : nullptr;
}

void health_watch::note(const observation& what, health_time now) { std::visit(noting{*this, now}, what); }

void health_watch::on_link(replica_id replica, bool up, health_time now) {
  auto* about = peer(replica);
  if (about == nullptr) return;
  about->facts.linked = up;
  about->heard_at.reset();
  about->awaited_since = now;
  about->facts.on_probation = false;
}

void health_watch::on_answers(const std::vector<reputation>& agreed, health_time now) {
  answered_at_ = now;
  for (std::size_t number = 0; number < peers_.size() && number < agreed.size(); ++number) {
    const auto& standing = agreed[number].agreed;
    auto& facts = peers_[number].facts;
    // A convicted replica whose quarantine has not begun yet is as faulty as one in quarantine.
    facts.quarantined = standing.is_quarantined() || standing.awaits_quarantine;
    facts.quarantined_until = facts.quarantined ? standing.quarantined_until : sequence_number{0};
  }
}

void health_watch::fail(const world_error& error) {
  if (!own_.failure) own_.failure = error.what;
}

/// A replica that is known to be down, or to lag, has no vote to miss. Otherwise it would count as mute after its
/// return to a group that is idle.
void health_watch::count_vote(replica_id replica, bool has_voted, health_time now) {
  auto& missed = peers_[replica.value].facts.votes_missed;
  if (has_voted) missed = 0;
  if (has_voted || missed >= 2 * bounds_.votes_missed_max || peers_[replica.value].differs_since) return;
  const auto facts = facts_of(peers_[replica.value], now);
  const auto otherwise = condition_without_votes(replica, facts, own_.view, bounds_);
  if (otherwise.condition == replica_condition::voting) ++missed;
}

peer_health health_watch::facts_of(const peer_notes& peer, health_time now) {
  auto facts = peer.facts;
  if (peer.heard_at) {
    facts.heard_ago = since(*peer.heard_at, now);
    if (peer.differs_since) facts.view_differs_for = since(*peer.differs_since, now);
  } else {
    facts.awaited_for = since(peer.awaited_since, now);
  }
  return facts;
}

void health_watch::compare_views(peer_notes& peer, health_time now) const {
  const bool differs = peer.heard_at && (!peer.facts.view_entered || peer.facts.view != own_.view);
  begin_or_end(peer.differs_since, differs, now);
}

/// A replica that returns after a silence may have missed its votes because the link was cut, before the silence was
/// noticed. An idle group gives it no batch for which it could vote. So it gets the benefit of the doubt until the next
/// batch without its vote: a replica that is mute gains nothing by sending fewer STATUSes.
void health_watch::forgive_votes(peer_notes& peer, health_time now) const {
  if (peer.heard_at && since(*peer.heard_at, now) <= bounds_.silence_max / 2) return;
  peer.facts.votes_missed = std::min(peer.facts.votes_missed, bounds_.votes_missed_max);
}

void health_watch::set_committed(sequence_number sequence, health_time now) {
  committed_ = std::max(committed_, sequence);
  begin_or_end(waits_since_, committed_ > executed_, now);
}

void health_watch::set_executed(sequence_number sequence, health_time now) {
  executed_ = sequence;
  waits_since_.reset();
  if (committed_ > executed_) waits_since_ = now;
}

health_input health_watch::known_at(health_time now) const {
  health_input known{subject_.cluster.group(), subject_.self, bounds_, own_, {}};
  known.own.since_step = since(stepped_at_, now);
  known.own.since_answer = since(answered_at_, now);
  if (view_left_at_) known.own.waiting_for_view = since(*view_left_at_, now);
  if (lacks_state_since_) known.own.lacks_state = since(*lacks_state_since_, now);
  if (waits_since_) known.own.not_executing = since(*waits_since_, now);
  known.peers.reserve(peers_.size());
  for (const auto& each : peers_)
    known.peers.push_back(facts_of(each, now));
  return known;
}

health_report shared_health_watch::report(health_time now, std::chrono::milliseconds machine_patience) const {
  auto known = known_at(now);
  if (machine_) known.own.machine_complaint = machine_(machine_patience);
  return assess(known);
}

}  // namespace hypermesh::health
