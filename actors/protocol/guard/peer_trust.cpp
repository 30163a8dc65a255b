#include "actors/protocol/guard/peer_trust.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

constexpr std::size_t settled_max = 64;

complaint_reason complaint_reason_of(rejection reason) {
  // A correct replica stays far below the frame rate, so frames above it are a flood (attack 33).
  return reason == rejection::throttled ? complaint_reason::flood : complaint_reason::garbage;
}

/// Whether a correct replica can cause this rejection without any fault. For example, it relays requests of faulty
/// clients, its message depends on a state that this replica does not have, or many of its messages arrive at once.
/// These rejections are not counted against the sender.
bool may_be_innocent(rejection reason) {
  return is_benign(reason) || reason == rejection::client_quota || reason == rejection::overloaded ||
         reason == rejection::stale_timestamp || reason == rejection::conflicting_statement;
}

}  // namespace

std::optional<observed_misbehaviour> observed_misbehaviour_in(const observation& what, group_size group) {
  if (const auto* it = std::get_if<frame_rejected>(&what)) {
    if (!it->sender.is_replica() || it->sender.number >= group.replicas() || may_be_innocent(it->reason)) {
      return std::nullopt;
    }
    return observed_misbehaviour{replica_id{it->sender.number}, complaint_reason_of(it->reason)};
  }
  if (const auto* it = std::get_if<donor_replaced>(&what)) {
    // A donor that is late or refuses may have a slow link or no such state. Only a part that fails against the
    // certified root proves a lie, and only to this node, because chunks are not signed.
    if (it->reason != donor_fault::lied) return std::nullopt;
    return observed_misbehaviour{it->replica, complaint_reason::bad_state};
  }
  if (const auto* it = std::get_if<primary_suspected>(&what)) {
    // A suspicion with the reason `proven` is based on evidence, which convicts by itself. It is not a sign of bad
    // service. With the reason `behind` the wrong clock may be that of this node. The suspicion counts nevertheless,
    // because it takes f + 1 complaints to convict, and at most f replicas have a wrong clock or are faulty (attack
    // 42).
    if (it->reason == suspicion_reason::proven) return std::nullopt;
    return observed_misbehaviour{group.primary_of(it->view), complaint_reason::bad_service};
  }
  return std::nullopt;
}

peer_trust::peer_trust(const cluster_parameters& cluster)
    : cluster_(cluster),
      agreed_(cluster.replicas),
      local_(cluster.replicas, reputation_ledger::score_max),
      proven_(cluster.replicas) {}

void peer_trust::on_agreed(const agreed_reputation& agreed) {
  require(agreed.replicas.size() == cluster_.replicas, "each replica has an agreed standing");
  // A conviction replaces the unordered evidence: from now on the quarantine says whether the replica is avoided.
  for (std::size_t number = 0; number < agreed_.size() && number < agreed.replicas.size(); ++number) {
    const bool is_new = agreed.replicas[number].convictions != agreed_[number].convictions;
    const auto& open = proven_[number];
    // The case may have been ordered without a conviction, because the misbehaviour was punished before or is too old.
    const bool is_settled = open && std::ranges::find(agreed.settled, *open) != agreed.settled.end();
    if (is_new || is_settled) proven_[number] = std::nullopt;
  }
  agreed_ = agreed.replicas;
  clients_rate_limited_ = rate_limited_in(agreed.clients).size();
  settled_.insert(settled_.end(), agreed.settled.begin(), agreed.settled.end());
  // The newest names are enough, because they are only needed for a report of evidence that arrives late.
  while (settled_.size() > settled_max)
    settled_.pop_front();
  require(agreed_.size() == local_.size() && agreed_.size() == proven_.size(), "each replica has a standing");
}

void peer_trust::on_proven(const proven_misbehaviour& what) {
  const auto number = what.accused.value;
  // Evidence and agreed reputation come from different actors. Without this check, a late report of evidence would make
  // this node avoid the replica for ever.
  if (std::ranges::find(settled_, what.name) != settled_.end()) return;
  if (number < proven_.size() && !agreed_[number].is_quarantined()) proven_[number] = what.name;
}

void peer_trust::on_misbehaved(const observed_misbehaviour& seen) {
  if (seen.who.value >= local_.size()) return;
  // No other replica can check the observations of this one. So the local score leads to throttling and never to a
  // conviction (attack 39).
  auto& score = local_[seen.who.value];
  score -= std::min(score, costs.at(static_cast<std::size_t>(seen.why)));
}

void peer_trust::on_tick(moment now) {
  // The first tick only starts the measurement, so the time before it is not counted.
  if (!recovered_at_) recovered_at_ = now;
  // Whole seconds only; the rest counts at the next tick, so that nothing is lost by rounding.
  const auto seconds = (now - std::min(now, *recovered_at_)) / 1s;
  *recovered_at_ += seconds * 1s;
  const auto gained =
      static_cast<std::uint32_t>(std::min<std::int64_t>(seconds * recovery_per_second, reputation_ledger::score_max));
  for (auto& score : local_)
    score = std::min(reputation_ledger::score_max, score + gained);
}

bool peer_trust::is_throttled(std::size_t number) const {
  require(number < agreed_.size() && number < local_.size(), "each replica has a standing");
  // Throttling limits the frames of a replica, but its votes still count. So a wrong impression cannot prevent a
  // quorum.
  const auto& agreed = agreed_[number];
  return agreed.is_quarantined() || proven_[number] || agreed.score < reputation_ledger::throttled_below ||
         local_[number] < reputation_ledger::throttled_below;
}

trust peer_trust::current() const {
  trust now;
  // Replicas in quarantine come first: with f of them no other replica is avoided as primary, whatever evidence there
  // is, because the group is live only while it excludes at most f replicas (attack 39).
  const auto room = cluster_.group().faulty_max();
  require(room > 0 && agreed_.size() == cluster_.replicas, "a group tolerates a faulty replica");
  for (std::uint32_t number = 0; number < agreed_.size(); ++number) {
    if (agreed_[number].is_quarantined()) now.avoided_as_primary.push_back(replica_id{number});
    if (is_throttled(number)) now.throttled.push_back(replica_id{number});
  }
  // Evidence that is not ordered yet gets the places that are left.
  for (std::uint32_t number = 0; number < agreed_.size() && now.avoided_as_primary.size() < room; ++number) {
    if (proven_[number] && !agreed_[number].is_quarantined()) now.avoided_as_primary.push_back(replica_id{number});
  }
  std::ranges::sort(now.avoided_as_primary);
  require(std::ranges::adjacent_find(now.avoided_as_primary) == now.avoided_as_primary.end(),
          "a replica is avoided once");
  return now;
}

std::vector<reputation> peer_trust::all() const {
  const auto now = current();
  std::vector<reputation> out;
  for (std::uint32_t number = 0; number < agreed_.size(); ++number) {
    out.push_back({agreed_[number], local_[number],
                   std::ranges::binary_search(now.avoided_as_primary, replica_id{number}),
                   std::ranges::binary_search(now.throttled, replica_id{number})});
  }
  return out;
}

}  // namespace hypermesh::protocol
