#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "actors/protocol/guard/peer_trust.hpp"
#include "messages/values.hpp"
#include "runtime/metrics/host_facts.hpp"

namespace hypermesh::http {

/// What the node last told about itself, from one round of questions.
struct node_facts {
  /// Nothing if the monitor did not answer within its time. The report has no state root.
  std::optional<node_report> report;
  /// By replica number; nothing if the reputation tracker did not answer.
  std::optional<std::vector<reputation>> reputations;
  metrics::host_facts host;
  /// The error that made the node stop taking part in the protocol, if there was one.
  or_error<void> works;
};

/// The judgement about a node, for probes and for people.
struct health_answer {
  /// Whether the process works at all. A supervisor should restart a process that is not live.
  bool is_live = false;
  /// Whether clients should use this replica.
  bool is_ready = false;
  /// Why the node is degraded or not ready; empty for a healthy node. Snake case and bounded in number.
  std::vector<std::string> reasons;
  /// The judgement in one sentence.
  std::string sentence;
};

/// The port to the judgement. It runs on the sampler's thread and may be as slow as the facts.
using health_port = std::function<health_answer(const node_facts&)>;

/// A judgement by the facts alone. Pure. Live: the monitor answers. Ready: the node did not fail, votes, and is in an
/// active view. Degraded: a disk is nearly full, or another replica is in quarantine.
[[nodiscard]] health_answer assess_by_facts(const node_facts& facts);

/// The value of a counter of the report; 0 if the report lacks it.
[[nodiscard]] std::uint64_t counter_in(const node_report& report, std::string_view name);

/// Texts of one line or more, for the routes.
[[nodiscard]] std::string probe_text(const health_answer& health, bool passes, bool is_verbose);
/// The body of /api/v1/status. `self` is the number of the replica, also while there is no report.
[[nodiscard]] std::string status_json(replica_id self, const node_facts& facts, const health_answer& health,
                                      std::chrono::milliseconds age);

}  // namespace hypermesh::http
