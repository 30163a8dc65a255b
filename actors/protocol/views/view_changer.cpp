#include "actors/protocol/views/view_changer.hpp"

#include <algorithm>

#include "actors/protocol/views/planned_end.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// The interval at which a SUSPICION is repeated while it has no effect. The frame is small, so the interval is short.
constexpr duration suspicion_period = 250ms;
/// A SUSPICION that is not repeated for this long no longer counts: its sender has withdrawn it, or has entered a later
/// view. Otherwise f faulty replicas could complete an old suspicion of a correct replica at any later time
/// (attack 32).
constexpr duration suspicion_life = 4 * suspicion_period;
/// After this many request time-outs without a suspicion, one doubling is taken back. At most f faulty primaries follow
/// each other, so the longer time-outs that they caused need not stay.
constexpr unsigned calm_timeouts = 4;

duration doubled(duration once, unsigned times) { return once * (std::int64_t{1} << times); }

}  // namespace

view_changer::view_changer(const cluster_parameters& cluster, replica_id self, const authenticator& keys,
                           const view_change_settings& settings)
    : cluster_(cluster),
      group_(cluster.group()),
      self_(self),
      keys_(&keys),
      settings_(settings),
      monitor_(cluster.clock_skew_max) {
  require(cluster.is_valid() && group_.contains(self), "the cluster parameters form a group with this replica");
  require(settings.doublings_max < 32 && settings.request_timeout > 0s && settings.new_view_timeout > 0s,
          "time-outs are possible");
}

void view_changer::restore(view_number view, std::shared_ptr<const view_change> own, sequence_number low_watermark) {
  require(view_ == view_number{0} && changes_.empty(), "a restart comes first");
  view_ = view;
  low_watermark_ = low_watermark;
  active_ = own == nullptr;
  if (own != nullptr) changes_[self_] = std::move(own);
}

// --- When to leave a view ------------------------------------------------------------

view_change_effects view_changer::on_service(const service_report& report, moment now) {
  const bool is_idle = report.clients_waiting == 0 && report.requests_executed == executed_ &&
                       report.executed_through >= moves_.advance_through;
  if (!is_idle) busy_at_ = now;
  executed_ = report.requests_executed;
  if (!active_ || primary() == self_) return {};
  auto seen = report;
  // The request pool does not know the agreed moves, so they are added here.
  seen.wanted_through = moves_.advance_through;
  const auto reason = monitor_.judge(seen, request_timeout(), now);
  if (reason) return on_suspected(*reason, now);
  on_satisfied();
  return {};
}

view_change_effects view_changer::on_suspected(suspicion_reason reason, moment now) {
  require(primary() != self_, "a primary does not suspect itself");
  view_change_effects out;
  // One suspicion for a view is enough, and `on_tick` repeats it.
  if (!active_ || suspected_ || abstains_) return out;
  suspect(reason, now, out);
  return out;
}

void view_changer::suspect(suspicion_reason reason, moment now, view_change_effects& out) {
  suspected_ = true;
  suspicion_sent_at_ = now;
  out.observations.emplace_back(primary_suspected{view_, reason});
  send_suspicion(out);
  join(now, out);
}

void view_changer::on_satisfied() {
  // Good service does not clear a primary that is proven faulty or in quarantine.
  if (active_ && !std::ranges::binary_search(avoided_as_primary_, primary())) suspected_ = false;
}

view_change_effects view_changer::on_trust(const std::vector<replica_id>& avoided_as_primary, moment now) {
  require(avoided_as_primary.size() <= group_.faulty_max(), "no more primaries are avoided than the group can miss");
  avoided_as_primary_ = avoided_as_primary;
  view_change_effects out;
  suspect_avoided_as_primary(now, out);
  return out;
}

void view_changer::suspect_avoided_as_primary(moment now, view_change_effects& out) {
  // Before a quorum has left for a view, its NEW-VIEW cannot arrive. After that, this replica would wait for the
  // primary of the view, so it checks the primary here.
  const bool looks = active_ || quorum_at_.has_value();
  if (!looks || suspected_ || abstains_ || primary() == self_) return;
  if (std::ranges::binary_search(avoided_as_primary_, primary())) suspect(suspicion_reason::proven, now, out);
}

