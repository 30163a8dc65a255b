#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "runtime/state_machines/resource_scheduler.hpp"
#include "tools/hypermesh-lab/demo/operation_rounds.hpp"
#include "tools/hypermesh/load/running_load.hpp"

namespace hypermesh::lab {

/// Keeps operations of a GPU cluster's history in progress. Each result is compared with the result of a single
/// scheduler in this process, which executes the same operations in the same order. The order is that of the client's
/// session, under any primary. After an operation without an answer the load ends, because nobody knows whether the
/// replicas executed it. Thread-safe. Memory: the history, one scheduler, and a result for each operation in progress.
class trace_load final : public cli::running_load, public std::enable_shared_from_this<trace_load> {
 public:
  /// `client` must outlive the last callback, unless `halt` was called before its end.
  trace_load(hosted_client& client, cli::workload history);

  void begin(std::size_t in_flight) override;
  void halt() override { ending_ = true; }
  [[nodiscard]] std::size_t under_way() const override { return under_way_.load(); }
  [[nodiscard]] std::uint64_t answered() const override { return answered_.load(); }
  [[nodiscard]] clock::time_point last_answer() const override;
  [[nodiscard]] cli::or_run_failure<cli::load_findings> judge(hosted_client& client) const override;

 private:
  void submit();
  void note(const operation_result& expected, const submit_outcome& outcome);

  hosted_client* client_;
  std::atomic<bool> ending_ = false;
  std::atomic<std::size_t> under_way_ = 0;
  std::atomic<std::uint64_t> answered_ = 0;
  /// Held while an operation is submitted, so that the scheduler of this process executes in the same order.
  std::mutex submitting_;
  operation_rounds operations_;
  machines::resource_scheduler reference_;
  mutable std::mutex guard_;
  cli::load_findings findings_;
  clock::time_point last_answer_;
};

}  // namespace hypermesh::lab
