#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/reputation/reputation_ledger.hpp"
#include "runtime/health/cluster_health.hpp"
#include "runtime/hosted_client.hpp"

namespace hypermesh::cli {

/// The reports by replica number. The entry of a replica that did not answer is empty.
using cluster_reports = std::vector<std::optional<node_report>>;

/// Asks all replicas except those in `left_out` for their reports, repeatedly, until each has answered or `patience`
/// has passed. Calls `keep_on` meanwhile and stops when it returns false.
[[nodiscard]] cluster_reports collect_reports(hosted_client& client, std::uint32_t replicas,
                                              std::chrono::milliseconds patience, const std::function<bool()>& keep_on,
                                              const std::set<std::uint32_t>& left_out = {});

[[nodiscard]] std::size_t reachable_count(const cluster_reports& reports);

/// Whether all replicas that answered have executed the same number of batches.
[[nodiscard]] bool are_level(const cluster_reports& reports);

/// Whether two replicas report different states after the same sequence number. One of them is then faulty.
[[nodiscard]] bool have_diverged(const cluster_reports& reports);

/// The latest view that f + 1 replicas have reached. At least one of them is correct. View 0 if fewer replicas
/// answered.
[[nodiscard]] view_number current_view(const cluster_reports& reports, const cluster_parameters& cluster);

/// The agreed reputation of one replica.
struct agreed_standing {
  std::uint64_t score = reputation_ledger::score_max;
  std::uint64_t convictions = 0;
  sequence_number convicted_at;
  /// The end of the quarantine; 0 if the replica is not in quarantine.
  sequence_number quarantined_until;
  bool awaits_quarantine = false;

  [[nodiscard]] bool is_convicted() const { return quarantined_until > sequence_number{0} || awaits_quarantine; }
  friend auto operator<=>(const agreed_standing&, const agreed_standing&) = default;
};

/// The standing of `replica` on which the reports of f + 1 other replicas agree, if one of these replicas has executed
/// as much as a correct replica. Nothing if too few replicas answered, or while the reports differ.
[[nodiscard]] std::optional<agreed_standing> standing_of(replica_id replica, const cluster_reports& reports,
                                                         const cluster_parameters& cluster);

/// The number of convicted clients that are rate-limited. It is the highest number that f + 1 replicas report, so at
/// least one correct replica has reached it.
[[nodiscard]] std::uint64_t clients_rate_limited(const cluster_reports& reports, const cluster_parameters& cluster);

/// The health of the group, by the rule of `runtime/health`.
[[nodiscard]] health_report health_of(const cluster_reports& reports, const cluster_parameters& cluster);

/// An address of the genesis at which a member reached another replica than expected.
struct wrong_address {
  principal seen_by;
  misdirected_address what;
};

/// The wrong addresses that the replicas report, and those that the client `self` found.
[[nodiscard]] std::vector<wrong_address> wrong_addresses(const cluster_reports& reports, principal self,
                                                         const std::vector<misdirected_address>& own);

/// Describes the wrong address: "replica-1 dialed the address of replica 2 and reached replica 3"
[[nodiscard]] std::string text_of(const wrong_address& wrong);

/// The value of a counter of the report; nothing if there is no counter of that name.
[[nodiscard]] std::optional<std::uint64_t> find_counter(const node_report& report, std::string_view name);

/// The value of a counter of the report; 0 if there is no counter of that name.
[[nodiscard]] std::uint64_t counter_of(const node_report& report, std::string_view name);

/// The number of frames that the replica rejected, without frames that arrived after the decision.
[[nodiscard]] std::uint64_t rejected_by(const node_report& report);

}  // namespace hypermesh::cli