view_change_effects view_changer::on_moves(const agreed_moves& moves, const std::vector<view_number>& stepped_down,
                                           sequence_number at, moment now) {
  view_change_effects out;
  busy_at_ = now;
  const bool was_due = is_to_be_left();
  bool is_new = moves.least_view > moves_.least_view;
  bool is_late = is_new && moves.least_view <= view_;
  moves_ = moves;
  for (const auto view : stepped_down) {
    // Other views are ignored, because a faulty primary can step down from views that no replica will ever reach.
    if (view.next() < view_ || view > view_.next()) continue;
    is_new = stepped_down_.insert(view).second || is_new;
    is_late = is_late || view.next() == view_;
  }
  // A later hand-over does not delay the first one, because a faulty primary may order an old hand-over again and
  // again.
  if (is_new && !was_due) {
    hand_over_at_ = hand_over_point(moves, at, cluster_);
    // `request_timeout` is not used here, because it is short while the link to the primary is closed. A faulty primary
    // could close its link to one backup, and this backup would then leave the view alone.
    hand_over_by_ = now + doubled(settings_.request_timeout, doublings_);
  }
  take_back_patience(is_late);
  follow_moves(now, out);
  return out;
}

view_change_effects view_changer::on_low_watermark(sequence_number low, moment now) {
  low_watermark_ = std::max(low_watermark_, low);
  view_change_effects out;
  follow_moves(now, out);
  return out;
}

/// Takes back the doublings of a planned view change. Replicas that executed the move earlier may have caused this
/// replica to leave its view before it knew the plan. It is then changing to the planned view or, if `is_late`, has
/// entered it already. Doublings of other view changes are kept, because otherwise a faulty replica that asks for a
/// move could shorten the time-outs of all replicas (attack 20).
void view_changer::take_back_patience(bool is_late) {
  if (grown_.empty()) return;
  const auto last_from = grown_.back().from;
  const auto forgiven = std::erase_if(grown_, [&](const growth& each) {
    return is_planned(each.to) && (each.from == entered_view_ || (is_late && each.from == last_from));
  });
  doublings_ -= std::min(doublings_, static_cast<unsigned>(forgiven));
}

/// Whether all replicas leave for this view by agreement. Such a view change is not a sign of a slow network or a
/// faulty primary.
bool view_changer::is_planned(view_number to) const {
  return to <= moves_.least_view || (to > view_number{0} && stepped_down_.contains(view_number{to.value - 1}));
}

void view_changer::follow_moves(moment now, view_change_effects& out) const {
  const bool is_due = low_watermark_ >= hand_over_at_ || now >= hand_over_by_;
  // As with a suspicion, the view must have been entered, or a quorum must have left for it; `probation` depends on
  // this rule. In a view that was not entered no batch is ordered, so there is no checkpoint to wait for.
  const bool may_leave = (active_ && is_due) || quorum_at_.has_value();
  if (may_leave && is_to_be_left()) out.change_to = view_.next();
}

void view_changer::send_suspicion(view_change_effects& out) const {
  // A SUSPICION has no content besides view, signer and epoch, so two SUSPICIONs of one view never conflict.
  const statement content{view_, sequence_number{0}, digest{}, self_, cluster_.signing.epoch};
  const auto by = keys_->sign(signing_input(cluster_.signing, message_kind::suspicion, statement_bytes(content)));
  out.sends.push_back({std::nullopt, encode_vote(message_kind::suspicion, {content, by})});
}

view_change_effects view_changer::on_suspicion(const signed_statement& vote, moment now) {
  view_change_effects out;
  const auto& content = vote.content;
  if (content.replica == self_ || content.view < view_) {
    out.observations.emplace_back(frame_rejected{principal::of(content.replica), rejection::other_view});
    return out;
  }
  auto& heard = suspicions_[content.replica];
  // A delayed older SUSPICION does not replace a newer one.
  if (content.view.next() >= heard.wanted) heard = {content.view.next(), now};
  join(now, out);
  return out;
}

/// The highest view that each replica wants to be in, this replica included.
std::map<replica_id, view_number> view_changer::wanted_views(moment now) const {
  std::map<replica_id, view_number> wanted;
  const auto want = [&](replica_id replica, view_number view) {
    auto& known = wanted[replica];
    known = std::max(known, view);
  };
  // A VIEW-CHANGE counts without a limit, because its sender has left its view and cannot return. A SUSPICION can be
  // withdrawn, so it counts for `suspicion_life`.
  for (const auto& [replica, change] : changes_) {
    if (change != nullptr) want(replica, change->new_view);
  }
  for (const auto& [replica, heard] : suspicions_) {
    if (now < heard.at + suspicion_life) want(replica, heard.wanted);
  }
  if (suspected_) want(self_, view_.next());
  return wanted;
}

