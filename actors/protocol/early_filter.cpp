#include "actors/protocol/early_filter.hpp"

#include <algorithm>
#include <functional>
#include <utility>

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

early_filter::early_filter(const cluster_parameters& cluster) : window_(cluster.watermark_window) {
  at_.high = sequence_number{window_};
}

std::optional<rejection> early_filter::objection_to_place(const statement& content) const {
  if (content.sequence <= at_.stable) return rejection::already_decided;
  // Later views may be entered any moment, and what comes early is held for them.
  if (content.view < at_.view) return rejection::other_view;
  // A quorum was verified for what is decided; the rest of its votes is never checked.
  if (content.view == at_.view && content.sequence <= at_.decided) return rejection::already_decided;
  // The replica may be ahead of what is known here, by a window at most.
  if (content.sequence > at_.high.plus(window_)) return rejection::outside_watermarks;
  return std::nullopt;
}

/// A VIEW-CHANGE or NEW-VIEW costs hundreds of checks; those for views that are entered or past come to nothing.
std::optional<rejection> early_filter::objection_to_view(view_number wanted) const {
  const bool over = wanted < at_.view || (wanted == at_.view && at_.active);
  return over ? std::optional{rejection::other_view} : std::nullopt;
}

/// A vote on the link of who casts it; one from elsewhere is somebody's forgery or mistake, and is told as that.
std::optional<rejection> early_filter::objection_to_vote(principal sender, message_kind kind,
                                                         const statement& content) const {
  if (const auto bad = objection_to_place(content)) return bad;
  const auto known = accepted_.find(content.sequence);
  if (known == accepted_.end() || content.view != at_.view || sender != principal::of(content.replica)) return {};
  const auto& votes = known->second.votes_of(kind);
  const auto cast = votes.find(content.replica);
  const bool same = cast != votes.end() && cast->second == content.value;
  return same ? std::optional{rejection::duplicate} : std::nullopt;
}

std::optional<rejection> early_filter::objection_to(principal sender, const message& value) const {
  if (const auto* it = std::get_if<pre_prepare>(&value)) {
    // Unlike votes a proposal is never early: its primary sends it behind the NEW-VIEW, on the same link.
    const auto view = it->header.content.view;
    if (view > at_.view || (view == at_.view && !at_.active)) return rejection::other_view;
    if (const auto bad = objection_to_place(it->header.content)) return bad;
    const auto known = accepted_.find(it->header.content.sequence);
    const bool same = known != accepted_.end() && known->second.header == it->header.content;
    return same ? std::optional{rejection::duplicate} : std::nullopt;
  }
  if (const auto* it = std::get_if<prepare>(&value)) {
    return objection_to_vote(sender, message_kind::prepare, it->vote.content);
  }
  if (const auto* it = std::get_if<commit>(&value)) {
    return objection_to_vote(sender, message_kind::commit, it->vote.content);
  }
  if (const auto* it = std::get_if<view_change>(&value)) {
    if (const auto bad = objection_to_view(it->new_view)) return bad;
    // STATUS brings the same one again and again, and each costs hundreds of checks.
    const auto known = changes_.find(it->replica);
    const bool same = known != changes_.end() && known->second == std::pair{it->new_view, it->by};
    return same ? std::optional{rejection::duplicate} : std::nullopt;
  }
  if (const auto* it = std::get_if<new_view>(&value)) return objection_to_view(it->view);
  if (const auto* it = std::get_if<suspicion>(&value)) {
    return it->vote.content.view < at_.view ? std::optional{rejection::other_view} : std::nullopt;
  }
  const auto late = [this](sequence_number sequence) {
    return sequence <= at_.stable ? std::optional{rejection::already_decided} : std::nullopt;
  };
  if (const auto* it = std::get_if<checkpoint>(&value)) return late(it->vote.content.sequence);
  if (const auto* it = std::get_if<checkpoint_proof>(&value)) return late(it->certificate.sequence());
  return std::nullopt;
}

void early_filter::note_passed(const message& value) {
  if (const auto* opened = std::get_if<new_view>(&value)) {
    // The replica enters this view before it sees what is let through behind it.
    if (objection_to_view(opened->view)) return;
    accepted_.clear();
    at_.view = opened->view;
    at_.active = true;
    at_.decided = at_.stable;
    return;
  }
  if (const auto* change = std::get_if<view_change>(&value)) {
    auto& known = changes_[change->replica];
    if (change->new_view > known.first) known = {change->new_view, change->by};
    return;
  }
  if (const auto* it = std::get_if<pre_prepare>(&value)) {
    const auto& content = it->header.content;
    if (!is_kept(content)) return;
    auto& header = accepted_[content.sequence].header;
    if (!header) header = content;
  }
  const auto note_vote = [this](message_kind kind, const statement& content) {
    if (is_kept(content)) accepted_[content.sequence].votes_of(kind).emplace(content.replica, content.value);
  };
  if (const auto* it = std::get_if<prepare>(&value)) note_vote(message_kind::prepare, it->vote.content);
  if (const auto* it = std::get_if<commit>(&value)) note_vote(message_kind::commit, it->vote.content);
}

/// Above H as known here the replica may have dropped it, and it must come through again.
bool early_filter::is_kept(const statement& content) const {
  return content.view == at_.view && at_.active && content.sequence > at_.decided && content.sequence <= at_.high;
}

void early_filter::on_position(const replica_position& at) {
  // Said before the NEW-VIEW that was let through reached the replica. But of one that it has dropped it knows nothing.
  const bool is_stale = at.view < at_.view || (at.view == at_.view && at_.active && !at.active);
  const bool has_dropped = at.repairs != at_.repairs;
  if (is_stale && !has_dropped) return;
  if (at.view != at_.view || at.active != at_.active || has_dropped) accepted_.clear();
  at_ = at;
  accepted_.erase(accepted_.begin(), accepted_.upper_bound(at_.decided));
}

}  // namespace hypermesh
