#include "actors/protocol/ordering/signing_rights.hpp"

namespace hypermesh::protocol {

void signing_rights::start_probation(bool may_be_new) {
  now_.emplace<probation>(cluster_);
  if (may_be_new) first_.emplace(cluster_, self_);
}

void signing_rights::on_tick() {
  if (first_) first_->on_tick();
}

first_start::finding signing_rights::decide_first_start(view_number view, sequence_number low) {
  if (!first_) return first_start::finding::open;
  auto found = first_->found();
  if (found == first_start::finding::open) return found;
  // A replica that has followed the others past the beginning needs the proof of `probation`.
  if (view != view_number{0} || low != sequence_number{0}) found = first_start::finding::refuted;
  first_.reset();
  if (found == first_start::finding::proven) now_.emplace<full_member>();
  return found;
}

bool signing_rights::may_prepare(sequence_number low) const {
  const auto* on = std::get_if<probation>(&now_);
  return on == nullptr || on->may_prepare(low);
}

bool signing_rights::may_leave_for(view_number view, sequence_number low) const {
  const auto* on = std::get_if<probation>(&now_);
  return on == nullptr || on->may_commit(view, low);
}

std::optional<probation_changed> signing_rights::on_status(const status& value, sequence_number low) {
  auto* on = std::get_if<probation>(&now_);
  if (on == nullptr) return std::nullopt;
  on->on_status(value.replica, value.view, value.low_watermark, low);
  if (first_) first_->on_status(value);
  // Without a floor this replica may sign nothing, so there is nothing to report. A first start that is nearly proven
  // makes the floor useless.
  if (!on->floor() || (first_ && first_->quiet_is_enough())) return std::nullopt;
  const rights_reported now{*on->floor(), on->first_view()};
  if (reported_ == now) return std::nullopt;
  reported_ = now;
  return probation_changed{now.floor, now.first_view, false};
}

/// Two conditions end the probation: h is at or above every sequence number for which this replica may have voted, and
/// this replica cannot have sent a VIEW-CHANGE for `view` or a later view.
std::optional<probation_changed> signing_rights::end(view_number view, sequence_number low) {
  const auto* on = std::get_if<probation>(&now_);
  if (on == nullptr || !on->may_commit(view, low)) return std::nullopt;
  const probation_changed ended{*on->floor(), on->first_view(), true};
  now_.emplace<full_member>();
  return ended;
}

std::optional<readmission_wish> signing_rights::wish(view_number view, sequence_number low, bool is_alone) const {
  const auto* on = std::get_if<probation>(&now_);
  if (on == nullptr || !on->floor() || (first_ && first_->quiet_is_enough())) return std::nullopt;
  // This replica asks for the floor first, because below the floor it may not commit in any view.
  if (!on->may_prepare(low)) return readmission_wish{on->floor(), std::nullopt};
  const auto wanted = view_to_ask_for(*on, view, is_alone);
  return wanted ? std::optional{readmission_wish{std::nullopt, wanted}} : std::nullopt;
}

/// The view in which this replica may commit, and to which it asks the others to move. It never asks for a view of
/// which it is the primary, because a faulty replica could make itself primary in this way (`evidence_pool`). A replica
/// that waits alone in a view cannot return to an earlier view, so it asks the others to move to its view.
std::optional<view_number> signing_rights::view_to_ask_for(const probation& on, view_number view, bool is_alone) const {
  const auto first = on.first_view();
  const auto group = cluster_.group();
  if (view < first) return group.primary_of(first) == self_ ? first.next() : first;
  // A replica that is in `first` or in a later view asks for no view, because its probation ends in the view in which
  // it is.
  if (!is_alone) return std::nullopt;
  return group.primary_of(view) == self_ ? view.next() : view;
}

}  // namespace hypermesh::protocol
