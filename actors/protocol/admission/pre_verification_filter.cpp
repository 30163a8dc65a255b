#include "actors/protocol/admission/pre_verification_filter.hpp"

#include <algorithm>
#include <utility>

namespace hypermesh::protocol {

pre_verification_filter::pre_verification_filter(const cluster_parameters& cluster)
    : window_(cluster.watermark_window) {
  // h = 0 and H = L are used until the replica publishes its position.
  at_.high = sequence_number{window_};
}

pre_verification_filter::handling_place pre_verification_filter::place() const {
  // In a view that the replica is about to enter, no sequence number above h is decided yet.
  if (passed_) return {*passed_, true, at_.stable};
  return {at_.view, at_.active, at_.decided};
}

std::optional<rejection> pre_verification_filter::objection_to_place(const statement& content) const {
  const auto then = place();
  if (content.sequence <= at_.stable) return rejection::already_decided;
  // A vote of a later view passes, because the replica may enter the view at any moment, and `future_messages` keeps
  // early votes.
  if (content.view < then.view) return rejection::other_view;
  // A quorum was verified for a decided sequence. Further votes for it are never needed.
  if (content.view == then.view && content.sequence <= then.decided) return rejection::already_decided;
  // The replica may be ahead of the position that is known here, but by one window at most.
  if (content.sequence > at_.high.plus(window_)) return rejection::outside_watermarks;
  return std::nullopt;
}

/// A VIEW-CHANGE or NEW-VIEW costs hundreds of signature checks. For a view that is entered or past it has no effect.
std::optional<rejection> pre_verification_filter::objection_to_view(view_number wanted) const {
  const auto then = place();
  const bool over = wanted < then.view || (wanted == then.view && then.active);
  return over ? std::optional{rejection::other_view} : std::nullopt;
}

/// A vote counts as known only on the link of its signer. On another link it is a forgery or a mistake, and has to be
/// reported as such and not as a duplicate.
std::optional<rejection> pre_verification_filter::objection_to_vote(principal sender, message_kind kind,
                                                                    const statement& content) const {
  if (const auto bad = objection_to_place(content)) return bad;
  const auto known = accepted_.find(content.sequence);
  if (known == accepted_.end() || content.view != place().view || sender != principal::of(content.replica)) return {};
  const auto& votes = known->second.votes_of(kind);
  const auto cast = votes.find(content.replica);
  // A vote with another digest is no duplicate: it passes, and the detector and the replica compare it (attack 8).
  const bool same = cast != votes.end() && cast->second == content.value;
  return same ? std::optional{rejection::duplicate} : std::nullopt;
}

std::optional<rejection> pre_verification_filter::objection_to(principal sender, const message& value) const {
  if (const auto* it = std::get_if<pre_prepare>(&value)) {
    // A proposal, unlike a vote, never arrives early: the primary sends it after the NEW-VIEW on the same link, so the
    // NEW-VIEW has passed before. A proposal that another replica forwards, or that follows a lost NEW-VIEW, is refused
    // here and retransmitted later.
    const auto view = it->header.content.view;
    const auto then = place();
    if (view > then.view || (view == then.view && !then.active)) return rejection::other_view;
    if (const auto bad = objection_to_place(it->header.content)) return bad;
    const auto known = accepted_.find(it->header.content.sequence);
    // The header names the body by its digest, so equal headers have equal bodies.
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
    // The same VIEW-CHANGE is sent again after each STATUS. It is recognised by its signature, because a changed copy
    // has a different or invalid signature.
    const auto known = changes_.find(it->replica);
    const bool same = known != changes_.end() && known->second == std::pair{it->new_view, it->by};
    return same ? std::optional{rejection::duplicate} : std::nullopt;
  }
  if (const auto* it = std::get_if<new_view>(&value)) return objection_to_view(it->view);
  if (const auto* it = std::get_if<suspicion>(&value)) {
    // A SUSPICION ends with its view (I18).
    return it->vote.content.view < place().view ? std::optional{rejection::other_view} : std::nullopt;
  }
  const auto late = [this](sequence_number sequence) {
    return sequence <= at_.stable ? std::optional{rejection::already_decided} : std::nullopt;
  };
  if (const auto* it = std::get_if<checkpoint>(&value)) return late(it->vote.content.sequence);
  if (const auto* it = std::get_if<checkpoint_proof>(&value)) return late(it->certificate.sequence());
  return std::nullopt;
}

void pre_verification_filter::note_passed(const message& value) {
  if (const auto* opened = std::get_if<new_view>(&value)) {
    if (objection_to_view(opened->view)) return;
    passed_ = opened->view;
    // Votes of the previous view are dropped, because a vote in the new view is not a duplicate of them.
    accepted_.clear();
    return;
  }
  if (const auto* change = std::get_if<view_change>(&value)) {
    auto& known = changes_[change->replica];
    // Only one VIEW-CHANGE of each replica is remembered, so that the memory is bounded (I12).
    if (change->new_view > known.first) known = {change->new_view, change->by};
    return;
  }
  if (const auto* it = std::get_if<pre_prepare>(&value)) {
    const auto& content = it->header.content;
    if (!is_kept(content)) return;
    auto& header = accepted_[content.sequence].header;
    // The first proposal is kept, as in the slot. A conflicting proposal is not a duplicate, so it passes every time
    // (attack 8).
    if (!header) header = content;
  }
  const auto note_vote = [this](message_kind kind, const statement& content) {
    if (is_kept(content)) accepted_[content.sequence].votes_of(kind).emplace(content.replica, content.value);
  };
  if (const auto* it = std::get_if<prepare>(&value)) note_vote(message_kind::prepare, it->vote.content);
  if (const auto* it = std::get_if<commit>(&value)) note_vote(message_kind::commit, it->vote.content);
}

/// A message above the known H may have been dropped by the replica, so it has to pass again (attack 22).
bool pre_verification_filter::is_kept(const statement& content) const {
  const auto then = place();
  return content.view == then.view && then.active && content.sequence > then.decided && content.sequence <= at_.high;
}

void pre_verification_filter::on_position(const replica_position& at) {
  const auto before = place();
  // While its state was wrong, the replica dropped messages that the filter remembers, perhaps the NEW-VIEW too
  // (attack 27).
  const bool has_dropped = at.repairs != at_.repairs;
  at_ = at;
  // The replica published an older position before the NEW-VIEW reached it, so the NEW-VIEW is still to be adopted.
  const bool is_adopted = passed_ && (at.view > *passed_ || (at.view == *passed_ && at.active));
  if (is_adopted || has_dropped) passed_.reset();
  const auto now = place();
  if (now.view != before.view || now.active != before.active || has_dropped) accepted_.clear();
  // `objection_to_place` refuses messages of decided sequence numbers, so they need not be remembered.
  accepted_.erase(accepted_.begin(), accepted_.upper_bound(now.decided));
}

}  // namespace hypermesh::protocol
