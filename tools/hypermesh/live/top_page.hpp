#pragma once

#include <string>

#include "tools/hypermesh/live/cluster_trend.hpp"
#include "tools/hypermesh/terminal/live_screen.hpp"

namespace hypermesh::cli {

/// What the page of `top` shows. Pure.
struct top_state {
  cluster_status status;
  cluster_view view;
  /// The time of the last look, for people.
  std::string seen_at;
  double interval_seconds = 2;
  sort_key order = sort_key::number;
  bool is_paused = false;
  bool shows_help = false;
  /// Whether keys are read. A page that is printed does not name them.
  bool has_keys = true;
};

/// The page for a terminal of this size: a head with the numbers of the group, then one row for each replica. A narrow
/// page has at most 80 columns whatever the replicas report; from `top_wide_columns` on, the rows also have the latency
/// of each phase and the replica's address. If the replicas do not fit, the last line says how many are left out.
[[nodiscard]] std::string top_page(const top_state& state, const screen_size& size, const text_style& style);

inline constexpr std::size_t top_wide_columns = 150;

}  // namespace hypermesh::cli
