#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"
#include "runtime/health/assessment.hpp"

namespace hypermesh::health {

/// The health of a group as a client sees it, from the reports of the replicas.

/// The counters with which a node reports its health. A counter about another replica exists once that replica was in
/// another condition than `voting`. Their number in a report is bounded: five, and one for each replica.
[[nodiscard]] std::vector<named_counter> counters_of(const health_report& report, bool keeps_disk,
                                                     std::set<replica_id>& shown);

/// What a client collected.
struct cluster_observations {
  cluster_parameters cluster;
  /// By replica number; empty if the replica did not answer.
  std::vector<std::optional<node_report>> reports;
  /// The view that f + 1 replicas have reached; nothing if too few answered.
  std::optional<view_number> view;
  /// For each replica that f + 1 others report to be in quarantine, the end of it.
  std::vector<health_reason> quarantined;
};

/// The report of a client. No replica is believed alone:
///
/// 1. What a replica says against itself counts.
/// 2. A replica of which f + 1 others say that it does not take part is a fault.
/// 3. If fewer say so, the replica or each of them is faulty, or the links between them. All of them are in doubt, and
/// no
///    restart relies on any of them. As many replicas count as faults as explain all contradictions.
/// 4. So a restart relies on a quorum of replicas of which each one says of all others that they take part. At least
///    f + 1 of them are correct, so every one of them was seen to take part by a correct replica. Up to f liars can
///    make a safe restart look unsafe, but not an unsafe restart look safe.
[[nodiscard]] health_report assess_cluster(const cluster_observations& seen);

}  // namespace hypermesh::health
