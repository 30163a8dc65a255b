#include "actors/protocol/view_change_set.hpp"

#include <algorithm>

#include "actors/protocol/new_view.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// A suspicion that had no effect is sent again this often: it is one small frame.
constexpr microseconds_t suspicion_period_us = 250'000;
/// One that is not repeated is withdrawn, or of a view that its sender has entered meanwhile. Else whatever anybody
/// said once could be completed by f liars at any later time (attack 32).
constexpr microseconds_t suspicion_life_us = 4 * suspicion_period_us;
/// So many request time-outs without a suspicion take one doubling back: faulty primaries can be in a row at most f
/// times, so patience that they forced does not last.
constexpr unsigned calm_timeouts = 4;

}  // namespace

view_change_set::view_change_set(const cluster_parameters& cluster, replica_id self, const authenticator& keys,
                                 const view_change_settings& settings)
    : cluster_(cluster), group_(cluster.group()), self_(self), keys_(&keys), settings_(settings) {
  require(cluster.is_valid() && group_.contains(self), "the cluster parameters form a group with this replica");
  require(settings.doublings_max < 32 && settings.request_us > 0 && settings.new_view_us > 0, "time-outs are possible");
}

void view_change_set::restore(view_number view, std::shared_ptr<const view_change> own,
                              sequence_number low_watermark) {
  require(view_ == view_number{0} && changes_.empty(), "a restart comes first");
  view_ = view;
  low_watermark_ = low_watermark;
  active_ = own == nullptr;
  if (own != nullptr) changes_[self_] = std::move(own);
}

// --- When to leave a view ------------------------------------------------------------

view_change_effects view_change_set::on_service(const service_report& report, microseconds_t now) {
  if (!active_ || primary() == self_) return {};
  auto seen = report;
  seen.wanted_through = moves_.advance_through;
  const auto reason = judge_.judge(seen, request_timeout(), now);
  if (reason) return on_suspected(*reason, now);
  on_satisfied();
  return {};
}

view_change_effects view_change_set::on_suspected(suspicion_reason reason, microseconds_t now) {
  require(primary() != self_, "a primary does not suspect itself");
  view_change_effects out;
  if (!active_ || suspected_ || abstains_) return out;
  suspect(reason, now, out);
  return out;
}

void view_change_set::suspect(suspicion_reason reason, microseconds_t now, view_change_effects& out) {
  suspected_ = true;
  suspicion_sent_at_ = now;
  out.observations.emplace_back(primary_suspected{view_, reason});
  send_suspicion(out);
  join(now, out);
}

void view_change_set::on_satisfied() {
  if (active_ && !std::ranges::binary_search(shunned_, primary())) suspected_ = false;
}

view_change_effects view_change_set::on_trust(const std::vector<replica_id>& shunned, microseconds_t now) {
  require(shunned.size() <= group_.faulty_max(), "no more are shunned than the group can miss");
  shunned_ = shunned;
  view_change_effects out;
  suspect_shunned(now, out);
  return out;
}

void view_change_set::suspect_shunned(microseconds_t now, view_change_effects& out) {
  // Before a quorum has left for a view there is nothing to wait for in it; afterwards nobody waits for its primary.
  const bool looks = active_ || quorum_at_.has_value();
  if (!looks || suspected_ || abstains_ || primary() == self_) return;
  if (std::ranges::binary_search(shunned_, primary())) suspect(suspicion_reason::proven, now, out);
}

view_change_effects view_change_set::on_moves(const agreed_moves& moves, const std::vector<view_number>& stepped_down,
                                              sequence_number at, microseconds_t now) {
  view_change_effects out;
  bool is_new = moves.least_view > moves_.least_view;
  bool is_late = is_new && moves.least_view <= view_;
  moves_ = moves;
  for (const auto view : stepped_down) {
    // A faulty primary can give up views that nobody will ever reach.
    if (view.next() < view_ || view > view_.next()) continue;
    stepped_down_.insert(view);
    is_new = true;
    is_late = is_late || view.next() == view_;
  }
  if (is_new) {
    hand_over_at_ = readmission_ledger::period_end(at, cluster_);
    hand_over_by_ = now + request_timeout();
  }
  take_back_patience(is_late);
  follow_moves(now, out);
  return out;
}

view_change_effects view_change_set::on_low_watermark(sequence_number low, microseconds_t now) {
  low_watermark_ = std::max(low_watermark_, low);
  view_change_effects out;
  follow_moves(now, out);
  return out;
}

/// Those who executed the move earlier may have taken this replica along, which is on the way then, or, `is_late`,
/// there already. What it learned about the network before stays learned: else a liar that asks for a move made
/// everybody impatient (attack 20).
void view_change_set::take_back_patience(bool is_late) {
  if (grown_.empty()) return;
  const auto last_from = grown_.back().from;
  const auto forgiven = std::erase_if(grown_, [&](const growth& each) {
    return is_planned(each.to) && (each.from == entered_view_ || (is_late && each.from == last_from));
  });
  doublings_ -= std::min(doublings_, static_cast<unsigned>(forgiven));
}

