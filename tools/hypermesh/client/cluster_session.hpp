#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <caf/actor_system.hpp>

#include "messages/time.hpp"
#include "runtime/hosted_client.hpp"
#include "runtime/hosted_replica.hpp"
#include "tools/hypermesh/terminal/exit_code.hpp"

namespace hypermesh::cli {

/// The options by which a command finds its cluster and its own identity.
struct client_options {
  std::string cluster;
  std::uint32_t client = 0;
  /// A configuration file that is used instead of the two options above.
  std::string config;
  double timeout_seconds = 10;

  [[nodiscard]] duration timeout() const {
    return std::chrono::duration_cast<duration>(std::chrono::duration<double>{timeout_seconds});
  }
};

/// Adds --cluster, --client, --config and --timeout.
void add_client_options(CLI::App& command, client_options& into);

/// Reads the client's configuration file that the options select.
[[nodiscard]] or_error<client_config> read_client_of(const client_options& options);

/// Returns an error if this process cannot be a client of the cluster, because the system allows too few threads or
/// open files. Call this before an actor system is constructed, because the actor system hangs or aborts if it is
/// refused a thread.
[[nodiscard]] or_error<void> check_limits(const genesis& cluster);

/// A client of a cluster, with its actor system.
class cluster_session {
 public:
  [[nodiscard]] static or_error<std::unique_ptr<cluster_session>> open(client_config config, client_settings settings);

  cluster_session(const cluster_session&) = delete;
  cluster_session& operator=(const cluster_session&) = delete;

  [[nodiscard]] hosted_client& client() { return *client_; }
  [[nodiscard]] const client_config& config() const { return config_; }
  [[nodiscard]] const genesis& cluster() const { return config_.cluster; }

 private:
  explicit cluster_session(client_config config) : config_(std::move(config)) {}

  client_config config_;
  runtime_system_config system_config_;
  caf::actor_system system_{system_config_};
  /// The last member, so that the client is destroyed before the system in which its actor runs.
  std::unique_ptr<hosted_client> client_;
};

/// What an operation does with the replicated state.
enum class operation_kind : std::uint8_t { read, write };

/// Explains the error of an operation to people, and gives the exit code for it. A read that failed has no effect,
/// whatever happens to it later.
[[nodiscard]] world_error explain(client_error error, operation_kind kind = operation_kind::write);
[[nodiscard]] exit_code exit_code_of(client_error error);

}  // namespace hypermesh::cli
