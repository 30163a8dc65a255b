#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/cluster_reports.hpp"

namespace hypermesh::cli {

/// A replica that lost its disk and may not vote on everything yet, by its own word.
struct probation_word {
  /// It votes for sequences above this one; nothing while it does not know yet.
  std::optional<sequence_number> floor;
  /// It commits, and changes views, from this view on; nothing while it does not know yet.
  std::optional<view_number> first_view;

  friend bool operator==(const probation_word&, const probation_word&) = default;
};

/// Nothing when the replica is a full member.
[[nodiscard]] std::optional<probation_word> probation_in(const node_report& report);

/// How many of those that answered have a full vote.
[[nodiscard]] std::size_t voting_count(const cluster_reports& reports);

/// "lost its disk and votes above sequence 512 and from view 2 on".
[[nodiscard]] std::string text_of(const probation_word& word);

/// What it means for the service that replicas are on probation; empty when none is.
[[nodiscard]] std::string probation_summary(const cluster_reports& reports, group_size group);

/// Null when the replica is a full member.
[[nodiscard]] nlohmann::ordered_json json_of(const std::optional<probation_word>& word);

}  // namespace hypermesh::cli
