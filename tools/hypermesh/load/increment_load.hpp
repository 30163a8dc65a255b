#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/consensus_client.hpp"
#include "tools/hypermesh/load/latency_recorder.hpp"

namespace hypermesh::cli {

/// The outcome of the increments of one counter.
struct counter_check {
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::int64_t final_value = 0;
  /// Acknowledged increments whose sum another increment had too, or whose sum is impossible. One of the two was
  /// undone.
  std::uint64_t wrong_sums = 0;
};

/// Keeps a number of increments under way from its callbacks, and records the sum of each. Every operation adds 1 to
/// one of `counters` counters, so the state does not grow, and the sums show whether an acknowledged operation was lost
/// or executed twice. Thread-safe. Memory: one bit for each increment.
class increment_load : public std::enable_shared_from_this<increment_load> {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::size_t counters = 16;

  /// `client` must outlive the last callback, unless `halt` was called before.
  explicit increment_load(consensus_client& client);

  /// The operation that reads a counter.
  [[nodiscard]] static byte_vector reading_of(std::size_t counter);

  /// The moment when the load reached a number of answers.
  struct milestone {
    clock::time_point when;
    std::uint64_t answered = 0;
    /// Latencies of the answers since the milestone before, or since the beginning.
    latency_recorder latencies;
  };

  /// Records when these numbers of operations are answered; ascending. Call it before `begin`.
  void expect_milestones(std::vector<std::uint64_t> answered);
  /// The milestones that were reached, without the first `after` ones.
  [[nodiscard]] std::vector<milestone> milestones_after(std::size_t after) const;

  /// Puts `in_flight` operations under way. Each answer is followed by the next operation.
  void begin(std::size_t in_flight);

  /// Submits no more operations.
  void halt() { ending_ = true; }

  [[nodiscard]] std::size_t under_way() const { return under_way_.load(); }
  /// Operations that have a result, or had none in time.
  [[nodiscard]] std::uint64_t answered() const { return answered_.load(); }
  /// The time of the last answer; without one, the time when this object was made or `watch_gaps` was called.
  [[nodiscard]] clock::time_point last_answer() const;

  /// `longest_gap` starts anew.
  void watch_gaps();
  /// The longest time without any answer since `watch_gaps`, in seconds.
  [[nodiscard]] double longest_gap() const;

  /// `final_value` is the value of the counter once no operation is under way.
  [[nodiscard]] counter_check check(std::size_t counter, std::int64_t final_value) const;

 private:
  struct counter_record {
    /// Indexed by sum: whether an increment had this sum.
    std::vector<bool> seen;
    std::uint64_t submitted = 0;
    std::uint64_t acknowledged = 0;
    std::uint64_t failed = 0;
    std::uint64_t wrong_sums = 0;

    void note_sum(std::int64_t sum);
  };

  void submit(std::size_t counter);
  void note(std::size_t counter, clock::time_point submitted_at, const submit_outcome& outcome);

  consensus_client* client_;
  std::atomic<bool> ending_ = false;
  std::atomic<std::size_t> under_way_ = 0;
  std::atomic<std::uint64_t> answered_ = 0;
  mutable std::mutex guard_;
  std::vector<counter_record> records_;
  latency_recorder latencies_;
  std::vector<std::uint64_t> expected_;
  std::vector<milestone> milestones_;
  /// Counted under the lock, so that no milestone is missed.
  std::uint64_t noted_ = 0;
  clock::time_point last_answer_;
  clock::duration longest_gap_{0};
};

}  // namespace hypermesh::cli
