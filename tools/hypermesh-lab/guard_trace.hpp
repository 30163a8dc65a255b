#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "actors/ports.hpp"
#include "tools/hypermesh-lab/frame_recording.hpp"
#include "tools/hypermesh/load/cluster_under_load.hpp"

namespace hypermesh::lab {

struct guard_trace_settings {
  std::size_t in_flight = 64;
  std::chrono::milliseconds warm_up{1'000};
  /// The time for which the load is measured.
  std::chrono::milliseconds duration{5'000};
};

/// All frames that one replica of a real cluster received, and the identity of that replica.
struct guard_trace {
  cluster_parameters cluster;
  replica_id self;
  std::shared_ptr<const authenticator> keys;
  std::vector<recorded_frame> frames;
  /// The part of the trace that has only the load, and the number of operations answered in it.
  moment from;
  moment until;
  std::uint64_t operations = 0;

  [[nodiscard]] bool is_under_load(const recorded_frame& frame) const {
    return frame.when >= from && frame.when < until;
  }
};

/// The frames that a primary and a backup received, and the processor time that an operation costs such replicas when
/// they run the product.
struct guard_traces {
  guard_trace primary;
  guard_trace backup;
  double primary_cpu_us = 0;
  double backup_cpu_us = 0;
};

/// Runs two clusters of four processes under load. In the cluster whose backup records, three events follow after the
/// load was measured, so that the trace has messages of most kinds: a replica equivocates, the view changes, and a
/// replica returns and needs the state. Call this from the main thread, and construct `stop` before any thread.
[[nodiscard]] cli::or_run_failure<guard_traces> record_guard_traces(const guard_trace_settings& settings,
                                                                    cli::interruption& stop,
                                                                    cli::run_narrator& narrator);

}  // namespace hypermesh::lab