void view_changer::join(moment now, view_change_effects& out) const {
  // §4.5.2: "if a replica receives a set of f + 1 valid view-change messages from other replicas for views greater than
  // its current view, it sends a view-change message for the smallest view in the set, even if its timer has not
  // expired". A faulty replica may name any view, but the smallest of f + 1 views is not above the view that a correct
  // replica asks for (attack 19). Differs from §4.5.2 because suspicions come before VIEW-CHANGEs: SUSPICIONs count,
  // and so does its own suspicion.
  std::uint32_t replicas = 0;
  std::optional<view_number> smallest;
  for (const auto& [replica, view] : wanted_views(now)) {
    if (view <= view_) continue;
    ++replicas;
    smallest = std::min(smallest.value_or(view), view);
  }
  if (replicas >= group_.weak_quorum()) out.change_to = smallest;
}

view_change_effects view_changer::on_left(std::shared_ptr<const view_change> own, moment now) {
  require(own != nullptr && own->replica == self_ && own->new_view > view_, "a replica leaves for a later view");
  view_change_effects out;
  // The view ended before `calm_timeouts` had passed, or was never entered: the time-outs may be too short for this
  // network, so the next view gets more time (§4.5.2). A planned move does not count for this.
  const bool is_early = !active_ || now < entered_at_ + calm_timeouts * request_timeout();
  view_ = own->new_view;
  if (is_early && !is_planned(view_)) grow_patience();
  stepped_down_.erase(stepped_down_.begin(), stepped_down_.lower_bound(view_));
  active_ = false;
  // A replica on probation leaves a view only when it may commit in the next one, so from now on it can follow the
  // others.
  abstains_ = false;
  suspected_ = false;
  built_ = false;
  quorum_at_.reset();
  changes_[self_] = std::move(own);
  join(now, out);
  open(now, out);
  return out;
}

view_change_effects view_changer::on_view_change(std::shared_ptr<const view_change> change, moment now) {
  require(change != nullptr && group_.contains(change->replica), "a verified VIEW-CHANGE is of a member");
  view_change_effects out;
  const auto sender = change->replica;
  const auto reject = [&](rejection reason) {
    out.observations.emplace_back(frame_rejected{principal::of(sender), reason});
    return out;
  };
  // Only another process with the key of this replica can send this message.
  if (sender == self_) return reject(rejection::unsolicited);
  if (change->new_view < view_ || (change->new_view == view_ && active_)) return reject(rejection::other_view);
  auto& held = changes_[sender];
  if (held != nullptr && held->new_view >= change->new_view) {
    // The first VIEW-CHANGE of a replica for a view counts. A different second one is evidence (attack 13).
    const bool differs = held->new_view == change->new_view && !std::ranges::equal(held->raw.view, change->raw.view);
    return reject(differs ? rejection::conflicting_statement : rejection::duplicate);
  }
  held = std::move(change);
  join(now, out);
  open(now, out);
  return out;
}

// --- The new view --------------------------------------------------------------------

/// The VIEW-CHANGEs from which a NEW-VIEW of `view` can be built.
std::vector<std::shared_ptr<const view_change>> view_changer::changes_for(view_number view) const {
  std::vector<std::shared_ptr<const view_change>> all;
  for (const auto& [replica, change] : changes_) {
    if (change != nullptr && change->new_view == view) all.push_back(change);
  }
  return all;
}

/// The number of replicas that have left for `view` or a later view.
std::size_t view_changer::changes_from(view_number view) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      changes_, [view](const auto& each) { return each.second != nullptr && each.second->new_view >= view; }));
}

void view_changer::open(moment now, view_change_effects& out) {
  if (active_) return;
  // §4.5.2: a replica "waits for 2f + 1 view-change messages for view v + 1 and then starts a timer to expire after
  // some time T" (attack 20). VIEW-CHANGEs for later views count too: a replica that has left for a later view does not
  // return, and if a quorum is spread over several views, all replicas have to meet in a later view.
  if (changes_from(view_) < group_.quorum()) return;
  if (!quorum_at_) quorum_at_ = now;
  suspect_avoided_as_primary(now, out);
  follow_moves(now, out);
  auto changes = changes_for(view_);
  if (changes.size() < group_.quorum()) return;
  // §4.4: "When the primary p of view v + 1 receives 2f valid view-change messages for view v + 1 from other replicas,
  // it multicasts a ⟨NEW-VIEW, v + 1, V, O⟩σp message to all other replicas".
  if (built_ || primary() != self_) return;
  built_ = true;
  // V has exactly a quorum of VIEW-CHANGEs, because a frame has no room for more. It includes this replica's
  // VIEW-CHANGE, so that O covers the certificates of the primary itself.
  const auto own = std::ranges::find(changes, self_, [](const auto& each) { return each->replica; });
  require(own != changes.end(), "the primary of a view has left for it");
  std::rotate(changes.begin(), own, own + 1);
  changes.resize(group_.quorum());
  out.opened = build(changes);
}

