#include "runtime/health/assessment.hpp"

#include <algorithm>
#include <functional>

#include "actors/protocol/ordering/replica_core.hpp"
#include "messages/require.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::health {

namespace {

using std::chrono::milliseconds;

std::uint64_t count_of(milliseconds time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, time.count()));
}

/// The text as one line of at most `detail_bytes_max` bytes, which ends at the end of a character.
std::string shortened(std::string_view text) {
  constexpr unsigned char continuation_mask = 0xC0;
  constexpr unsigned char continuation = 0x80;
  auto line = base::visible_text(text);
  if (line.size() <= detail_bytes_max) return line;
  auto end = detail_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(line[end]) & continuation_mask) == continuation)
    --end;
  line.resize(end);
  return line;
}

bool is_fresh(const peer_health& peer, const health_bounds& bounds) {
  return peer.linked && peer.heard_ago && *peer.heard_ago <= bounds.silence_max;
}

/// Whether f + 1 other replicas, and so a correct one, make this claim.
bool weak_quorum_claims(const health_input& known, const std::function<bool(const peer_health&)>& claim) {
  std::uint32_t count = 0;
  for (std::uint32_t number = 0; number < known.peers.size(); ++number) {
    const auto& peer = known.peers[number];
    if (replica_id{number} != known.self && is_fresh(peer, known.bounds) && claim(peer)) ++count;
  }
  return count >= known.group.weak_quorum();
}

/// Whether the first STATUS of a replica may still arrive. Until then nothing is known about the replica.
bool is_awaited(const peer_health& peer, const health_bounds& bounds) {
  return peer.linked && !peer.heard_ago && peer.awaited_for && *peer.awaited_for <= bounds.silence_max;
}

std::uint64_t awaited_count(const health_input& known) {
  std::uint64_t count = 0;
  for (std::uint32_t number = 0; number < known.peers.size(); ++number)
    count += replica_id{number} != known.self && is_awaited(known.peers[number], known.bounds) ? 1 : 0;
  return count;
}

/// Whether the view of a replica, as it claims, has been another one for so long that the claim is not just old.
bool is_elsewhere(const peer_health& peer, view_number view, const health_bounds& bounds) {
  if (peer.view_entered && peer.view == view) return false;
  return !peer.view_differs_for || *peer.view_differs_for > bounds.view_lag_max;
}

/// How many other replicas this node hears.
std::uint64_t heard_count(const health_input& known) {
  std::uint64_t count = 0;
  for (std::uint32_t number = 0; number < known.peers.size(); ++number)
    count += replica_id{number} != known.self && is_fresh(known.peers[number], known.bounds) ? 1 : 0;
  return count;
}

/// How far this node is behind: the lag that at least one correct replica confirms.
std::uint64_t own_lag(const health_input& known) {
  std::vector<std::uint64_t> claims;
  for (std::uint32_t number = 0; number < known.peers.size(); ++number) {
    const auto& peer = known.peers[number];
    if (replica_id{number} != known.self && is_fresh(peer, known.bounds)) claims.push_back(peer.ahead);
  }
  if (claims.size() < known.group.weak_quorum()) return 0;
  std::ranges::sort(claims, std::greater{});
  return claims.at(known.group.faulty_max());
}

}  // namespace

