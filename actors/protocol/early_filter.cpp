#include "actors/protocol/early_filter.hpp"

#include <algorithm>
#include <utility>

namespace hypermesh {

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
