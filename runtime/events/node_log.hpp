#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "runtime/events/event_limiter.hpp"
#include "runtime/events/event_maker.hpp"
#include "runtime/events/log_text.hpp"

namespace hypermesh::runtime {

/// The log of a node: it makes the events, leaves out those below its level and above their rate, and hands each line
/// to a writer. Thread-safe. The lock is held while a line is written, so that lines stay whole.
class node_log {
 public:
  /// The world of the log, so that tests control it.
  struct ports {
    std::function<moment()> now;
    std::function<wall_time()> wall_time_now;
    /// Gets one whole line with its line break. It runs on the threads of actors, and should return at once.
    std::function<void(event_level, const std::string&)> write;
  };

  node_log(log_settings settings, replica_id self, const cluster_parameters& cluster, ports to);

  void on_observation(const observation& what);
  void on_link(const link_event& what);
  /// An event that is not made from an observation.
  void note(const operator_event& event);
  /// Reports what was left out and did not come again. To be called about once a second.
  void report_omissions();

  [[nodiscard]] bool shows(event_level level) const {
    return static_cast<unsigned>(level) >= static_cast<unsigned>(settings_.level);
  }

 private:
  /// The caller holds the lock.
  void write(const operator_event& event, moment now);

  log_settings settings_;
  std::string node_;
  ports to_;
  std::mutex guard_;
  observation_events observations_;
  link_events links_;
  event_limiter limiter_;
};

}  // namespace hypermesh::runtime
