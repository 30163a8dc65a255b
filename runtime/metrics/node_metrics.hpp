#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/guard/peer_trust.hpp"
#include "runtime/links/link_counters.hpp"
#include "runtime/metrics/host_facts.hpp"
#include "runtime/metrics/metric_values.hpp"

namespace hypermesh::metrics {

/// Folds the observations of a node into the values of its metrics. Pure, and not thread-safe.
///
/// Memory: the values, and one entry for each batch between the watermarks whose commit or execution was observed and
/// whose other event was not.
class node_metrics {
 public:
  /// `window` is L, the largest number of batches that may be under way.
  node_metrics(replica_id self, std::uint32_t replicas, std::uint32_t window);

  void note(const observation& what);
  void note_link(replica_id to, bool up);
  /// A group of records became durable after this time.
  void note_write(std::size_t records, std::size_t bytes, std::chrono::nanoseconds took);

  [[nodiscard]] const metric_values& values() const { return values_; }

 private:
  struct noting;
  using time = moment;

  /// The two actors that commit and execute report to the monitor independently, so either event may come first.
  struct batch_end {
    sequence_number sequence;
    time committed{};
    time executed{};
  };

  void note_end(sequence_number sequence, time committed, time executed);
  void note_phase(phase what, time from, time to);
  void note_position(metric id, sequence_number sequence);
  void note_certified(sequence_number sequence);
  void refresh_lag();

  metric_values values_;
  /// The entry of sequence n is at n mod L.
  std::vector<batch_end> ends_;
  sequence_number last_committed_;
  sequence_number last_executed_;
  sequence_number certified_;
};

/// Adds the counters of the links to the values.
void fold(const links::link_counters& counted, metric_values& into);
/// Whether the group has agreed to quarantine the replica, now or as soon as it may.
[[nodiscard]] bool is_punished(const reputation& each);
/// Adds the reputations of all replicas, by replica number.
void fold(const std::vector<reputation>& reputations, metric_values& into);
void fold(const host_facts& facts, metric_values& into);

}  // namespace hypermesh::metrics