/// Whether all leave for this view by agreement, which says nothing about the network or a primary.
bool view_change_set::is_planned(view_number to) const {
  return to <= moves_.least_view || (to > view_number{0} && stepped_down_.contains(view_number{to.value - 1}));
}

void view_change_set::follow_moves(microseconds_t now, view_change_effects& out) const {
  const bool is_due = low_watermark_ >= hand_over_at_ || now >= hand_over_by_;
  // As for a suspicion: the view was entered, or a quorum has left for it.
  const bool may_leave = (active_ && is_due) || quorum_at_.has_value();
  const bool is_over = view_ < moves_.least_view || (active_ && stepped_down_.contains(view_));
  if (may_leave && is_over) out.change_to = view_.next();
}

void view_change_set::send_suspicion(view_change_effects& out) const {
  const statement content{view_, sequence_number{0}, digest{}, self_, cluster_.signing.epoch};
  const auto by = keys_->sign(signing_input(cluster_.signing, message_kind::suspicion, statement_bytes(content)));
  out.sends.push_back({std::nullopt, encode_vote(message_kind::suspicion, {content, by})});
}

view_change_effects view_change_set::on_suspicion(const signed_statement& vote, microseconds_t now) {
  view_change_effects out;
  const auto& content = vote.content;
  if (content.replica == self_ || content.view < view_) {
    out.observations.emplace_back(frame_rejected{principal::of(content.replica), rejection::other_view});
    return out;
  }
  auto& heard = suspicions_[content.replica];
  // An older one that was delayed takes nothing back.
  if (content.view.next() >= heard.wanted) heard = {content.view.next(), now};
  join(now, out);
  return out;
}

/// The highest view that each replica wants to be in, this one included.
std::map<replica_id, view_number> view_change_set::wanted_views(microseconds_t now) const {
  std::map<replica_id, view_number> wanted;
  const auto want = [&](replica_id replica, view_number view) {
    auto& known = wanted[replica];
    known = std::max(known, view);
  };
  for (const auto& [replica, change] : changes_) {
    if (change != nullptr) want(replica, change->new_view);
  }
  for (const auto& [replica, heard] : suspicions_) {
    if (now < heard.at + suspicion_life_us) want(replica, heard.wanted);
  }
  if (suspected_) want(self_, view_.next());
  return wanted;
}

void view_change_set::join(microseconds_t now, view_change_effects& out) const {
  // §4.5.2: "if a replica receives a set of f + 1 valid view-change messages from other replicas for views greater than
  // its current view, it sends a view-change message for the smallest view in the set, even if its timer has not
  // expired". A liar may name any view, but the smallest of f+1 is not above that of a correct one (attack 19).
  std::uint32_t replicas = 0;
  std::optional<view_number> smallest;
  for (const auto& [replica, view] : wanted_views(now)) {
    if (view <= view_) continue;
    ++replicas;
    smallest = std::min(smallest.value_or(view), view);
  }
  if (replicas >= group_.weak_quorum()) out.change_to = smallest;
}

view_change_effects view_change_set::on_left(std::shared_ptr<const view_change> own, microseconds_t now) {
  require(own != nullptr && own->replica == self_ && own->new_view > view_, "a replica leaves for a later view");
  view_change_effects out;
  // A view that was left before it could calm down was not given up lightly: be more patient with the next one.
  const bool is_early = !active_ || now < entered_at_ + calm_timeouts * request_timeout();
  view_ = own->new_view;
  if (is_early && !is_planned(view_)) grow_patience();
  stepped_down_.erase(stepped_down_.begin(), stepped_down_.lower_bound(view_));
  active_ = false;
  abstains_ = false;
  suspected_ = false;
  built_ = false;
  quorum_at_.reset();
  changes_[self_] = std::move(own);
  join(now, out);
  open(now, out);
  return out;
}

view_change_effects view_change_set::on_view_change(std::shared_ptr<const view_change> change, microseconds_t now) {
  require(change != nullptr && group_.contains(change->replica), "a verified VIEW-CHANGE is of a member");
  view_change_effects out;
  const auto sender = change->replica;
  const auto reject = [&](rejection reason) {
    out.observations.emplace_back(frame_rejected{principal::of(sender), reason});
    return out;
  };
  if (sender == self_) return reject(rejection::unsolicited);
  if (change->new_view < view_ || (change->new_view == view_ && active_)) return reject(rejection::other_view);
  auto& held = changes_[sender];
  if (held != nullptr && held->new_view >= change->new_view) {
    const bool differs = held->new_view == change->new_view && !std::ranges::equal(held->raw.view, change->raw.view);
    return reject(differs ? rejection::conflicting_statement : rejection::duplicate);
  }
  held = std::move(change);
  join(now, out);
  open(now, out);
  return out;
}

// --- The new view --------------------------------------------------------------------

std::vector<std::shared_ptr<const view_change>> view_change_set::changes_for(view_number view) const {
  std::vector<std::shared_ptr<const view_change>> all;
  for (const auto& [replica, change] : changes_) {
    if (change != nullptr && change->new_view == view) all.push_back(change);
  }
  return all;
}

