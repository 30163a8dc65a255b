#pragma once

#include <filesystem>
#include <string>

#include "runtime/genesis.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/wiring.hpp"

namespace hypermesh {

/// Where and how a node stores its records and its state.
struct storage_settings {
  durability mode = durability::sync;
  /// Made by `create_cluster` or `initialise_storage`.
  std::filesystem::path directory;
  /// Executed records are kept up to this many MiB, or half of the state's bytes that are not written yet if that is
  /// more. More records trigger the next write of the state.
  std::uint32_t retain_mib = 8;
  /// This replica lost its disk, and `directory` is new or was made for a learner. The replica fetches the cluster's
  /// state and votes only where it cannot have voted before.
  bool learner = false;
};

/// The audit trail of a node (see `runtime/audit`).
struct audit_settings {
  /// If a configuration file lacks this key, the trail is on, unless the storage's mode is `memory`.
  bool enabled = false;
  /// Write proposals, votes and prepared certificates too, not only decisions.
  bool votes = true;
  std::filesystem::path directory;
  std::uint32_t retain_mib = 256;
};

/// Two segments of 8 MiB: while the newer one is being filled, the older one is complete.
inline constexpr std::uint32_t audit_retain_mib_min = 16;
inline constexpr std::uint32_t audit_retain_mib_max = 1'024 * 1'024;

/// A bound, because all kept records are read into memory when the node starts.
inline constexpr std::uint32_t retain_mib_max = 1'024;

/// The configuration file of one replica.
struct node_config {
  std::filesystem::path genesis_file;
  genesis cluster;
  replica_id self;
  std::filesystem::path key_file;
  /// Where the replica listens; its address in the genesis unless the file has another one.
  replica_address listen;
  storage_settings storage;
  audit_settings audit;
  node_settings settings;
  link_limits links;

  /// The owner in whose name the node opens its storage.
  [[nodiscard]] storage_owner owner() const { return {cluster.id(), cluster.name, self}; }
};

/// The configuration file of one client.
struct client_config {
  std::filesystem::path genesis_file;
  genesis cluster;
  client_id self;
  std::filesystem::path key_file;
};

/// Reads `node.toml`; paths in it are relative to the file. The error names every problem and its line, in this file
/// and in the genesis.
[[nodiscard]] or_error<node_config> read_node_config(const std::filesystem::path& path);

/// Reads `client.toml`.
[[nodiscard]] or_error<client_config> read_client_config(const std::filesystem::path& path);

/// The same; `config` receives the values that could be read, also when there is an error.
[[nodiscard]] or_error<void> read_node_config_into(const std::filesystem::path& path, node_config& config);
[[nodiscard]] or_error<void> read_client_config_into(const std::filesystem::path& path, client_config& config);

/// Default folders of a replica, beside its configuration file.
inline constexpr std::string_view default_data_folder = "data";
inline constexpr std::string_view default_audit_folder = "audit";

/// The places of the files in a cluster directory.
struct cluster_layout {
  std::filesystem::path root;

  [[nodiscard]] std::filesystem::path genesis_file() const { return root / "genesis.toml"; }
  [[nodiscard]] std::filesystem::path replica_folder(std::uint32_t number) const;
  [[nodiscard]] std::filesystem::path client_folder(std::uint32_t number) const;
  [[nodiscard]] std::filesystem::path node_file(std::uint32_t number) const;
  /// The replica's storage: its records and its state.
  [[nodiscard]] std::filesystem::path data_folder(std::uint32_t number) const;
  /// The replica's audit trail.
  [[nodiscard]] std::filesystem::path audit_folder(std::uint32_t number) const;
  [[nodiscard]] std::filesystem::path client_file(std::uint32_t number) const;
};

/// The parameters of a new cluster.
struct cluster_plan {
  std::string name = "hypermesh";
  std::string state_machine = "key-value";
  std::uint32_t replicas = limits::replicas_min;
  std::uint32_t clients = 4;
  /// `create_cluster` uses a smaller period for a group so large that a view change would not fit a frame.
  std::uint32_t checkpoint_period = 128;
  /// The replicas listen on this host, on the ports from `first_port` on, or on `ports` if it is not empty.
  std::string host = "127.0.0.1";
  std::uint16_t first_port = 7400;
  std::vector<std::uint16_t> ports;
};

/// An error if no cluster can be made from the plan. Name and host are checked too, because they go into files that are
/// read again.
[[nodiscard]] or_error<void> check(const cluster_plan& plan);

/// Makes a cluster directory: the genesis, for each member a folder with configuration and key file (0600), and for
/// each replica a data directory, marked as new. `directory` must be absent or empty. After an error nothing of it is
/// left. `read_genesis`, `read_node_config` and `read_client_config` read the new files without a problem.
[[nodiscard]] or_error<genesis> create_cluster(const std::filesystem::path& directory, const cluster_plan& plan);

}  // namespace hypermesh
