#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/reputation_ledger.hpp"
#include "runtime/consensus_client.hpp"

namespace hypermesh::cli {

/// By replica number; nothing for a replica that did not answer.
using cluster_reports = std::vector<std::optional<node_report>>;

/// Asks all replicas but those `left_out` where they stand, again and again until each has answered or `patience` has
/// passed. `keep_on` is asked meanwhile and ends it early with false.
[[nodiscard]] cluster_reports collect_reports(consensus_client& client, std::uint32_t replicas,
                                              std::chrono::milliseconds patience, const std::function<bool()>& keep_on,
                                              const std::set<std::uint32_t>& left_out = {});

[[nodiscard]] std::size_t reachable_count(const cluster_reports& reports);

/// Whether all that answered have executed equally much.
[[nodiscard]] bool are_level(const cluster_reports& reports);

/// Whether two replicas that have executed equally much report different states: one of them is faulty.
[[nodiscard]] bool have_diverged(const cluster_reports& reports);

/// The latest view that f+1 replicas have reached, of which at least one is correct; view 0 when fewer answered.
[[nodiscard]] view_number current_view(const cluster_reports& reports, const cluster_parameters& cluster);

/// What the group holds of one of its replicas.
struct agreed_standing {
  std::uint64_t score = reputation_ledger::score_max;
  std::uint64_t convictions = 0;
  sequence_number convicted_at;
  /// 0: not in quarantine.
  sequence_number quarantined_until;
  bool awaits_quarantine = false;

  [[nodiscard]] bool is_convicted() const { return quarantined_until > sequence_number{0} || awaits_quarantine; }
  friend auto operator<=>(const agreed_standing&, const agreed_standing&) = default;
};

/// What f+1 of the others report alike of `replica`, if one of them is as far as a correct replica; nothing when too
/// few answered, or while they differ.
[[nodiscard]] std::optional<agreed_standing> standing_of(replica_id replica, const cluster_reports& reports,
                                                         const cluster_parameters& cluster);

/// How many convicted clients may have one request under way: as many as a correct replica says, f + 1 at least.
[[nodiscard]] std::uint64_t clients_restrained(const cluster_reports& reports, const cluster_parameters& cluster);

/// An address of the genesis at which somebody found another replica.
struct wrong_address {
  principal seen_by;
  misdirected_address what;
};

/// What the replicas report of it, and what the client `self` found itself.
[[nodiscard]] std::vector<wrong_address> wrong_addresses(const cluster_reports& reports, principal self,
                                                         const std::vector<misdirected_address>& own);

/// "at replica-1 the address of replica 2 answers as replica 3"
[[nodiscard]] std::string text_of(const wrong_address& wrong);

/// The value of a counter of the report; nothing when it has none of that name.
[[nodiscard]] std::optional<std::uint64_t> find_counter(const node_report& report, std::string_view name);

/// The value of a counter of the report; 0 when it has none of that name.
[[nodiscard]] std::uint64_t counter_of(const node_report& report, std::string_view name);

/// Frames that the replica did not accept, for any reason but that they came after the decision.
[[nodiscard]] std::uint64_t rejected_by(const node_report& report);

}  // namespace hypermesh::cli
