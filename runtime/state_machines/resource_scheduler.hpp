#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hypermesh/state_machine.hpp>

#include "runtime/state_machines/authenticated_map.hpp"
#include "runtime/state_machines/event_log.hpp"
#include "runtime/state_machines/node_pool.hpp"
#include "runtime/state_machines/scheduler_records.hpp"
#include "runtime/state_machines/work_budget.hpp"

namespace hypermesh::machines {

/// Bounds of the scheduler's memory and of the work of one operation. They are the same
/// at every replica, because they decide which operations are refused and which tasks are
/// placed.
struct scheduler_bounds {
  /// The largest number of tasks that are submitted, waiting or placed.
  std::size_t live_tasks_max = 1'000'000;
  /// The largest number of bytes that the records of all tasks and keys may reach: 512 MiB, which are a million tasks
  /// with names of 64 bytes and five GPU models, or 440,000 tasks of the largest size. A submission beyond it is
  /// refused.
  std::uint64_t content_bytes_max = 512ULL << 20U;
  /// The largest number of released tasks that are still known by name. Older released tasks are only counted.
  std::size_t released_known_max = 65'536;
  /// The largest number of submissions that are known by their keys: 17 MB. The oldest key is forgotten first, whoever
  /// submitted it.
  std::size_t keys_known_max = 65'536;
  /// The newest events that are kept for watchers: 20 MB at 300 bytes each. At 1,000 placements a second a watcher may
  /// be away for 20 seconds; after a longer time it lists the placed tasks again.
  std::size_t events_known_min = 65'536;
  /// The largest number of waiting tasks that are tried at once when a node gains room. The sweep tries the others.
  std::size_t waiting_examined_max = 128;
  /// The largest amount of work of one operation, in the steps of work_budget.hpp: at most 64 releases, evictions and
  /// placements, or 4,096 waiting tasks that are examined. About 200 µs.
  std::size_t work_max = 4'096;
};

/// The machine "scheduler": nodes register, and tasks are submitted, placed by best fit
/// (node_pool.hpp) and released. All replicas agree on each placement.
/// scheduler_operations.hpp defines the operations, scheduler_results.hpp the results.
///
/// A task that fits nowhere waits in the order of arrival. When a node gains room, because a task is released or the
/// node registers, the first `waiting_examined_max` waiting tasks are tried on that node, in order. A large task at the
/// head does not delay smaller tasks behind it. If more tasks wait, the **sweep** tries the others: each later write
/// tries a few of them on all nodes, and continues where the write before stopped. So every waiting task has its turn,
/// whatever waits before it. A client may also ask again for a waiting task, and the scheduler then tries every node.
///
/// **Time.** The machine knows only the ordered time of its operations, and never goes back. Each write first releases
/// the tasks whose leases are over: the deadline is not after the ordered time. They are released in the order of
/// (deadline, ticket), as far as the budget of the write allows; the rest is left for the next writes. A malformed
/// operation and a read change nothing, so a task whose lease is over keeps its resources, and reads show it as placed,
/// until a write releases it. It cannot be renewed any more. In a cluster without ordered time, leases are refused.
///
/// **Work.** A write has one budget, `work_max`. Leases that are over may use one half of it, the sweep one quarter,
/// and the operation itself the rest, but at least one quarter. A read costs at most one page
/// (scheduler_operations.hpp).
///
/// **Events.** Each change of the state makes events (`event_log.hpp`), except the renewal of a lease. The number of
/// the newest event is the version of the state that clients see.
///
/// Memory: `scheduler_bounds` and `nodes_max`. For each task the tables cost about 400 bytes besides the content of the
/// record. With the default bounds this is about 1 GB, and snapshots add the chunks that changed since they were taken.
/// The records in the map contain the whole state, the events and the header after
/// `store_pending`. All other members are derived from them, and `restore` rebuilds them. The names in the tables are
/// keys that the map keeps (`map_keys::kept`); therefore the machine cannot be copied.
class resource_scheduler final : public state_machine, public freezable_state {
 public:
  explicit resource_scheduler(std::size_t leaf_bytes_max = authenticated_map::leaf_bytes_default,
                              scheduler_bounds bounds = {});
  resource_scheduler(resource_scheduler&&) = default;
  resource_scheduler& operator=(resource_scheduler&&) = default;

  [[nodiscard]] std::string_view name() const override { return "scheduler"; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  [[nodiscard]] operation_result query(byte_span operation) const override;
  [[nodiscard]] state_snapshot snapshot() override;
  [[nodiscard]] std::shared_ptr<frozen_state> freeze() override;
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) override;
  [[nodiscard]] digest root() override;

  [[nodiscard]] scheduler::summary_view summary() const;

 private:
  /// A waiting task. The record has its models.
  struct waiting_task {
    std::string_view name;
    scheduler::demand_amounts needs;
  };
  using node_index = scheduler::node_index;
  using ordered_time = scheduler::ordered_time;
  using work_budget = scheduler::work_budget;

  /// Tables that are derived from the records. Their names point into the keys of the map.
  struct derived_tables {
    explicit derived_tables(std::size_t events_known_min) : events(events_known_min) {}

    scheduler::node_pool nodes;
    scheduler::event_log events;
    /// The waiting tasks by ticket, which is the order of arrival.
    std::map<std::uint64_t, waiting_task> waiting;
    /// The placed tasks by ticket, which is the order of their placement, and the same of each node.
    std::map<std::uint64_t, std::string_view> placed;
    std::vector<std::map<std::uint64_t, std::string_view>> placed_on;
    /// The placed tasks with a lease, by deadline and ticket.
    std::map<std::pair<ordered_time, std::uint64_t>, std::string_view> leases;
    /// The released tasks by ticket. The scheduler forgets the oldest one first.
    std::map<std::uint64_t, std::string_view> released;
    /// Keys of submissions, as in the state, by ticket.
    std::map<std::uint64_t, std::string_view> keys;
    std::uint64_t submitted = 0;
    /// The sum of `record_bytes_max` and `submission_bytes_max` of all tasks and keys. The bytes of the map itself
    /// would not do, because they depend on when the events were stored.
    std::uint64_t content_bytes = 0;
    scheduler::header_record header;

