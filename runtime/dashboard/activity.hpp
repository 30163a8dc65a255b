#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "messages/layers.hpp"
#include "messages/time.hpp"

/// Throughput and latency of a node over time.
namespace hypermesh::runtime {

/// What happened in one second at this node.
struct activity_sample {
  /// The end of the second.
  wall_time at{};
  std::uint64_t requests = 0;
  std::uint64_t batches = 0;
  /// The latency of the requests in microseconds; 0 if there were none. At the primary it begins when the oldest
  /// request of the batch arrives, at a backup with the PRE-PREPARE; it ends when the replies are handed to the links.
  std::uint64_t latency_p50_us = 0;
  std::uint64_t latency_p99_us = 0;
  std::uint64_t latency_max_us = 0;
};

/// Counts latencies in classes whose bounds grow by a quarter of an octave, so a percentile is at most 19 % too large.
/// Pure. Memory: 1 KiB.
class latency_classes {
 public:
  void add(std::uint64_t latency_us, std::uint64_t requests);
  /// The upper bound of the class in which this part (0 to 1) of the requests is; 0 if there are none.
  [[nodiscard]] std::uint64_t percentile_us(double part) const;
  [[nodiscard]] std::uint64_t max_us() const { return max_us_; }
  void clear() { *this = {}; }

 private:
  /// Four classes for each of 32 octaves: up to 71 minutes. Longer latencies are in the last class.
  static constexpr std::size_t classes = 128;

  std::array<std::uint64_t, classes> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_us_ = 0;
};

/// The samples of the last ten minutes. Pure: the caller gives the time and closes each second. Memory: 48 bytes for
/// each sample, and the classes of the present second.
class activity {
 public:
  static constexpr std::size_t samples_max = 600;

  /// A batch of this many requests was executed and answered.
  void note_batch(std::uint64_t requests, duration latency);
  /// Ends the present second.
  void close(wall_time now);

  /// The oldest first.
  [[nodiscard]] const std::deque<activity_sample>& samples() const { return samples_; }

 private:
  activity_sample open_;
  latency_classes latencies_;
  std::deque<activity_sample> samples_;
};

}  // namespace hypermesh::runtime
