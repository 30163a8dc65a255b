#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "messages/time.hpp"
#include "tools/hypermesh/client/cluster_reports.hpp"

namespace hypermesh::cli {

/// The cluster as a client sees it, for INFO. No replica is believed alone: the view, the primary and the executed
/// batches are what f + 1 replicas have reached. Memory: 1 KiB, because the sentence is bounded.
struct cluster_view {
  std::uint32_t members = 0;
  /// Members that answered.
  std::uint32_t answering = 0;
  /// Nothing if fewer than f + 1 members answered.
  std::optional<view_number> view;
  std::optional<replica_id> primary;
  std::optional<sequence_number> executed;
  /// The first sentence of `hypermesh status`.
  std::string health;
  /// When the answers were there.
  moment seen_at{};
};

/// Pure.
[[nodiscard]] cluster_view view_of(const cluster_reports& reports, const cluster_parameters& cluster, moment seen_at);

/// The lines of INFO below "# Hypermesh"; `view` is null before the first answers. Pure.
[[nodiscard]] std::string cluster_lines(const cluster_view* view, moment now);

}  // namespace hypermesh::cli
