#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/observations.hpp"
#include "messages/values.hpp"

namespace hypermesh::testing {

/// The causes for which a view may be left (I18): findings of correct replicas about primaries, and moves that the
/// group agreed on. Pure. Memory: one entry for each replica and view that was suspected or given up.
class view_change_causes {
 public:
  /// `is_bound` means that the replica counts as correct, so its finding is a cause for others too.
  void on_suspected(replica_id replica, view_number view, bool is_bound);
  void on_agreed(const move_agreed& move);

  /// Describes how a correct replica's SUSPICION of `view` violates I18, if it does.
  [[nodiscard]] std::optional<std::string> wrong_suspicion(replica_id replica, view_number view) const;
  /// Describes how a correct replica's VIEW-CHANGE for `to` violates I18, if it does.
  [[nodiscard]] std::optional<std::string> wrong_departure(replica_id replica, view_number to) const;

 private:
  /// The views whose primary each replica itself has suspected.
  std::map<replica_id, std::set<view_number>> suspected_;
  /// The view after the highest suspected view. A replica that suspects a primary wants to be in the next view.
  view_number wanted_;
  /// The group has agreed to leave all views before this view.
  view_number least_view_;
  /// The views whose primaries stepped down.
  std::set<view_number> stepped_down_;
};

}  // namespace hypermesh::testing
