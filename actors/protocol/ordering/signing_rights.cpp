#include "actors/protocol/ordering/signing_rights.hpp"

namespace hypermesh::protocol {

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
  const auto floor = on->floor();
  const auto first_view = on->first_view();
  on->on_status(value.replica, value.view, value.low_watermark, low);
  // Without a floor this replica may sign nothing, so there is nothing to report.
  if (!on->floor() || (floor == on->floor() && first_view == on->first_view())) return std::nullopt;
  return probation_changed{*on->floor(), on->first_view(), false};
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
  if (on == nullptr || !on->floor()) return std::nullopt;
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
