#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "messages/limits.hpp"

namespace hypermesh::testing {

/// The numbers of a run's cluster that a seed draws. The shrinker brings a failing plan back to the initial values, as
/// far as it still fails.
struct plan_settings {
  std::uint64_t replicas = 4;
  std::uint64_t clients = 1;
  /// The number of processes of each client, one or two. All of them use the key of the client.
  std::uint64_t processes_per_client = 1;
  /// Whether the sessions of the clients are ordered. If not, their operations are independent.
  std::uint64_t ordered = 1;
  std::uint64_t checkpoint_period = 4;
  std::uint64_t watermark_window = 8;
  std::uint64_t epoch = 0;
  std::uint64_t pipeline_depth = 1;
  std::uint64_t requests_per_batch_max = 1;
  std::uint64_t bundle_operations_max = 1;
  std::uint64_t requests_in_flight_max = 1;
  std::uint64_t retransmit_us = 400'000;
  /// The bound of a leaf of the key-value store. A small one makes many chunks.
  std::uint64_t leaf_bytes = 65'536;
  /// The storage of the nodes, as a `world_disk`: 0 is a model, 1 is RocksDB in mode `sync`, 2 is RocksDB in mode
  /// `async`.
  std::uint64_t disk = 0;
  /// Whether clients authenticate requests to each replica instead of signing them.
  std::uint64_t authenticators = 0;

  friend bool operator==(const plan_settings&, const plan_settings&) = default;
};

/// The number of processes of all clients. With c clients, process p belongs to client p mod c.
[[nodiscard]] constexpr std::uint32_t processes_of(const plan_settings& settings) {
  return static_cast<std::uint32_t>(settings.clients * settings.processes_per_client);
}

/// A setting with its name in the text of a plan, and its least and greatest value in a run. To add a setting, add a
/// member, a row here, and its use in `world_of`.
struct setting_row {
  std::string_view name;
  std::uint64_t plan_settings::*member;
  std::uint64_t min;
  std::uint64_t max;
};

inline constexpr std::array<setting_row, 15> setting_rows = {{
    {"replicas", &plan_settings::replicas, limits::replicas_min, limits::replicas_max},
    {"clients", &plan_settings::clients, 1, 1'000},
    {"processes-per-client", &plan_settings::processes_per_client, 1, 2},
    {"ordered", &plan_settings::ordered, 0, 1},
    {"checkpoint-period", &plan_settings::checkpoint_period, 1, 1'000},
    {"watermark-window", &plan_settings::watermark_window, 2, limits::watermark_window_max},
    {"epoch", &plan_settings::epoch, 0, 1'000'000},
    {"pipeline-depth", &plan_settings::pipeline_depth, 1, 1'000},
    {"requests-per-batch-max", &plan_settings::requests_per_batch_max, 1, limits::requests_per_batch_max},
    {"bundle-operations-max", &plan_settings::bundle_operations_max, 1, limits::operations_per_request_max},
    {"requests-in-flight-max", &plan_settings::requests_in_flight_max, 1, limits::requests_in_flight_max},
    {"retransmit-us", &plan_settings::retransmit_us, 1'000, 2'000'000},
    {"leaf-bytes", &plan_settings::leaf_bytes, 1, 65'536},
    {"disk", &plan_settings::disk, 0, 2},
    {"authenticators", &plan_settings::authenticators, 0, 1},
}};

}  // namespace hypermesh::testing
