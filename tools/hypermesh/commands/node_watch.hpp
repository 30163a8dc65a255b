#pragma once

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

#include "runtime/events/node_log.hpp"
#include "runtime/events/sampled_events.hpp"
#include "runtime/hosted_replica.hpp"
#include "runtime/metrics/disk_watch.hpp"

/// The log of a node that a command runs: its settings on the command line, its writer, and the facts that have to be
/// asked for.
namespace hypermesh::cli {

/// Options that go before the table [log] of node.toml; empty if they are not given.
struct log_options {
  std::string format;
  std::string level;

  /// As values of the configuration.
  [[nodiscard]] config_overrides overrides() const;
  /// As arguments of `hypermesh start`.
  [[nodiscard]] std::vector<std::string> words() const;
};

/// Adds --log-format and --log-level.
void add_log_options(CLI::App& command, log_options& into);

/// A log that writes to stderr, whole lines at once.
[[nodiscard]] std::shared_ptr<node_log> open_log(const node_config& config);

/// Asks a running node for the facts that it does not observe, and logs each change: addresses that reach other
/// replicas, distrusted replicas, transfers, the health, the disks. Not thread-safe; the main loop of the command owns
/// it.
class node_watch {
 public:
  node_watch(hosted_replica& of, std::shared_ptr<node_log> log, const node_config& config);

  /// Asks if it is time to. To be called often.
  void look();

 private:
  void look_at_node();
  void look_at_addresses();
  void look_at_health();
  void note_position();

  hosted_replica* of_;
  std::shared_ptr<node_log> log_;
  sampled_events samples_;
  /// The health is not logged before this moment.
  moment first_health_;
  std::vector<misdirected_address> misdirected_;
  /// The last health that was logged, as JSON.
  std::string health_;
  bool was_degraded_ = false;
  std::unique_ptr<metrics::disk_watch> disks_;
  moment next_look_;
  moment next_slow_look_;
};

}  // namespace hypermesh::cli
