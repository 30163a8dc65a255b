#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/hosted_client.hpp"
#include "tools/hypermesh/load/latency_recorder.hpp"
#include "tools/hypermesh/load/running_load.hpp"

namespace hypermesh::cli {

/// The outcome of the increments of one counter.
struct counter_check {
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::int64_t final_value = 0;
  /// The number of acknowledged increments whose sum another increment had too, or whose sum is impossible. If two
  /// increments had the same sum, one of them was undone.
  std::uint64_t wrong_sums = 0;
};

/// Keeps a number of increments in progress from its callbacks, and records the sum of each. Every operation adds 1 to
/// one of `counters` counters. So the state does not grow, and the sums show whether an acknowledged operation was lost
/// or executed twice. Thread-safe. Memory: one bit for each increment.
class increment_load final : public running_load, public std::enable_shared_from_this<increment_load> {
 public:
  static constexpr std::size_t counters = 16;

  /// `client` must outlive the last callback, unless `halt` was called before its end.
  explicit increment_load(hosted_client& client);

  /// The operation that reads a counter.
  [[nodiscard]] static byte_vector reading_of(std::size_t counter);

  /// The moment when the load reached a number of answers.
  struct milestone {
    clock::time_point when;
    std::uint64_t answered = 0;
    /// Latencies of the answers since the previous milestone, or since the beginning.
    latency_recorder latencies;
  };

  /// Records the time when these numbers of operations are answered. The numbers must ascend. Call this before `begin`.
  void expect_milestones(std::vector<std::uint64_t> answered);
  /// The milestones that were reached, without the first `after` ones.
  [[nodiscard]] std::vector<milestone> milestones_after(std::size_t after) const;

  void begin(std::size_t in_flight) override;
  void halt() override { ending_ = true; }
  [[nodiscard]] std::size_t under_way() const override { return under_way_.load(); }
  [[nodiscard]] std::uint64_t answered() const override { return answered_.load(); }
  /// The time of the last answer; without one, the time when this object was made or `watch_gaps` was called.
  [[nodiscard]] clock::time_point last_answer() const override;
  [[nodiscard]] or_run_failure<load_findings> judge(hosted_client& client) const override;

  /// Resets `longest_gap`.
  void watch_gaps();
  /// The longest time without any answer since `watch_gaps`, in seconds.
  [[nodiscard]] double longest_gap() const;

  /// `final_value` is the value of the counter when no operation is in progress.
  [[nodiscard]] counter_check check(std::size_t counter, std::int64_t final_value) const;

 private:
  struct counter_record {
    /// Whether an increment had this sum, by sum.
    std::vector<bool> seen;
    std::uint64_t submitted = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t failed = 0;
    std::uint64_t wrong_sums = 0;

    void note_sum(std::int64_t sum);
  };

  void submit(std::size_t counter);
  void note(std::size_t counter, clock::time_point submitted_at, const submit_outcome& outcome);

  hosted_client* client_;
  std::atomic<bool> ending_ = false;
  std::atomic<std::size_t> under_way_ = 0;
  std::atomic<std::uint64_t> answered_ = 0;
  mutable std::mutex guard_;
  std::vector<counter_record> records_;
  latency_recorder latencies_;
  std::vector<std::uint64_t> expected_;
  std::vector<milestone> milestones_;
  /// The number is counted under the lock, so that no milestone is missed.
  std::uint64_t noted_ = 0;
  clock::time_point last_answer_;
  clock::duration longest_gap_{0};
};

}  // namespace hypermesh::cli
