#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "runtime/hosted_client.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"

namespace hypermesh::cli {

/// What a load found out about its own operations.
struct load_findings {
  std::uint64_t acknowledged = 0;
  /// The number of operations without an answer in time.
  std::uint64_t failed = 0;
  /// The number of acknowledged operations that the final state lacks, and of wrong results.
  std::uint64_t lost = 0;
  /// The part of `lost` that is due to results that cannot be, for example the sum of another increment.
  std::uint64_t wrong_results = 0;
  std::uint64_t doubled = 0;
};

/// Operations that a client keeps in progress while faults happen, and whose results the load judges. Thread-safe.
class running_load {
 public:
  using clock = std::chrono::steady_clock;

  virtual ~running_load() = default;

  /// Starts `in_flight` operations. Each answer is followed by the next operation.
  virtual void begin(std::size_t in_flight) = 0;
  /// Submits no more operations.
  virtual void halt() = 0;

  [[nodiscard]] virtual std::size_t under_way() const = 0;
  /// The number of operations that have a result or had none in time.
  [[nodiscard]] virtual std::uint64_t answered() const = 0;
  /// The time of the last answer; without one, the time when the load was made.
  [[nodiscard]] virtual clock::time_point last_answer() const = 0;

  /// Reads the final state through the client and compares it with the results. Call this when no operation is in
  /// progress.
  [[nodiscard]] virtual or_run_failure<load_findings> judge(hosted_client& client) const = 0;
};

}  // namespace hypermesh::cli
