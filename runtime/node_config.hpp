#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

#include "runtime/events/log_settings.hpp"
#include "runtime/genesis.hpp"
#include "runtime/http/http_settings.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/trace/trace_settings.hpp"
#include "runtime/wiring.hpp"

namespace hypermesh {

/// The place and the mode in which a node stores its records and its state.
struct storage_settings {
  storage::durability mode = storage::durability::sync;
  /// A directory that `create_cluster` or `initialise_storage` made.
  std::filesystem::path directory;
  /// Executed records are kept up to this many MiB. If half of the state's unwritten bytes is more, this half is the
  /// limit. More records trigger the next write of the state.
  std::uint32_t retain_mib = 8;
  /// This replica lost its disk, and `directory` is new or was made for a learner. The replica fetches the cluster's
  /// state and votes only where it cannot have voted before.
  bool learner = false;
};

/// The audit trail of a node (see `runtime/audit`).
struct audit_settings {
  /// If a configuration file lacks this key, the trail is on, unless the storage's mode is `memory`.
  bool enabled = false;
  /// Also record proposals, votes and prepared certificates, not only decisions.
  bool votes = true;
  std::filesystem::path directory;
  std::uint32_t retain_mib = 256;
};

/// The size of two segments of 8 MiB: while the newer segment is being filled, the older segment is complete.
inline constexpr std::uint32_t audit_retain_mib_min = 16;
inline constexpr std::uint32_t audit_retain_mib_max = 1'024 * 1'024;

/// The value has a bound, because the node reads all kept records into memory when it starts.
inline constexpr std::uint32_t retain_mib_max = 1'024;

/// The configuration file of one replica.
struct node_config {
  std::filesystem::path genesis_file;
  genesis cluster;
  replica_id self;
  std::filesystem::path key_file;
  /// The address on which the replica listens. The default is its address in the genesis.
  links::replica_address listen;
  storage_settings storage;
  audit_settings audit;
  runtime::node_settings settings;
  links::link_limits links;
  http::http_settings http;
  runtime::log_settings log;
  runtime::trace_settings trace;

  /// The owner under whose name the node opens its storage.
  [[nodiscard]] storage::storage_owner owner() const { return {cluster.id(), cluster.name, self}; }
};

/// The configuration file of one client.
struct client_config {
  std::filesystem::path genesis_file;
  genesis cluster;
  client_id self;
  std::filesystem::path key_file;
};

/// Values that a host sets instead of those in a file, by the full names of their keys.
using config_overrides = std::map<std::string, std::string, std::less<>>;

/// Reads `node.toml`. Paths in the file are relative to it. The error names every problem with its line, in this file
/// and in the genesis.
[[nodiscard]] or_error<node_config> read_node_config(const std::filesystem::path& path,
                                                     const config_overrides& overrides = {});

/// Reads `client.toml`.
[[nodiscard]] or_error<client_config> read_client_config(const std::filesystem::path& path,
                                                         const config_overrides& overrides = {});

/// Like `read_node_config`, but `config` receives all values that could be read, even when there is an error.
[[nodiscard]] or_error<void> read_node_config_into(const std::filesystem::path& path, node_config& config,
                                                   const config_overrides& overrides = {});
[[nodiscard]] or_error<void> read_client_config_into(const std::filesystem::path& path, client_config& config,
                                                     const config_overrides& overrides = {});

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
  /// For a large group, `create_cluster` uses a smaller period, so that the messages of a view change fit into a frame.
  std::uint32_t checkpoint_period = 128;
  protocol::request_authentication requests_by = protocol::request_authentication::signature;
  /// The replicas listen on this host, on the ports from `first_port` on, or on `ports` if it is not empty.
  std::string host = "127.0.0.1";
  std::uint16_t first_port = 7400;
  std::vector<std::uint16_t> ports;
};

/// Returns an error if no cluster can be made from the plan. The name and the host are checked too, because
/// `create_cluster` writes them into files that the nodes must be able to read.
[[nodiscard]] or_error<void> check(const cluster_plan& plan);

/// Makes a cluster directory: the genesis, for each member a folder with configuration and key file (0600), and for
/// each replica a data directory, marked as new. `directory` must be absent or empty. After an error, nothing of the
/// new directory is left. `read_genesis`, `read_node_config` and `read_client_config` accept the new files.
[[nodiscard]] or_error<genesis> create_cluster(const std::filesystem::path& directory, const cluster_plan& plan);

}  // namespace hypermesh
