#include "actors/protocol/sender_quotas.hpp"

#include <algorithm>
#include <functional>

namespace hypermesh {

bool costly_quota::admit(principal sender, const message& value, microseconds_t now) {
  const auto kind = kind_of(value);
  const auto* asked = std::get_if<request>(&value);
  const bool is_of_guard = asked != nullptr && asked->id.client == guard_client;
  const bool is_change = kind == message_kind::view_change || kind == message_kind::new_view;
  // From a client neither is verified, and clients are too many to be counted each.
  if (!sender.is_replica()) return true;
  if (is_change) return spend(changes_, sender, burst, period_us, now);
  return !is_of_guard || spend(cases_, sender, case_burst, case_period_us, now);
}

void costly_quota::on_view(view_number view) {
  if (view <= view_) return;
  const auto earned = std::min(burst, earned_by_view * (view.value - view_.value));
  for (auto& [sender, share] : changes_)
    share.left = std::min(burst, share.left + earned);
  view_ = view;
}

bool costly_quota::spend(purses& from, principal sender, std::uint64_t most, microseconds_t period,
                         microseconds_t now) {
  auto& share = from.try_emplace(sender, purse{most, now}).first->second;
  const auto earned = (now - std::min(now, share.since)) / period;
  share.left = std::min<std::uint64_t>(most, share.left + earned);
  share.since += earned * period;
  if (share.left == 0) return false;
  --share.left;
  return true;
}

bool frame_quota::admit(principal sender, microseconds_t now) {
  if (!sender.is_replica()) return true;
  const replica_id replica{sender.number};
  const auto rate = std::ranges::binary_search(throttled_, replica) ? throttled_rate : usual_rate;
  auto& share = shares_[replica];
  if (std::exchange(share.is_new, false)) share = {rate, now, false};
  // Whole milliseconds, so that nothing is lost by rounding.
  const auto passed_ms = (now - std::min(now, share.since)) / 1'000;
  share.since += passed_ms * 1'000;
  share.left = std::min(rate, share.left + passed_ms * (rate / 1'000));
  if (share.left == 0) return false;
  --share.left;
  return true;
}

check_quota::check_quota(const cluster_parameters& cluster)
    : group_(cluster.group()),
      words_{4 * std::uint64_t{cluster.watermark_window} + base, {}},
      requests_{requests_burst, {}} {
  for (auto* each : {&words_, &requests_})
    each->of.resize(cluster.replicas, share{each->burst});
}

check_quota::share* check_quota::share_of(principal sender, const message& value) {
  if (!sender.is_replica() || sender.number >= words_.of.size()) return nullptr;
  const auto* proposal = std::get_if<pre_prepare>(&value);
  const bool is_relayed =
      proposal != nullptr && sender != principal::of(group_.primary_of(proposal->header.content.view));
  if (is_relayed) return &words_.of[sender.number];
  switch (kind_of(value)) {
    case message_kind::request:
      return std::get<request>(value).id.client == guard_client ? nullptr : &requests_.of[sender.number];
    case message_kind::pre_prepare:
    case message_kind::view_change:
    case message_kind::new_view:
    case message_kind::state_request:
    case message_kind::state_chunk:
      return nullptr;
    default:
      return &words_.of[sender.number];
  }
}

bool check_quota::admits(principal sender, const message& value, microseconds_t now) {
  const auto periods = (now - std::min(now, period_began_)) / period_us;
  if (periods > 0) {
    period_began_ += periods * period_us;
    refill(words_, periods);
    refill(requests_, periods);
  }
  const auto* own = share_of(sender, value);
  return own == nullptr || own->left > 0;
}

void check_quota::refill(shares& all, std::uint64_t periods) const {
  std::vector<std::uint64_t> used;
  for (const auto& each : all.of)
    used.push_back(each.used);
  const auto level = used.begin() + static_cast<std::ptrdiff_t>(group_.faulty_max());
  std::ranges::nth_element(used, level, std::greater{});
  const auto usual = *level + *level / 2;
  const auto most = std::max(all.burst, usual);
  const auto earned = std::max(periods * base, usual);
  for (auto& each : all.of)
    each = {std::min(most, each.left + earned), 0};
}

void check_quota::spend(principal sender, const message& value, std::uint64_t checks) {
  auto* own = share_of(sender, value);
  if (own == nullptr) return;
  own->left -= std::min(own->left, checks);
  own->used += checks;
}

void client_pauses::on_excess(client_id client, microseconds_t now) {
  std::erase_if(until_, [now](const auto& each) { return each.second <= now; });
  until_[client] = now + pause_us;
}

bool client_pauses::is_paused(client_id client, microseconds_t now) const {
  const auto found = until_.find(client);
  return found != until_.end() && now < found->second;
}

}  // namespace hypermesh
