#include "actors/protocol/admission/rate_limits.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace hypermesh::protocol {

bool costly_message_limit::admit(principal sender, const message& value, moment now) {
  const auto kind = kind_of(value);
  const bool is_change = kind == message_kind::view_change || kind == message_kind::new_view;
  // The validator refuses these kinds from clients without a signature check. Clients are not counted, because there
  // may be very many.
  if (!sender.is_replica()) return true;
  if (is_change) {
    // A sender begins with the whole burst, because a view change may be under way when this node starts.
    return changes_.try_emplace(sender, burst, now).first->second.take(burst, 1, period, now);
  }
  return kind != message_kind::system_request ||
         cases_.try_emplace(sender, case_burst, now).first->second.take(case_burst, 1, case_period, now);
}

void costly_message_limit::on_view(view_number view) {
  if (view <= view_) return;
  // The view of this replica is used, because f faulty replicas cannot raise it (attack 19). A faulty sender may put
  // any view into a message.
  const auto earned = std::min(burst, earned_by_view * (view.value - view_.value));
  for (auto& [sender, bucket] : changes_)
    bucket.add(earned, burst);
  view_ = view;
}

bool frame_rate_limit::admit(principal sender, moment now) {
  if (!sender.is_replica()) return true;
  const replica_id replica{sender.number};
  const auto rate = std::ranges::binary_search(throttled_, replica) ? rate_ / throttled_part : rate_;
  // A sender starts with the rate of one second, and earns by the millisecond.
  auto& bucket = buckets_.try_emplace(replica, rate, now).first->second;
  return bucket.take(rate, rate / 1'000, 1ms, now);
}

verification_budget::verification_budget(const cluster_parameters& cluster)
    : group_(cluster.group()),
      statements_{4 * std::uint64_t{cluster.watermark_window} + base, {}},
      requests_{requests_burst, {}},
      vouches_{vouches_burst, {}} {
  for (auto* each : {&statements_, &requests_, &vouches_})
    each->of.resize(cluster.replicas, share{each->burst});
}

verification_budget::share* verification_budget::share_of(principal sender, const message& value) {
  // Clients are bounded by their quotas and pauses instead (`client_pauses`).
  if (!sender.is_replica() || sender.number >= statements_.of.size()) return nullptr;
  // A proposal of the primary may cost a thousand checks and is not counted. A relayed one counts, because any replica
  // can relay any proposal again and again.
  const auto* proposal = std::get_if<pre_prepare>(&value);
  const bool is_relayed =
      proposal != nullptr && sender != principal::of(group_.primary_of(proposal->header.content.view));
  if (is_relayed) return &statements_.of[sender.number];
  switch (kind_of(value)) {
    case message_kind::request:
      return &requests_.of[sender.number];
    case message_kind::vouch:
      return &vouches_.of[sender.number];
    // VIEW-CHANGEs, NEW-VIEWs and system requests have a limit of their own, and parts of states are not signed.
    case message_kind::system_request:
    case message_kind::pre_prepare:
    case message_kind::view_change:
    case message_kind::new_view:
    case message_kind::state_request:
    case message_kind::state_chunk:
      return nullptr;
    default:
      return &statements_.of[sender.number];
  }
}

bool verification_budget::admits(principal sender, const message& value, moment now) {
  // The first message after a period refills all budgets.
  const auto periods = static_cast<std::uint64_t>((now - std::min(now, period_began_)) / period);
  if (periods > 0) {
    // The time advances by whole periods, so that the rest counts towards the next period.
    period_began_ += static_cast<duration::rep>(periods) * period;
    refill(statements_, periods, std::exchange(in_advance_, 0));
    refill(requests_, periods, 0);
    refill(vouches_, periods, 0);
  }
  const auto* own = share_of(sender, value);
  return own == nullptr || own->left > 0;
}

void verification_budget::refill(shares& all, std::uint64_t periods, std::uint64_t in_advance) const {
  std::vector<std::uint64_t> used;
  for (const auto& each : all.of)
    used.push_back(each.used);
  // The (f + 1)-th highest use. Example with f = 1: uses of 1,074, 600, 400 and 0 have the level 600, so a flood of one
  // replica does not raise it. Each replica earns 900 checks.
  const auto level = used.begin() + static_cast<std::ptrdiff_t>(group_.faulty_max());
  std::ranges::nth_element(used, level, std::greater{});
  const auto usual = *level + *level / 2;
  const auto most = std::max(all.burst, usual);
  // An idle group still earns the base, so that the first messages after a pause are verified.
  const auto earned = std::max(periods * base, usual - std::min(usual, in_advance));
  for (auto& each : all.of)
    // The budget is bounded, so that a replica cannot save up checks for a flood.
    each = {std::min(most, each.left + earned), 0};
}

void verification_budget::on_decided(sequence_number decided) {
  if (decided <= decided_) return;
  // The progress of this replica is used, because it needs a quorum, while a sender can put
  // any sequence number into a message. The amount is bounded, because an installed state may
  // increase `decided` by any number.
  const auto earned = earned_by_sequence * std::min(decided.value - decided_.value, statements_.burst);
  for (auto& each : statements_.of)
    // A decided sequence number fills the budget up to `burst` only. If `refill` granted more than `burst`, the budget
    // keeps that amount.
    each.left = std::max(each.left, std::min(statements_.burst, each.left + earned));
  in_advance_ += earned;
  decided_ = decided;
}

void verification_budget::spend(principal sender, const message& value, std::uint64_t checks) {
  auto* own = share_of(sender, value);
  if (own == nullptr) return;
  // The last message of a period may cost more than what is left.
  own->left -= std::min(own->left, checks);
  own->used += checks;
}

void client_pauses::on_excess(client_id client, moment now) {
  // Pauses that have ended are removed here, which bounds the memory.
  std::erase_if(until_, [now](const auto& each) { return each.second <= now; });
  until_[client] = now + pause;
}

bool client_pauses::is_paused(client_id client, moment now) const {
  const auto found = until_.find(client);
  return found != until_.end() && now < found->second;
}

}  // namespace hypermesh::protocol
