#pragma once

#include <chrono>
#include <functional>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "runtime/health/health_report.hpp"
#include "tools/hypermesh/client/cluster_reports.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// What one round of questions to all replicas told. Memory: one report for each replica, at most 50 KiB each.
struct cluster_status {
  genesis cluster;
  cluster_reports reports;
  std::vector<wrong_address> wrong;
  health_report health;

  [[nodiscard]] group_size group() const { return cluster.parameters().group(); }
  /// A replica that lost its disk answers like any other replica, but its vote does not count yet.
  [[nodiscard]] bool has_quorum() const;
  [[nodiscard]] replica_id primary() const { return group().primary_of(current_view(reports, cluster.parameters())); }
  /// Whether f + 1 replicas agree on a view and this replica leads it.
  [[nodiscard]] bool is_primary(std::uint32_t number) const { return has_quorum() && replica_id{number} == primary(); }
};

/// Asks all replicas, until each has answered or `patience` has passed. Calls `keep_on` meanwhile and stops asking when
/// it returns false.
[[nodiscard]] cluster_status look_at(cluster_session& session, std::chrono::milliseconds patience,
                                     const std::function<bool()>& keep_on);

/// The role of a replica in one word: "primary", "backup", "probation" or "unreachable".
[[nodiscard]] std::string role_of(const cluster_status& status, std::uint32_t number, const text_style& style);

/// The exit code of a command that shows the status: no quorum, differing replicas, or ok.
[[nodiscard]] exit_code verdict_of(const cluster_status& status);

/// Describes the reachability of the replicas and what an operator should do, in one sentence. Pure, like all functions
/// below.
[[nodiscard]] std::string summary_of(const cluster_status& status);

enum class status_form {
  /// At most `status_columns_max` columns, whatever the replicas report.
  narrow,
  /// All columns.
  wide,
};
inline constexpr std::size_t status_columns_max = 80;

/// The table with one row for each replica.
[[nodiscard]] std::string table_of(const cluster_status& status, status_form form, const text_style& style);

/// The sentence about the health, and the table below it.
[[nodiscard]] std::string page_of(const cluster_status& status, status_form form, const text_style& style);

/// One line without numbers that change all the time, so that an equal line means that nothing happened: health, view,
/// primary, and the replicas that are no full members.
[[nodiscard]] std::string change_line_of(const cluster_status& status);

[[nodiscard]] nlohmann::ordered_json json_of(const cluster_status& status);

}  // namespace hypermesh::cli
