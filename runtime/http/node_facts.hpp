#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "actors/protocol/guard/peer_trust.hpp"
#include "messages/values.hpp"
#include "runtime/health/health_report.hpp"
#include "runtime/metrics/host_facts.hpp"

namespace hypermesh::http {

/// What the node last said about itself, in one round of questions of the sampler.
struct node_facts {
  /// Nothing if the monitor did not answer within its time. The report has no state root.
  std::optional<node_report> report;
  /// By replica number; nothing if the reputation tracker did not answer.
  std::optional<std::vector<reputation>> reputations;
  metrics::host_facts host;
  /// The error that made the node stop taking part in the protocol, if there was one.
  or_error<void> works;
};

/// The health of a node, with what its machine and its reports add to it. For probes, status and events.
struct health_answer {
  health::health_report report;
  /// What needs attention and does not forbid the use of the node: "data_disk_nearly_full" and the same for the audit
  /// trail, "lags", "replica_convicted", and "no_answer" if the sampler hangs. Bounded in number.
  std::vector<std::string> attention;
  /// Whether the process works at all. A supervisor should restart a process that is not live.
  bool is_live = false;
  /// Whether clients should use this replica.
  bool is_ready = false;

  [[nodiscard]] bool is_degraded() const { return report.degraded() || !attention.empty(); }
};

/// The port to the judge of the node. Any thread may call it, and it returns at once.
using health_port = std::function<health::health_report()>;

/// Adds the facts of the last round, which is `age` old, to the report. Pure. The report decides whether the node is
/// live and ready, except if the sampler hangs: then an actor or a disk hangs that the report cannot see.
[[nodiscard]] health_answer answer_of(health::health_report report, const node_facts& facts,
                                      std::chrono::milliseconds age);

/// A round that is older than this means that the sampler hangs.
inline constexpr std::chrono::seconds sample_age_max{15};

/// Texts of one line or more, for the routes.
[[nodiscard]] std::string probe_text(const health_answer& health, bool passes, bool is_verbose);
/// The body of /api/v1/status. `self` is the number of the replica, also while there is no report.
[[nodiscard]] std::string status_json(replica_id self, const node_facts& facts, const health_answer& health,
                                      std::chrono::milliseconds age);

}  // namespace hypermesh::http
