#include "tools/hypermesh/load/workload_runner.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>

namespace hypermesh::cli {

namespace {

using clock = workload_outcome::clock;

constexpr std::chrono::milliseconds report_interval{100};

/// Callbacks write the record, and the submitting thread reads it. The client makes one callback at a time, and the
/// reader reads only results that `answered` counts.
struct run_record {
  explicit run_record(std::size_t operations) : outcomes(operations, client_error::stopped), submitted_at(operations) {}

  std::vector<submit_outcome> outcomes;
  std::vector<clock::time_point> submitted_at;
  latency_recorder latency;
  clock::time_point first_answer;
  clock::time_point last_answer;
  std::atomic<std::size_t> answered{0};
  /// The submitter is woken when this many operations are answered.
  std::atomic<std::size_t> wake_at{0};
  std::mutex guard;
  std::condition_variable changed;

  void note(std::size_t index, const submit_outcome& outcome) {
    outcomes[index] = outcome;
    last_answer = clock::now();
    if (answered.load(std::memory_order_relaxed) == 0) first_answer = last_answer;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(last_answer - submitted_at[index]);
    latency.record(static_cast<std::uint64_t>(took.count()));
    if (answered.fetch_add(1) + 1 != wake_at.load()) return;
    const std::scoped_lock lock{guard};
    changed.notify_one();
  }

  /// Waits until `count` operations are answered. Returns false if `deadline` comes first.
  bool wait_for(std::size_t count, clock::time_point deadline) {
    wake_at.store(count);
    std::unique_lock lock{guard};
    return changed.wait_until(lock, deadline, [&] { return answered.load() >= count; });
  }
};

class workload_run {
 public:
  workload_run(hosted_client& client, std::span<const byte_span> operations, const workload_settings& settings,
               const std::function<bool(std::size_t)>& keep_on)
      : client_(&client),
        operations_(operations),
        settings_(settings),
        keep_on_(&keep_on),
        record_(std::make_shared<run_record>(operations.size())) {}

  workload_outcome run() {
    const auto started = clock::now();
    next_report_ = started + report_interval;
    submit_through(1);
    bool going = reach(submitted_) && (*keep_on_)(record_->answered.load());
    // If the cluster does not answer the first operation, it will not answer the others either.
    if (going && std::holds_alternative<client_error>(record_->outcomes[0])) return outcome(started, false);
    const auto end = settings_.duration.count() > 0
                         ? started + std::chrono::duration_cast<clock::duration>(settings_.duration)
                         : clock::time_point::max();
    const auto window = std::max<std::size_t>(settings_.in_flight, 1);
    // A wake-up costs more than a submission, so an eighth of the window is submitted at once.
    const auto step = std::max<std::size_t>(window / 8, 1);
    while (going && submitted_ < operations_.size() && clock::now() < end) {
      submit_through(std::min(operations_.size(), record_->answered.load() + window));
      going = reach(submitted_ < window ? 0 : submitted_ - window + step);
    }
    going = going && reach(submitted_);
    return outcome(started, !going);
  }

 private:
  void submit_through(std::size_t end) {
    for (; submitted_ < end; ++submitted_) {
      const auto operation = operations_[submitted_];
      record_->submitted_at[submitted_] = clock::now();
      client_->submit(
          byte_vector{operation.begin(), operation.end()},
          [record = record_, index = submitted_](const submit_outcome& result) { record->note(index, result); });
    }
  }

  /// Waits until `count` operations are answered. Returns false if `keep_on` ends the run.
  bool reach(std::size_t count) {
    count = std::min(count, submitted_);
    while (true) {
      const bool reached = record_->wait_for(count, next_report_);
      const auto now = clock::now();
      if (now >= next_report_) {
        next_report_ = now + report_interval;
        if (!(*keep_on_)(record_->answered.load())) return false;
      }
      if (reached) return true;
    }
  }

  workload_outcome outcome(clock::time_point started, bool cut_short) {
    workload_outcome out;
    out.started = started;
    out.cut_short = cut_short;
    // If the run was cut short, callbacks may still write, so the results are not read.
    if (cut_short) return out;
    out.outcomes = std::move(record_->outcomes);
    out.outcomes.resize(submitted_, client_error::stopped);
    out.latency = record_->latency;
    out.first_answer = record_->first_answer;
    out.last_answer = record_->last_answer;
    return out;
  }

  hosted_client* client_;
  std::span<const byte_span> operations_;
  workload_settings settings_;
  const std::function<bool(std::size_t)>* keep_on_;
  std::shared_ptr<run_record> record_;
  std::size_t submitted_ = 0;
  clock::time_point next_report_;
};

}  // namespace

workload_outcome run_workload(hosted_client& client, std::span<const byte_span> operations,
                              const workload_settings& settings,
                              const std::function<bool(std::size_t answered)>& keep_on) {
  if (operations.empty()) return {};
  return workload_run{client, operations, settings, keep_on}.run();
}

}  // namespace hypermesh::cli
