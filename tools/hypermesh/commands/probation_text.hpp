#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/client/cluster_reports.hpp"

namespace hypermesh::cli {

/// The probation of a replica that lost its disk, as the replica itself reports it.
struct probation_word {
  /// It prepares and votes for checkpoints above this sequence number; nothing while it does not know the floor yet.
  std::optional<sequence_number> floor;
  /// It commits, and sends VIEW-CHANGEs, from this view on; nothing while it does not know the view yet.
  std::optional<view_number> first_view;

  friend bool operator==(const probation_word&, const probation_word&) = default;
};

/// Nothing if the replica is a full member.
[[nodiscard]] std::optional<probation_word> probation_in(const node_report& report);

/// How many of the replicas that answered are full members.
[[nodiscard]] std::size_t voting_count(const cluster_reports& reports);

/// "lost its disk and may vote above sequence 512, and commit from view 2 on".
[[nodiscard]] std::string text_of(const probation_word& word);

/// What the probations mean for the service; empty if no replica is on probation.
[[nodiscard]] std::string probation_summary(const cluster_reports& reports, group_size group);

/// Null if the replica is a full member.
[[nodiscard]] nlohmann::ordered_json json_of(const std::optional<probation_word>& word);

}  // namespace hypermesh::cli
