#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "actors/interfaces.hpp"
#include "messages/expected.hpp"

namespace hypermesh::cli {

/// Frames of one kind, and their bytes without those that the links add.
struct kind_traffic {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

/// What one replica has counted since its start, or the difference of two such counts. Memory: fixed, because the names
/// of kinds come from a bounded text of our own process or from a report, which is bounded too.
struct replica_counts {
  std::uint64_t requests_executed = 0;
  std::uint64_t batches_committed = 0;
  /// Views that the replica entered; more than 0 in a measured time means that the primary was replaced.
  std::uint64_t views_entered = 0;
  /// Groups of records that were written. In storage mode sync each is one sync.
  std::uint64_t writes = 0;
  std::uint64_t write_us = 0;
  std::uint64_t wire_bytes_in = 0;
  std::uint64_t wire_bytes_out = 0;
  /// Processor time and memory of the process, as the replica reports them.
  std::uint64_t processor_us = 0;
  std::uint64_t resident_bytes = 0;
  /// Frames by the name of their kind, in snake_case. Empty if the source does not tell the kinds.
  std::map<std::string, kind_traffic> frames_in;
  std::map<std::string, kind_traffic> frames_out;

  [[nodiscard]] bool has_kinds() const { return !frames_in.empty() && !frames_out.empty(); }
  void add(const replica_counts& other);
};

/// `after` minus `before`; `resident_bytes` is that of `after`. A count that fell, because the replica restarted, gives
/// 0.
[[nodiscard]] replica_counts difference(const replica_counts& after, const replica_counts& before);

/// The counts in the text of /metrics. Lines that it does not know are skipped. The failure says which of the metrics
/// that it needs is missing. Pure.
[[nodiscard]] or_reason<replica_counts> read_metrics(std::string_view text);

/// The counts in a report to clients, which does not tell kinds and is up to 1 s old. Pure.
[[nodiscard]] replica_counts counts_of(const node_report& report);

/// Where the bytes on the links went. Every byte counts once: what the replicas received, and what they sent to
/// clients.
struct wire_split {
  double total = 0;
  /// Operations and results, as often as they were sent.
  double payload = 0;
  /// 64 bytes for each signature.
  double signatures = 0;
  /// Ids, digests, and the layout of the messages.
  double headers = 0;
  /// What the links add: the length and the seal of each frame, keepalives, handshakes.
  double framing = 0;
};

/// What one operation and one result measure, and how many operations a request has, on average.
struct operation_sizes {
  double operation_bytes = 0;
  double result_bytes = 0;
  double operations_per_request = 1;
};

/// The split of the traffic of all replicas together, from their frames by kind. A REQUEST carries one signature, a
/// PRE-PREPARE its own and those of its requests, each vote and STATUS one; a REPLY has none, because its link is
/// authenticated. Messages of a view change count as headers. Pure.
[[nodiscard]] wire_split split_of(const replica_counts& all, const operation_sizes& sizes);

}  // namespace hypermesh::cli
