#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/observations.hpp"
#include "messages/values.hpp"

namespace hypermesh::testing {

/// The findings of correct replicas about primaries, and the moves that the group agreed on: the causes for which a
/// view may be left (I18). Pure. Memory: one entry for each replica and view that was suspected or given up.
class view_change_causes {
 public:
  /// `is_bound`: the replica counts as correct, so that its finding may move others.
  void on_suspected(replica_id replica, view_number view, bool is_bound);
  void on_agreed(const move_agreed& move);

  /// How a correct replica's SUSPICION of `view` breaks I18, if it does.
  [[nodiscard]] std::optional<std::string> wrong_suspicion(replica_id replica, view_number view) const;
  /// How a correct replica's VIEW-CHANGE for `to` breaks I18, if it does.
  [[nodiscard]] std::optional<std::string> wrong_departure(replica_id replica, view_number to) const;

 private:
  /// The views that each replica itself has suspected the primary of.
  std::map<replica_id, std::set<view_number>> suspected_;
  /// The highest of them, and the next view: what a replica that suspects wants to be in.
  view_number wanted_;
  /// All views before this one are left by agreement.
  view_number least_view_;
  /// The views whose primaries stepped down.
  std::set<view_number> stepped_down_;
};

}  // namespace hypermesh::testing