    /// Adds a placed task to the tables above.
    [[nodiscard]] bool add_placed(node_index node, std::uint64_t ticket, std::string_view name) {
      if (placed_on.size() <= node) placed_on.resize(node + 1);
      return placed.emplace(ticket, name).second && placed_on[node].emplace(ticket, name).second;
    }
    [[nodiscard]] std::uint64_t live() const { return submitted + waiting.size() + placed.size(); }
  };

  /// A write that is executed.
  struct write {
    client_id client;
    byte_span encoded;
    work_budget work;
    /// The number of tasks that this write released because their leases are over.
    std::size_t expired = 0;
  };

  /// A task's record and its place in the map.
  struct known_task {
    std::string name;
    std::string key;
    authenticated_map::key_place place;
    scheduler::task_record record;
  };

  // Writes: tasks.
  operation_result execute(const scheduler::submit_task& operation, write& with);
  operation_result execute(const scheduler::place_task& operation, write& with);
  operation_result execute(const scheduler::release_task& operation, write& with);
  operation_result execute(const scheduler::end_task& operation, write& with);
  operation_result submit_new(const scheduler::submit_task& operation, write& with);
  // Writes: nodes.
  operation_result execute(const scheduler::register_node& operation, write& with);
  operation_result execute(const scheduler::drain_node& operation, write& with);
  operation_result execute(const scheduler::undrain_node& operation, write& with);
  operation_result execute(const scheduler::remove_node& operation, write& with);
  // Writes: leases.
  operation_result execute(const scheduler::renew_lease& operation, write& with);
  operation_result execute(const scheduler::expire_leases& operation, write& with);

  [[nodiscard]] operation_result answer(const scheduler::query_node& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::query_task& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::query_summary& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::query_capacity& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::explain_task& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::explain_demand& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::list_nodes& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::list_tasks& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::list_placed& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::query_events& operation) const;
  [[nodiscard]] operation_result explain(const scheduler::demand& needs, std::string_view after) const;
  [[nodiscard]] operation_result answer_read(const scheduler::operation& operation) const;

  [[nodiscard]] std::optional<known_task> find_task(std::string_view task) const;
  [[nodiscard]] known_task task_of(std::string_view name) const;
  /// Writes the record of the task. Returns its name in the map.
  std::string_view store(const known_task& task);
  void erase(const known_task& task);
  void drain(node_index node, bool is_drained);
  void store_node(node_index node);
  /// The result of a write, with the number of the newest event.
  [[nodiscard]] operation_result changed(scheduler::placements placed = {}) const;
  /// Adds an event with the present time. Returns its number.
  std::uint64_t tell(scheduler::event_kind kind, const known_task& task);
  std::uint64_t tell(scheduler::event_kind kind, std::string_view node);

  /// Places a submitted or waiting task by best fit, or lets it wait.
  scheduler::placements place_or_wait(known_task& task, work_budget& work);
  /// Places the task on a node where it fits.
  scheduler::placement place_on(node_index node, known_task& task);
  void let_wait(known_task& task);
  void stop_waiting(std::uint64_t ticket);
  /// Takes a placed task from its node, without a change of its record. Returns the node.
  node_index take_from_node(const known_task& task);
  /// Takes a placed task from a node that is removed, and places it elsewhere or lets it wait.
  scheduler::placements evict(std::string_view task, work_budget& work);
  /// Ends a placed task. Returns the placements of waiting tasks that this makes possible.
  scheduler::placements release(known_task& task, scheduler::event_kind kind, work_budget& work);
  /// Tries waiting tasks on a node that gained room, and leaves the others to the sweep.
  scheduler::placements fill(node_index node, work_budget& work);
  /// Lets the sweep try the waiting tasks from `ticket` on; if it is under way, all of them. `count` is their number.
  void begin_sweep(std::uint64_t ticket, std::uint64_t count);
  void sweep(work_budget& work);
  void forget_old_released();
  void forget_old_keys();

  /// Adopts the ordered time of a write, and releases tasks whose leases are over. Returns the number of these tasks.
  std::size_t advance(ordered_time time, work_budget& work);
  [[nodiscard]] ordered_time deadline_of(std::chrono::milliseconds lease) const;

  /// Writes the header and the events into the map.
  void store_pending();

  /// A step of `restore`: derives the tables from `records`, or returns an error text.
  [[nodiscard]] or_reason<void> derive(const authenticated_map& records, derived_tables& into) const;
  [[nodiscard]] or_reason<void> derive_records(const authenticated_map& records, derived_tables& into) const;
  [[nodiscard]] static or_reason<void> derive_nodes(const authenticated_map& records, derived_tables& into);
  [[nodiscard]] static or_reason<void> derive_task(std::string_view name, byte_span value, derived_tables& into);
  [[nodiscard]] static or_reason<void> derive_key(std::string_view key, byte_span value, derived_tables& into);
  [[nodiscard]] or_reason<void> check_bounds(const derived_tables& tables) const;
  [[nodiscard]] static or_reason<void> check_tickets(const derived_tables& tables);

  authenticated_map records_;
  scheduler_bounds bounds_;
  std::size_t leaf_bytes_max_;
  derived_tables tables_;
};

}  // namespace hypermesh::machines