health_bounds bounds_of(const protocol::cluster_parameters& cluster, duration status_period) {
  constexpr std::int64_t statuses_awaited = 4;
  health_bounds bounds;
  const auto status_ticks = static_cast<std::int64_t>(protocol::replica_core::idle_status_ticks);
  // Rounded up, so that a period below a millisecond does not give a bound of 0.
  bounds.silence_max = std::chrono::ceil<milliseconds>(status_period * status_ticks * statuses_awaited);
  // The node is asked every half second, whatever its status period.
  bounds.answer_max = std::max<milliseconds>(bounds.silence_max, milliseconds{2'000});
  bounds.stall_max = bounds.silence_max;
  bounds.view_lag_max = bounds.silence_max / 2;
  bounds.stuck_max = std::max(bounds.stuck_max, bounds.silence_max);
  bounds.behind_max = cluster.checkpoint_period;
  return bounds;
}

health_reason condition_without_votes(replica_id replica, const peer_health& peer, view_number view,
                                      const health_bounds& bounds) {
  const auto is = [replica](replica_condition condition, std::uint64_t number = 0) {
    return health_reason{replica, condition, number};
  };
  if (!peer.linked) return is(replica_condition::unlinked);
  if (!peer.heard_ago) {
    return is(is_awaited(peer, bounds) ? replica_condition::unreported : replica_condition::silent);
  }
  if (!is_fresh(peer, bounds)) return is(replica_condition::silent, count_of(*peer.heard_ago));
  if (peer.quarantined) return is(replica_condition::quarantined, peer.quarantined_until.value);
  if (peer.on_probation) return is(replica_condition::on_probation, peer.probation_until.value);
  if (is_elsewhere(peer, view, bounds)) {
    return is(peer.view_entered ? replica_condition::other_view : replica_condition::changing_view, peer.view.value);
  }
  if (peer.behind > bounds.behind_max) return is(replica_condition::behind, peer.behind);
  return is(replica_condition::voting);
}

health_reason condition_of(replica_id replica, const health_input& known) {
  require(replica != known.self && replica.value < known.peers.size(), "a peer is another replica of the group");
  const auto& peer = known.peers[replica.value];
  auto reason = condition_without_votes(replica, peer, known.own.view, known.bounds);
  if (reason.condition == replica_condition::voting && peer.votes_missed > known.bounds.votes_missed_max) {
    reason = {replica, replica_condition::not_voting, peer.votes_missed};
  }
  return reason;
}

health_reason own_condition_of(const health_input& known) {
  const auto& own = known.own;
  const auto& bounds = known.bounds;
  const auto is = [&known](replica_condition condition, std::uint64_t number = 0, std::string_view detail = {}) {
    return health_reason{known.self, condition, number, shortened(detail)};
  };
  if (own.failure) return is(replica_condition::failed, 0, *own.failure);
  if (own.stopped) return is(replica_condition::stopped);
  if (own.since_step > bounds.silence_max || own.since_answer > bounds.answer_max) {
    return is(replica_condition::stuck, count_of(std::max(own.since_step, own.since_answer)));
  }
  if (own.draining) return is(replica_condition::draining);
  if (own.diverged) return is(replica_condition::diverged);
  if (own.machine_complaint) return is(replica_condition::blocked, 0, *own.machine_complaint);
  if (const auto heard = heard_count(known); heard + 1 < known.group.quorum()) {
    const bool is_starting = heard + awaited_count(known) + 1 >= known.group.quorum();
    return is_starting ? is(replica_condition::unreported) : is(replica_condition::isolated, heard);
  }
  // A probation makes no progress without a quorum, so the missing quorum is the reason to name first.
  if (own.on_probation) return is(replica_condition::on_probation, own.probation_until.value);
  if (own.waiting_for_view.value_or(milliseconds{0}) > bounds.stall_max) {
    return is(replica_condition::changing_view, own.view.value);
  }
  if (own.lacks_state.value_or(milliseconds{0}) > bounds.stall_max) return is(replica_condition::fetching_state);
  if (own.not_executing.value_or(milliseconds{0}) > bounds.stall_max) {
    return is(replica_condition::not_executing, count_of(*own.not_executing));
  }
  // At least one correct replica is in a later view, so this replica is the one that is in another view.
  const auto is_later = [&own](const peer_health& peer) { return peer.view_entered && peer.view > own.view; };
  if (weak_quorum_claims(known, is_later)) return is(replica_condition::other_view, own.view.value);
  if (const auto lag = own_lag(known); lag > bounds.behind_max) return is(replica_condition::behind, lag);
  return is(replica_condition::voting);
}

health_report assess(const health_input& known) {
  require(known.group.contains(known.self) && known.peers.size() == known.group.replicas(), "one entry per replica");
  health_findings found;
  found.group = known.group;
  found.self = known.self;
  found.primary = known.group.primary_of(known.own.view);
  for (std::uint32_t number = 0; number < known.group.replicas(); ++number) {
    const replica_id replica{number};
    const auto reason = replica == known.self ? own_condition_of(known) : condition_of(replica, known);
    if (reason.condition == replica_condition::voting) continue;
    found.faults.push_back(reason);
    if (replica == known.self) found.ready = false;
  }
  const auto& own = known.own;
  found.live = !own.failure && !own.stopped && own.since_step <= known.bounds.stuck_max &&
               own.since_answer <= known.bounds.stuck_max;
  if (!own.keeps_disk) found.not_restartable.insert(known.self);
  auto report = conclude(found);
  report.draining = own.draining;
  // A node without a view is ready for a short while, but the group does not serve clients meanwhile.
  const auto differs = [](const peer_health& peer) { return peer.view_differs_for.has_value(); };
  if (own.waiting_for_view || std::ranges::any_of(known.peers, differs)) report.safe_to_restart.clear();
  return report;
}

health_report conclude(const health_findings& found) {
  const auto group = found.group;
  const auto faults = static_cast<std::uint32_t>(found.faults.size()) + found.disputed_faults;
  require(faults <= group.replicas() && found.disputed_faults <= found.disputed.size(), "a replica is counted once");
  health_report report;
  report.group = group;
  report.self = found.self;
  report.live = found.live;
  report.ready = found.live && found.ready;
  report.primary = found.primary;
  report.reasons = found.faults;
  report.reasons.insert(report.reasons.end(), found.disputed.begin(), found.disputed.end());
  std::ranges::sort(report.reasons, {}, &health_reason::replica);
  report.voting = group.replicas() - faults;
  report.service_possible = report.voting >= group.quorum();
  report.faults_tolerated = group.faulty_max() > faults ? group.faulty_max() - faults : 0;
  const auto is_named = [&report](replica_id replica) {
    return std::ranges::binary_search(report.reasons, replica, {}, &health_reason::replica);
  };
  const auto trusted = group.replicas() - static_cast<std::uint32_t>(report.reasons.size());
  if (!report.ready || report.faults_tolerated == 0 || trusted < group.quorum() + 1) return report;
  // Without a primary that takes part the group is about to change its view, and serves nobody meanwhile.
  if (!found.primary || is_named(*found.primary)) return report;
  for (std::uint32_t number = 0; number < group.replicas(); ++number) {
    const replica_id replica{number};
    if (is_named(replica) || replica == *found.primary || found.not_restartable.contains(replica)) continue;
    report.safe_to_restart.push_back(replica);
  }
  require(std::ranges::is_sorted(report.safe_to_restart), "the replicas are in ascending order");
  return report;
}

}  // namespace hypermesh::health
