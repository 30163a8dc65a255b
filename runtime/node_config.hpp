#pragma once

#include <filesystem>
#include <string>

#include "runtime/genesis.hpp"
#include "runtime/storage/storage.hpp"
#include "runtime/wiring.hpp"

namespace hypermesh {

/// Where and how a node keeps what it must not forget.
struct storage_settings {
  durability mode = durability::sync;
  /// Made by `create_cluster` or `initialise_storage`.
  std::filesystem::path directory;
  /// Executed records are kept beyond what the protocol needs, up to so many MiB, or half of the state when that is
  /// more: so often the state is written.
  std::uint32_t retain_mib = 8;
  /// This replica lost its disk, and `directory` is new or was made for that: it learns the cluster's state and votes
  /// only where it cannot have voted before.
  bool learner = false;
};

/// What a node writes down for others to judge (see `runtime/audit`).
struct audit_settings {
  /// A configuration file that does not speak of it means true, unless the storage's mode is `memory`.
  bool enabled = false;
  /// Proposals, votes and prepared certificates too, not only what was decided.
  bool votes = true;
  std::filesystem::path directory;
  std::uint32_t retain_mib = 256;
};

/// Two segments: while the newer one is being filled, the older one is there as a whole.
inline constexpr std::uint32_t audit_retain_mib_min = 16;
inline constexpr std::uint32_t audit_retain_mib_max = 1'024 * 1'024;

/// All that is kept is read into memory when the node starts.
inline constexpr std::uint32_t retain_mib_max = 1'024;

/// One replica's own configuration file.
struct node_config {
  genesis cluster;
  replica_id self;
  std::filesystem::path key_file;
  /// Where the replica listens; the genesis address unless the file says otherwise.
  replica_address listen;
  storage_settings storage;
  audit_settings audit;
  node_settings settings;
  link_limits links;

  /// As which the node opens its storage.
  [[nodiscard]] storage_owner owner() const { return {cluster.id(), cluster.name, self}; }
};

/// One client's own configuration file.
struct client_config {
  genesis cluster;
  client_id self;
  std::filesystem::path key_file;
};

/// Reads `node.toml`; paths in it are relative to the file. The error names every problem and its line, in this file
/// and in the genesis.
[[nodiscard]] or_error<node_config> read_node_config(const std::filesystem::path& path);

/// Reads `client.toml`.
[[nodiscard]] or_error<client_config> read_client_config(const std::filesystem::path& path);

/// The same; `config` holds what could be read, also when there is an error.
[[nodiscard]] std::optional<world_error> read_node_config_into(const std::filesystem::path& path, node_config& config);
[[nodiscard]] std::optional<world_error> read_client_config_into(const std::filesystem::path& path,
                                                                 client_config& config);

/// Folders of a replica, beside its configuration file.
inline constexpr std::string_view default_data_folder = "data";
inline constexpr std::string_view default_audit_folder = "audit";

/// Where the files of a cluster directory stand.
struct cluster_layout {
  std::filesystem::path root;

  [[nodiscard]] std::filesystem::path genesis_file() const { return root / "genesis.toml"; }
  [[nodiscard]] std::filesystem::path replica_folder(std::uint32_t number) const;
  [[nodiscard]] std::filesystem::path client_folder(std::uint32_t number) const;
  [[nodiscard]] std::filesystem::path node_file(std::uint32_t number) const;
  /// What the replica has promised.
  [[nodiscard]] std::filesystem::path data_folder(std::uint32_t number) const;
  /// What the replica saw and said.
  [[nodiscard]] std::filesystem::path audit_folder(std::uint32_t number) const;
  [[nodiscard]] std::filesystem::path client_file(std::uint32_t number) const;
};

/// What a new cluster is made of.
struct cluster_plan {
  std::string name = "hypermesh";
  std::string state_machine = "key-value";
  std::uint32_t replicas = limits::replicas_min;
  std::uint32_t clients = 4;
  /// Smaller where a group is so large that a view change would not fit a frame.
  std::uint32_t checkpoint_period = 128;
  /// The replicas listen at this host and at ports from `first_port` on; or at `ports`, when given.
  std::string host = "127.0.0.1";
  std::uint16_t first_port = 7400;
  std::vector<std::uint16_t> ports;
};

/// Why no cluster can be made from the plan; its name and host go into files that are read again.
[[nodiscard]] std::optional<world_error> objection_to(const cluster_plan& plan);

/// Makes a cluster directory: genesis, and for each member a folder with configuration and key file (0600), and for
/// each replica the data directory, marked as one that nothing was promised in. `directory` must not exist or be empty;
/// after an error nothing of it is left. What it makes, `read_genesis`, `read_node_config` and `read_client_config`
/// read without a problem.
[[nodiscard]] or_error<genesis> create_cluster(const std::filesystem::path& directory, const cluster_plan& plan);

}  // namespace hypermesh
