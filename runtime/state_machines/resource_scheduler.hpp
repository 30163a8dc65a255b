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

namespace hypermesh::machines {

/// Bounds of the scheduler's memory and of the work of one operation. They are the same
/// at every replica, because they decide which operations are refused and which tasks are
/// placed.
struct scheduler_bounds {
  /// The largest number of tasks that are submitted, waiting or placed: 300 MB at 300 bytes each.
  std::size_t live_tasks_max = 1'000'000;
  /// The largest number of released tasks that are still known by name. Older released tasks are only counted.
  std::size_t released_known_max = 65'536;
  /// The largest number of waiting tasks that are tried when a node gains room. At 10 ns each this costs about as much
  /// as placing one task.
  std::size_t waiting_examined_max = 128;
};

/// The machine "scheduler": nodes register, and tasks are submitted, placed by best fit
/// (node_pool.hpp) and released. All replicas agree on each placement.
/// scheduler_operations.hpp defines the operations, scheduler_results.hpp the results.
///
/// A task that fits nowhere waits in the order of arrival. When a node gains room, because a task is released or the
/// node registers, the first `waiting_examined_max` waiting tasks are tried on that node, in order. A large task at the
/// head does not delay smaller tasks behind it. Other nodes are not tried, because they had no room when the task began
/// to wait. A client may also ask again for a waiting task, and the scheduler then tries every node.
///
/// Memory: `scheduler_bounds` and `nodes_max`. The records in the map contain the whole state. All other members are
/// derived from them, and `restore` rebuilds them.
class resource_scheduler final : public state_machine {
 public:
  explicit resource_scheduler(std::size_t bucket_count = authenticated_map::bucket_count_default,
                              scheduler_bounds bounds = {});

  [[nodiscard]] std::string_view name() const override { return "scheduler"; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  [[nodiscard]] operation_result query(byte_span operation) const override;
  [[nodiscard]] state_snapshot snapshot() override;
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) override;
  [[nodiscard]] digest root() override;

  [[nodiscard]] scheduler::summary_view summary() const;

 private:
  /// A waiting task, with the demand that a placement needs.
  struct waiting_task {
    std::string name;
    scheduler::demand needs;
  };

  /// Tables that are derived from the records.
  struct derived_tables {
    scheduler::node_pool nodes;
    /// The waiting tasks by ticket, which is the order of arrival.
    std::map<std::uint64_t, waiting_task> waiting;
    /// Names of released tasks by ticket. The scheduler forgets the oldest name first.
    std::map<std::uint64_t, std::string> released;
    std::uint64_t submitted = 0;
    std::uint64_t placed = 0;
    scheduler::header_record header;
  };

  /// A task's record and its place in the map.
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
  /// Places the task on a node where it fits.
  scheduler::placement place_on(scheduler::node_index node, std::string_view name, known_task& task);
  /// Releases the resources of a placed task. Returns the placements of waiting tasks that this makes possible.
  operation_result release(std::string_view name, known_task& task);
  /// Tries waiting tasks on a node that gained room.
  scheduler::placements fill(scheduler::node_index node);
  void forget_old_released();
  void store_header();

  /// A step of `restore`: derives the tables from `records`, or returns an error text.
  [[nodiscard]] or_reason<void> derive(const authenticated_map& records, derived_tables& into) const;
  [[nodiscard]] or_reason<void> derive_task(std::string_view name, byte_span value, derived_tables& into) const;

  authenticated_map records_;
  derived_tables tables_;
  scheduler_bounds bounds_;
  std::size_t bucket_count_;
};

}  // namespace hypermesh::machines