std::shared_ptr<const planned_new_view> view_changer::build(
    const std::vector<std::shared_ptr<const view_change>>& changes) const {
  auto opened = std::make_shared<new_view>();
  opened->view = view_;
  opened->replica = self_;
  for (const auto& each : changes)
    opened->view_changes.push_back(*each);
  auto plan = plan_of(opened->view_changes);
  // Each header of O is signed by itself, because a backup puts it into its slot and into later certificates.
  for (const auto& content : reproposals_of(plan, view_, self_, cluster_.signing.epoch)) {
    const auto by = keys_->sign(signing_input(cluster_.signing, message_kind::pre_prepare, statement_bytes(content)));
    opened->reproposals.push_back({content, by});
  }
  auto buffer = new_view_buffer(*opened);
  opened->by = keys_->sign(signing_input(cluster_.signing, message_kind::new_view, buffer));
  const auto frame = seal(message_kind::new_view, std::move(buffer), opened->by);
  opened->raw = {frame, body_of(*frame)};
  return std::make_shared<const planned_new_view>(planned_new_view{std::move(opened), std::move(plan)});
}

view_change_effects view_changer::on_entered(view_number view, moment now) {
  require(view >= view_, "views only grow");
  view_ = view;
  active_ = true;
  suspected_ = false;
  quorum_at_.reset();
  stepped_down_.erase(stepped_down_.begin(), stepped_down_.lower_bound(view_));
  entered_view_ = view;
  entered_at_ = now;
  calm_since_ = now;
  busy_at_ = now;
  // VIEW-CHANGEs for this view and earlier views are no longer needed; those for later views still count.
  std::erase_if(changes_, [&](const auto& each) { return each.second == nullptr || each.second->new_view <= view; });
  // SUSPICIONs from the time before the view was entered are not about the primary of this view. A replica that still
  // suspects the primary sends its SUSPICION again.
  suspicions_.clear();
  monitor_.on_view(now);
  view_change_effects out;
  suspect_avoided_as_primary(now, out);
  follow_moves(now, out);
  return out;
}

// --- Time ----------------------------------------------------------------------------

duration view_changer::request_timeout() const {
  return doubled(closed_links_.contains(primary()) ? settings_.closed_link_timeout : settings_.request_timeout,
                 doublings_);
}

duration view_changer::new_view_timeout() const {
  const bool closed = closed_links_.contains(primary());
  // While the link is closed, the time-out is shorter, never longer.
  const auto once =
      closed ? std::min(settings_.closed_link_timeout, settings_.new_view_timeout) : settings_.new_view_timeout;
  return doubled(once, doublings_);
}

/// Doubles the time-outs and notes the view change that caused it, because a hand-over that becomes known later may
/// take the doubling back.
void view_changer::grow_patience() {
  if (doublings_ == settings_.doublings_max) return;
  ++doublings_;
  grown_.push_back({view_, entered_view_});
}

void view_changer::on_link_changed(replica_id replica, bool up) {
  if (up) {
    closed_links_.erase(replica);
  } else {
    closed_links_.insert(replica);
  }
}

bool view_changer::may_rest(moment now) const {
  return active_ && !suspected_ && suspicions_.empty() && doublings_ == 0 && !is_to_be_left() &&
         now >= busy_at_ + calm_before_rest;
}

view_change_effects view_changer::on_tick(moment now) {
  view_change_effects out;
  // §4.5.2: "If the timer expires before it receives a valid new-view message for v + 1 … it starts the view change for
  // view v + 2 but this time it will wait 2T". As in an entered view, the replica sends a SUSPICION first: the NEW-VIEW
  // may only have been lost on the way here, and then another replica sends it again.
  const bool late = !active_ && quorum_at_ && now >= *quorum_at_ + new_view_timeout();
  if (late && !suspected_) suspect(suspicion_reason::mute, now, out);
  if (suspected_ && now >= suspicion_sent_at_ + suspicion_period) {
    suspicion_sent_at_ = now;
    send_suspicion(out);
  }
  // The replica may have been unable to leave when it was asked before, because it was on probation or its state was
  // wrong.
  join(now, out);
  follow_moves(now, out);
  if (!active_) return out;
  // One doubling is taken back after each calm period, so the time-outs return to their initial values step by step.
  if (suspected_) calm_since_ = now;
  if (doublings_ > 0 && now >= calm_since_ + calm_timeouts * request_timeout()) {
    --doublings_;
    if (!grown_.empty()) grown_.erase(grown_.begin());
    calm_since_ = now;
  }
  return out;
}

}  // namespace hypermesh::protocol
