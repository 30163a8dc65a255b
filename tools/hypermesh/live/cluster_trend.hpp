#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "tools/hypermesh/live/cluster_status.hpp"

/// What changes in a cluster: rates and latencies between two looks at it. Pure.
///
/// All numbers come from reports of single replicas, and a faulty replica may report anything. So the numbers of the
/// group are those that at least one correct replica has reached.
namespace hypermesh::cli {

/// The phases of a batch in the order of the protocol, with their names in the counters of a report.
inline constexpr std::array<std::string_view, 5> trend_phases = {"pre_prepare", "prepared", "committed", "executed",
                                                                 "replied"};

/// The change of one replica between two looks. A number is missing if the replica does not report it, if it restarted
/// between the looks, or if nothing happened that could be measured.
struct replica_trend {
  std::optional<double> requests_per_second;
  std::optional<double> batches_per_second;
  /// 100 is one processor.
  std::optional<double> cpu_percent;
  std::optional<double> bytes_in_per_second;
  std::optional<double> bytes_out_per_second;
  std::optional<double> rejected_per_second;
  /// The mean of each phase, in milliseconds.
  std::array<std::optional<double>, trend_phases.size()> phase_ms;
  /// The mean time until a group of records was durable, in milliseconds.
  std::optional<double> write_ms;
};

/// One replica at the last look.
struct replica_view {
  std::uint32_t number = 0;
  bool is_reachable = false;
  bool is_primary = false;
  std::uint64_t view = 0;
  std::uint64_t executed = 0;
  std::uint64_t stable = 0;
  /// How far the replica is behind the sequence number that f + 1 replicas have executed.
  std::uint64_t lag = 0;
  std::uint64_t requests_pending = 0;
  std::uint64_t slots_in_use = 0;
  std::optional<std::uint64_t> resident_bytes;
  replica_trend trend;
};

/// The cluster at the last look. Memory: some 300 bytes for each replica.
struct cluster_view {
  std::vector<replica_view> replicas;
  /// The (f+1)-th highest rate of the replicas; nothing if fewer replicas have one.
  std::optional<double> requests_per_second;
  std::optional<double> batches_per_second;
  std::uint64_t executed = 0;
  std::uint64_t stable = 0;
  /// The phases of the primary, which sees all of them; the (f+1)-th lowest of the replicas while no primary is known.
  std::array<std::optional<double>, trend_phases.size()> phase_ms;
};

/// The change of a replica that took `seconds`.
[[nodiscard]] replica_trend trend_between(const node_report& before, const node_report& now, double seconds);

/// The view of `now`, with the changes since `before`, which was `seconds` earlier. Null: the first look has no
/// changes.
[[nodiscard]] cluster_view view_of(const cluster_status* before, const cluster_status& now, double seconds);

/// The columns by which the replicas can be sorted.
enum class sort_key : std::uint8_t { number, requests, lag, pending, cpu, memory, bytes_out };
inline constexpr auto sort_key_last = sort_key::bytes_out;

[[nodiscard]] std::string_view to_string(sort_key key);
/// The next key; after the last one the first.
[[nodiscard]] sort_key next_of(sort_key key);

/// Sorts the replicas: numbers ascending, all other keys descending, replicas without a value last, and equal ones by
/// number.
void sort_by(sort_key key, std::vector<replica_view>& replicas);

[[nodiscard]] nlohmann::ordered_json json_of(const cluster_view& view);

}  // namespace hypermesh::cli
