#include "tests/simulation/view_change_causes.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh::testing {

void view_change_causes::on_suspected(replica_id replica, view_number view, bool is_bound) {
  suspected_[replica].insert(view);
  if (is_bound) wanted_ = std::max(wanted_, view.next());
}

void view_change_causes::on_agreed(const move_agreed& move) {
  if (move.wanted.kind != message_kind::hand_over) return;
  if (move.wanted.cause != hand_over_cause::step_down) {
    least_view_ = std::max(least_view_, move.wanted.to);
  } else if (move.wanted.to > view_number{0}) {
    stepped_down_.insert(view_number{move.wanted.to.value - 1});
  }
}

std::optional<std::string> view_change_causes::wrong_suspicion(replica_id replica, view_number view) const {
  const auto own = suspected_.find(replica);
  if (own != suspected_.end() && own->second.contains(view)) return std::nullopt;
  return fmt::format("replica {} suspects the primary of view {} without a finding of its own", replica.value,
                     view.value);
}

std::optional<std::string> view_change_causes::wrong_departure(replica_id replica, view_number to) const {
  // A replica follows f + 1 others to the smallest view that they want, or to an earlier view. One of the f + 1 is
  // correct: it suspects the primary before the view that it wants, or it has left for that view for one of these
  // causes.
  const bool is_agreed =
      to <= least_view_ || (to > view_number{0} && stepped_down_.contains(view_number{to.value - 1}));
  if (to <= wanted_ || is_agreed) return std::nullopt;
  return fmt::format("replica {} leaves for view {}, but no correct replica suspects the primary before it",
                     replica.value, to.value);
}

}  // namespace hypermesh::testing
