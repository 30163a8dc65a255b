#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "messages/expected.hpp"
#include "messages/time.hpp"
#include "tools/hypermesh/load/latency_recorder.hpp"

namespace hypermesh::cli {

/// What a load saw during the measured time. Memory: a histogram, and a count for each of at most `failure_names_max`
/// kinds of failure.
struct load_result {
  static constexpr std::size_t failure_names_max = 32;

  /// Closed loop: operations whose answer arrived in the measured time, with the time since they were sent. Open loop:
  /// operations that were intended for the measured time, whenever they were answered, with the time since the intended
  /// moment. So an operation that had to wait for its turn counts with its wait (no coordinated omission).
  latency_recorder latency;
  /// The part of `latency` that are reads.
  std::uint64_t reads = 0;
  /// The linearizable reads that were ordered, those of the warm-up included.
  std::uint64_t reads_ordered = 0;
  /// Open loop: the operations that were intended for the measured time.
  std::uint64_t intended = 0;
  /// The answers that arrived in the measured time, whatever moment their operations were intended for.
  std::uint64_t answered_in_time = 0;
  /// Operations of the measured time without a result, by the name of the reason.
  std::map<std::string, std::uint64_t> failures;
  /// Open loop: how late the load itself was, at most. If this is not small, the load process had too little processor
  /// time, and latencies include its own delay.
  std::uint64_t late_us_max = 0;
  /// The mean size of an operation and of a result, in bytes.
  double operation_bytes = 0;
  double result_bytes = 0;

  [[nodiscard]] std::uint64_t failed() const;
  void fail(const std::string& reason, std::uint64_t count = 1);
  /// Adds what another load saw in the same time.
  void add(const load_result& other);
};

/// The result as JSON text, which a load process writes.
[[nodiscard]] std::string text_of(const load_result& result);
/// Reads the text of a load process.
[[nodiscard]] or_reason<load_result> read_load_result(std::string_view text);

}  // namespace hypermesh::cli
