#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <vector>

#include "runtime/consensus_client.hpp"
#include "tools/hypermesh/latency_recorder.hpp"

namespace hypermesh::cli {

/// What became of the increments of one counter.
struct counter_check {
  std::uint64_t acknowledged = 0;
  std::uint64_t failed = 0;
  std::int64_t final_value = 0;
  /// An acknowledged increment gave a sum that another gave too, or that cannot be: one of them was undone.
  std::uint64_t wrong_sums = 0;
};

/// Keeps increments under way from its callbacks, and remembers what each of them gave. Every operation adds 1 to one
/// of `counters` counters, so the state stays as small as it is, and the sums tell whether an acknowledged operation
/// was lost or executed twice. All functions may be called from any thread. Memory: one bit for each increment.
class increment_load : public std::enable_shared_from_this<increment_load> {
 public:
  using clock = std::chrono::steady_clock;

  static constexpr std::size_t counters = 16;

  /// `client` outlives the last callback or is gone after `halt`.
  explicit increment_load(consensus_client& client);

  /// The operation that reads a counter.
  [[nodiscard]] static byte_vector reading_of(std::size_t counter);

  /// When the load reached a number of answers.
  struct milestone {
    clock::time_point when;
    std::uint64_t answered = 0;
    /// Of what was answered since the milestone before, or since the beginning.
    latency_recorder latencies;
  };

  /// Notes when so many operations are answered, in ascending order. Before `begin`.
  void expect_milestones(std::vector<std::uint64_t> answered);
  /// Those that were reached, of which the first `after` are known already.
  [[nodiscard]] std::vector<milestone> milestones_after(std::size_t after) const;

  /// Puts so many operations under way; each answer is followed by the next one.
  void begin(std::size_t in_flight);

  /// Submits nothing more.
  void halt() { ending_ = true; }

  [[nodiscard]] std::size_t under_way() const { return under_way_.load(); }
  /// Operations that have a result, or none in time.
  [[nodiscard]] std::uint64_t answered() const { return answered_.load(); }
  /// When the last answer came; when the load was made, while there is none.
  [[nodiscard]] clock::time_point last_answer() const;

  /// From now on `longest_gap` looks at what follows.
  void watch_gaps();
  /// The longest time without any answer since `watch_gaps`, in seconds.
  [[nodiscard]] double longest_gap() const;

  /// `final_value` is what the counter holds when nothing is under way any more.
  [[nodiscard]] counter_check check(std::size_t counter, std::int64_t final_value) const;

 private:
  struct counter_record {
    /// By the sum: whether an increment gave it.
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
  /// Counted under the lock, so that no milestone is passed over.
  std::uint64_t noted_ = 0;
  clock::time_point last_answer_;
  clock::duration longest_gap_{0};
};

}  // namespace hypermesh::cli
