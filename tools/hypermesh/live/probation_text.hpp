#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/client/cluster_reports.hpp"

namespace hypermesh::cli {

/// The probation of a replica that lost its disk, as the replica itself reports it.
struct probation_word {
  /// The replica prepares and votes for checkpoints above this sequence number; nothing while it does not know the
  /// floor.
  std::optional<sequence_number> floor;
  /// The replica commits and sends VIEW-CHANGEs from this view on; nothing while it does not know the view.
  std::optional<view_number> first_view;

  friend bool operator==(const probation_word&, const probation_word&) = default;
};

/// The probation in the report; nothing if the replica is a full member.
[[nodiscard]] std::optional<probation_word> probation_in(const node_report& report);

/// The number of replicas that answered and are full members.
[[nodiscard]] std::size_t voting_count(const cluster_reports& reports);

/// Returns for example "lost its disk and may vote above sequence 512, and commit from view 2 on".
[[nodiscard]] std::string text_of(const probation_word& word);

/// Describes the effect of the probations on the service; empty if no replica is on probation.
[[nodiscard]] std::string probation_summary(const cluster_reports& reports, group_size group);

/// The probation as a JSON object; null if the replica is a full member.
[[nodiscard]] nlohmann::ordered_json json_of(const std::optional<probation_word>& word);

}  // namespace hypermesh::cli
