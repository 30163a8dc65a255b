#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "actors/ports.hpp"
#include "runtime/state_machines/authenticated_map.hpp"
#include "runtime/state_machines/node_pool.hpp"
#include "runtime/state_machines/scheduler_records.hpp"

namespace hypermesh {

/// Bounds of the scheduler's memory and of the work of one operation. The same at every
/// replica: they decide what is refused and what is placed.
struct scheduler_bounds {
  /// Tasks submitted, waiting or placed: at 300 bytes each, 300 MB.
  std::size_t live_tasks_max = 1'000'000;
  /// Released tasks that are still known by name; older ones are only counted.
  std::size_t released_known_max = 65'536;
  /// Waiting tasks looked at when a node gains room: at 10 ns each, about the cost of placing one task.
  std::size_t waiting_examined_max = 128;
};

/// The machine "scheduler": nodes register, tasks are submitted, placed by best fit
/// (node_pool.hpp) and released, and every replica agrees on each placement. Operations:
/// scheduler_operations.hpp; results: scheduler_results.hpp.
///
/// A task that fits nowhere waits in the order of arrival. When a node gains room, by a
/// release or by registering, the first `waiting_examined_max` waiting tasks are tried on
/// that node, in order; a large task at the head does not hold up smaller ones behind
/// it. Only that node is asked: the others had no room when the task began to wait. A
/// client may also ask again for a waiting task, which then tries every node.
///
/// Memory: `scheduler_bounds` and `nodes_max`; the records in the map hold the whole
/// state, everything else is derived from them and rebuilt by `restore`.
class resource_scheduler final : public state_machine {
 public:
  explicit resource_scheduler(std::size_t bucket_count = authenticated_map::bucket_count_default,
                              scheduler_bounds bounds = {});

  [[nodiscard]] std::string_view name() const override { return "scheduler"; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  [[nodiscard]] operation_result query(byte_span operation) const override;
  [[nodiscard]] state_snapshot snapshot() override;
  [[nodiscard]] std::optional<std::string> restore(const state_snapshot& snapshot) override;
  [[nodiscard]] digest root() override;

  [[nodiscard]] scheduler::summary_view summary() const;

 private:
  /// A waiting task, with what a try needs.
  struct waiting_task {
    std::string name;
    scheduler::demand needs;
  };

  /// What follows from the records.
  struct derived_tables {
    scheduler::node_pool nodes;
    /// By ticket: the order of arrival.
    std::map<std::uint64_t, waiting_task> waiting;
    /// Names of released tasks by ticket: the oldest is forgotten first.
    std::map<std::uint64_t, std::string> released;
    std::uint64_t submitted = 0;
    std::uint64_t placed = 0;
    scheduler::header_record header;
  };

  /// A task's record and where it stands.
  struct known_task {
    std::string key;
    std::size_t bucket = 0;
    scheduler::task_record record;
  };

  operation_result execute(const scheduler::register_node& operation);
  operation_result execute(const scheduler::submit_task& operation);
  operation_result execute(const scheduler::place_task& operation);
  operation_result execute(const scheduler::release_task& operation);
  operation_result execute(const scheduler::end_task& operation);
  [[nodiscard]] operation_result execute(const scheduler::query_node& operation) const;
  [[nodiscard]] operation_result execute(const scheduler::query_task& operation) const;
  [[nodiscard]] operation_result execute(const scheduler::query_summary& operation) const;

  [[nodiscard]] std::optional<known_task> find_task(std::string_view task) const;
  void store(const known_task& task);
  /// Puts the task on the node, where it fits.
  scheduler::placement place_on(scheduler::node_index node, std::string_view name, known_task& task);
  /// Gives back what a placed task took; what became of the tasks that waited.
  operation_result release(std::string_view name, known_task& task);
  /// Tries waiting tasks on a node that gained room.
  scheduler::placements fill(scheduler::node_index node);
  void forget_old_released();
  void store_header();

  /// Part of `restore`: an error text, or the tables that follow from `records`.
  [[nodiscard]] std::optional<std::string> derive(const authenticated_map& records, derived_tables& into) const;
  [[nodiscard]] std::optional<std::string> derive_task(std::string_view name, byte_span value,
                                                       derived_tables& into) const;

  authenticated_map records_;
  derived_tables tables_;
  scheduler_bounds bounds_;
  std::size_t bucket_count_;
};

}  // namespace hypermesh