std::size_t view_change_set::changes_from(view_number view) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      changes_, [view](const auto& each) { return each.second != nullptr && each.second->new_view >= view; }));
}

void view_change_set::open(microseconds_t now, view_change_effects& out) {
  if (active_) return;
  // §4.5.2: a replica "waits for 2f + 1 view-change messages for view v + 1 and then starts a timer to expire after
  // some time T" (attack 20). Those for later views count: a replica that has gone on does not come back, and when a
  // quorum is spread over several views all of them have to meet in a later one.
  if (changes_from(view_) < group_.quorum()) return;
  if (!quorum_at_) quorum_at_ = now;
  suspect_shunned(now, out);
  follow_moves(now, out);
  auto changes = changes_for(view_);
  if (changes.size() < group_.quorum()) return;
  // §4.4: "When the primary p of view v + 1 receives 2f valid view-change messages for view v + 1 from other replicas,
  // it multicasts a ⟨NEW-VIEW, v + 1, V, O⟩σp message to all other replicas".
  if (built_ || primary() != self_) return;
  built_ = true;
  // A quorum and no more: that is what a frame has room for. The own one is among the newest of what was said.
  const auto own = std::ranges::find(changes, self_, [](const auto& each) { return each->replica; });
  require(own != changes.end(), "the primary of a view has left for it");
  std::rotate(changes.begin(), own, own + 1);
  changes.resize(group_.quorum());
  out.opened = build(changes);
}

std::shared_ptr<const new_view> view_change_set::build(
    const std::vector<std::shared_ptr<const view_change>>& changes) const {
  auto opened = std::make_shared<new_view>();
  opened->view = view_;
  opened->replica = self_;
  for (const auto& each : changes)
    opened->view_changes.push_back(*each);
  for (const auto& content : reproposals_of(plan_of(opened->view_changes), view_, self_, cluster_.signing.epoch)) {
    const auto by = keys_->sign(signing_input(cluster_.signing, message_kind::pre_prepare, statement_bytes(content)));
    opened->reproposals.push_back({content, by});
  }
  auto buffer = new_view_buffer(*opened);
  opened->by = keys_->sign(signing_input(cluster_.signing, message_kind::new_view, buffer));
  const auto frame = seal(message_kind::new_view, std::move(buffer), opened->by);
  opened->raw = {frame, body_of(*frame)};
  return opened;
}

view_change_effects view_change_set::on_entered(view_number view, microseconds_t now) {
  require(view >= view_, "views only grow");
  view_ = view;
  active_ = true;
  suspected_ = false;
  quorum_at_.reset();
  stepped_down_.erase(stepped_down_.begin(), stepped_down_.lower_bound(view_));
  entered_view_ = view;
  entered_at_ = now;
  calm_since_ = now;
  // Bodies of VIEW-CHANGEs that are past are of no use any more.
  std::erase_if(changes_, [&](const auto& each) { return each.second == nullptr || each.second->new_view <= view; });
  // What was held against the way here says nothing about the view. Who is still not content says so again.
  suspicions_.clear();
  judge_.on_view(now);
  view_change_effects out;
  suspect_shunned(now, out);
  follow_moves(now, out);
  return out;
}

// --- Time ----------------------------------------------------------------------------

microseconds_t view_change_set::request_timeout() const {
  return (closed_links_.contains(primary()) ? settings_.closed_link_us : settings_.request_us) << doublings_;
}

microseconds_t view_change_set::new_view_timeout() const {
  const bool closed = closed_links_.contains(primary());
  return (closed ? std::min(settings_.closed_link_us, settings_.new_view_us) : settings_.new_view_us) << doublings_;
}

void view_change_set::grow_patience() {
  if (doublings_ == settings_.doublings_max) return;
  ++doublings_;
  grown_.push_back({view_, entered_view_});
}

void view_change_set::on_link_changed(replica_id replica, bool up) {
  if (up) {
    closed_links_.erase(replica);
  } else {
    closed_links_.insert(replica);
  }
}

view_change_effects view_change_set::on_tick(microseconds_t now) {
  view_change_effects out;
  // §4.5.2: "If the timer expires before it receives a valid new-view message for v + 1 … it starts the view change
  // for view v + 2 but this time it will wait 2T". As in a view that is entered, it says so first: the NEW-VIEW may
  // only have been lost on the way here, and then another replica passes it on.
  const bool late = !active_ && quorum_at_ && now >= *quorum_at_ + new_view_timeout();
  if (late && !suspected_) suspect(suspicion_reason::mute, now, out);
  if (suspected_ && now >= suspicion_sent_at_ + suspicion_period_us) {
    suspicion_sent_at_ = now;
    send_suspicion(out);
  }
  // The replica may have been unable to leave when it was asked to.
  join(now, out);
  follow_moves(now, out);
  if (!active_) return out;
  if (suspected_) calm_since_ = now;
  if (doublings_ > 0 && now >= calm_since_ + calm_timeouts * request_timeout()) {
    --doublings_;
    if (!grown_.empty()) grown_.erase(grown_.begin());
    calm_since_ = now;
  }
  return out;
}

}  // namespace hypermesh
