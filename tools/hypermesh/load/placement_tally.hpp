#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "messages/digest.hpp"
#include "runtime/state_machines/scheduler_results.hpp"
#include "tools/hypermesh/traces/trace.hpp"

namespace hypermesh::cli {

/// The resources of a cluster that are in use.
struct cluster_use {
  std::uint64_t cpu_milli = 0;
  std::uint64_t memory_mib = 0;
  std::uint64_t gpu_milli = 0;
  std::uint64_t tasks = 0;
};

/// Counts the outcomes of a trace's tasks from the results that the replicas agreed on. Checks each placement against
/// the machines of the trace: no machine and no GPU may be overbooked. A placement of which only an event tells,
/// because more than `scheduler_bounds::waiting_examined_max` tasks wait, is not counted. Memory: a record for each
/// node and task.
class placement_tally {
 public:
  struct counts {
    std::uint64_t applied = 0;
    std::uint64_t refused = 0;
    /// The number of results that cannot be decoded, and of operations that the machine did not understand.
    std::uint64_t malformed = 0;
    std::uint64_t nodes_registered = 0;
    std::uint64_t tasks_submitted = 0;
    /// The number of tasks that were ever placed, at once or after waiting.
    std::uint64_t tasks_placed = 0;
    /// The number of tasks that found no place at the time of the request.
    std::uint64_t tasks_waited = 0;
    /// The number of tasks that ended after they were placed.
    std::uint64_t tasks_released = 0;
    /// The number of tasks that ended before they were placed.
    std::uint64_t tasks_withdrawn = 0;
  };

  explicit placement_tally(const cluster_trace& trace);

  /// Adds a result. The results must come in the order of the events.
  void note(const trace_event& event, const operation_result& result);

  [[nodiscard]] const counts& totals() const { return counts_; }
  [[nodiscard]] const cluster_use& capacity() const { return capacity_; }
  [[nodiscard]] const cluster_use& now() const { return now_; }
  /// The use at the time when most GPUs were in use; in a cluster without GPUs, when most cores were in use.
  [[nodiscard]] const cluster_use& peak() const { return peak_; }
  /// The time of the peak in seconds since the trace began.
  [[nodiscard]] std::uint64_t peak_time() const { return peak_time_; }
  [[nodiscard]] std::uint64_t waiting_now() const { return waiting_; }
  /// Placements by the GPU model of the machine; "" means a machine without GPUs.
  [[nodiscard]] const std::map<std::string, std::uint64_t>& by_gpu_model() const { return by_gpu_model_; }
  /// The first refusal, and the first placement that breaks a bound, each as a sentence; empty if there was none.
  [[nodiscard]] const std::string& first_refusal() const { return first_refusal_; }
  [[nodiscard]] const std::string& flaw() const { return flaw_; }

  /// The digest of all placements in their order.
  [[nodiscard]] digest placements_digest() const;

 private:
  struct node_use {
    cluster_use used;
    std::array<std::uint32_t, scheduler::gpus_per_node_max> gpu_milli{};
  };
  enum class task_state : std::uint8_t { unknown, submitted, waiting, placed, ended };
  struct task_use {
    task_state state = task_state::unknown;
    std::uint32_t node = 0;
    scheduler::gpu_set gpus = 0;
  };

  /// The event's operation as a text for people.
  [[nodiscard]] std::string name_of(const trace_event& event) const;
  void note_placing(const trace_event& event, byte_span payload);
  void note_placements(byte_span payload);
  void place(const scheduler::placement& placed);
  void end(std::uint32_t task);
  /// Adds or subtracts the task's demand at its node.
  void account(const task_use& task, const scheduler::demand& needs, bool add);
  void check_bounds(const task_use& task, const scheduler::task_spec& spec);
  void note_peak(std::uint64_t time);

  const cluster_trace* trace_;
  std::map<std::string, std::uint32_t, std::less<>> node_numbers_;
  std::map<std::string, std::uint32_t, std::less<>> task_numbers_;
  std::vector<node_use> nodes_;
  std::vector<task_use> tasks_;
  counts counts_;
  cluster_use capacity_;
  cluster_use now_;
  cluster_use peak_;
  std::uint64_t peak_time_ = 0;
  std::uint64_t waiting_ = 0;
  std::map<std::string, std::uint64_t> by_gpu_model_;
  std::string first_refusal_;
  std::string flaw_;
  hasher placements_{"hypermesh placements"};
};

}  // namespace hypermesh::cli
