#include "actors/protocol/trust_book.hpp"

#include <algorithm>

namespace hypermesh {

namespace {

constexpr microseconds_t second_us = 1'000'000;
constexpr std::size_t settled_max = 64;

grievance grievance_of(rejection reason) {
  return reason == rejection::throttled ? grievance::flood : grievance::garbage;
}

/// What a correct replica can cause as well, by no fault of its own: what it relays for others, what it says of a state
/// that this one does not share, or what comes too fast for one moment.
bool may_be_innocent(rejection reason) {
  return is_benign(reason) || reason == rejection::client_quota || reason == rejection::overloaded ||
         reason == rejection::stale_timestamp || reason == rejection::conflicting_statement;
}

}  // namespace

std::optional<misdeed> misdeed_in(const observation& what, group_size group) {
  if (const auto* it = std::get_if<frame_rejected>(&what)) {
    if (!it->sender.is_replica() || it->sender.number >= group.replicas() || may_be_innocent(it->reason)) {
      return std::nullopt;
    }
    return misdeed{replica_id{it->sender.number}, grievance_of(it->reason)};
  }
  if (const auto* it = std::get_if<donor_replaced>(&what)) {
    if (it->reason != donor_fault::lied) return std::nullopt;
    return misdeed{it->replica, grievance::bad_state};
  }
  if (const auto* it = std::get_if<primary_suspected>(&what)) {
    if (it->reason == suspicion_reason::proven) return std::nullopt;
    return misdeed{group.primary_of(it->view), grievance::bad_service};
  }
  return std::nullopt;
}

trust_book::trust_book(const cluster_parameters& cluster)
    : cluster_(cluster),
      agreed_(cluster.replicas),
      local_(cluster.replicas, reputation_ledger::score_max),
      proven_(cluster.replicas) {}

void trust_book::on_agreed(const agreed_reputation& agreed) {
  // What was proven here is judged once its conviction is in the order.
  for (std::size_t number = 0; number < agreed_.size() && number < agreed.replicas.size(); ++number) {
    const bool is_new = agreed.replicas[number].convictions != agreed_[number].convictions;
    const auto& open = proven_[number];
    // The order may have known the deed already, or find it too old.
    const bool is_settled = open && std::ranges::find(agreed.settled, *open) != agreed.settled.end();
    if (is_new || is_settled) proven_[number] = std::nullopt;
  }
  agreed_ = agreed.replicas;
  clients_restrained_ = restrained_in(agreed.clients).size();
  settled_.insert(settled_.end(), agreed.settled.begin(), agreed.settled.end());
  while (settled_.size() > settled_max)
    settled_.pop_front();
}

void trust_book::on_proven(const proven_case& what) {
  const auto number = what.accused.value;
  if (std::ranges::find(settled_, what.name) != settled_.end()) return;
  if (number < proven_.size() && !agreed_[number].is_quarantined()) proven_[number] = what.name;
}

void trust_book::on_misbehaved(const misdeed& seen) {
  if (seen.who.value >= local_.size()) return;
  auto& score = local_[seen.who.value];
  score -= std::min(score, costs.at(static_cast<std::size_t>(seen.why)));
}

void trust_book::on_tick(microseconds_t now) {
  if (!recovered_at_) recovered_at_ = now;
  const auto seconds = (now - std::min(now, *recovered_at_)) / second_us;
  *recovered_at_ += seconds * second_us;
  const auto gained =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(seconds * recovery_per_second, reputation_ledger::score_max));
  for (auto& score : local_)
    score = std::min(reputation_ledger::score_max, score + gained);
}

bool trust_book::is_throttled(std::size_t number) const {
  const auto& agreed = agreed_[number];
  return agreed.is_quarantined() || proven_[number] || agreed.score < reputation_ledger::throttled_below ||
         local_[number] < reputation_ledger::throttled_below;
}

trust trust_book::current() const {
  trust now;
  // Agreement first: with f in quarantine nobody else is shunned, however much is proven (attack 39).
  const auto room = cluster_.group().faulty_max();
  for (std::uint32_t number = 0; number < agreed_.size(); ++number) {
    if (agreed_[number].is_quarantined()) now.shunned.push_back(replica_id{number});
    if (is_throttled(number)) now.throttled.push_back(replica_id{number});
  }
  for (std::uint32_t number = 0; number < agreed_.size() && now.shunned.size() < room; ++number) {
    if (proven_[number] && !agreed_[number].is_quarantined()) now.shunned.push_back(replica_id{number});
  }
  std::ranges::sort(now.shunned);
  return now;
}

std::vector<reputation> trust_book::all() const {
  const auto now = current();
  std::vector<reputation> out;
  for (std::uint32_t number = 0; number < agreed_.size(); ++number) {
    out.push_back({agreed_[number], local_[number], std::ranges::binary_search(now.shunned, replica_id{number}),
                   std::ranges::binary_search(now.throttled, replica_id{number})});
  }
  return out;
}

}  // namespace hypermesh
