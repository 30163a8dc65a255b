#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "actors/ports.hpp"
#include "runtime/state_machines/authenticated_map.hpp"
#include "runtime/state_machines/event_log.hpp"
#include "runtime/state_machines/node_pool.hpp"
#include "runtime/state_machines/scheduler_records.hpp"

namespace hypermesh::machines {

/// Bounds of the scheduler's memory and of the work of one operation. They are the same
/// at every replica, because they decide which operations are refused and which tasks are
/// placed.
struct scheduler_bounds {
  /// The largest number of tasks that are submitted, waiting or placed: 500 MB at 500 bytes each.
  std::size_t live_tasks_max = 1'000'000;
  /// The largest number of released tasks that are still known by name. Older released tasks are only counted.
  std::size_t released_known_max = 65'536;
  /// The largest number of waiting tasks that are tried when a node gains room. At 10 ns each this costs about as much
  /// as placing one task.
  std::size_t waiting_examined_max = 128;
  /// The largest number of submissions that are known by their keys: 25 MB at 400 bytes each. The oldest key is
  /// forgotten first. A repetition after that is refused if the task is still known, because its name exists.
  std::size_t keys_known_max = 65'536;
  /// The newest events that are kept for watchers: 20 MB at 300 bytes each. At 1,000 placements a second a watcher may
  /// be away for 20 seconds; after a longer time it lists the placed tasks again.
  std::size_t events_known_min = 65'536;
  /// The largest number of tasks that one operation releases because their leases are over. With the waiting tasks
  /// that are tried for each, this costs less than 1 ms.
  std::size_t expired_max = 128;
  /// The largest number of tasks that one operation evicts from a node.
  std::size_t evicted_max = 256;
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
/// **Time.** The machine knows only the ordered time of its operations, and never goes back. Each write first releases
/// the tasks whose leases are over: the deadline is not after the ordered time. They are released in the order of
/// (deadline, ticket), at most `expired_max` by one write; the rest is left for the next writes. A malformed operation
/// and a read change nothing, so a task whose lease is over keeps its resources, and reads show it as placed, until a
/// write releases it. It cannot be renewed any more. In a cluster without ordered time, leases are refused.
///
/// **Events.** Each change of the state makes events (`event_log.hpp`), except the renewal of a lease. The number of
/// the newest event is the version of the state that clients see.
///
/// Memory: `scheduler_bounds` and `nodes_max`. The records in the map contain the whole state, the events and the
/// header after `store_pending`. All other members are derived from them, and `restore` rebuilds them.
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
  using node_index = scheduler::node_index;
  using ordered_time = scheduler::ordered_time;

  /// Tables that are derived from the records.
  struct derived_tables {
    explicit derived_tables(std::size_t events_known_min) : events(events_known_min) {}

    scheduler::node_pool nodes;
    scheduler::event_log events;
    /// The waiting tasks by ticket, which is the order of arrival.
    std::map<std::uint64_t, waiting_task> waiting;
    /// Names of placed tasks by node and ticket, which is the order in which they were placed.
    std::map<std::pair<node_index, std::uint64_t>, std::string> placed;
    /// Names of the placed tasks with a lease, by deadline and ticket.
    std::map<std::pair<ordered_time, std::uint64_t>, std::string> leases;
    /// Names of released tasks by ticket. The scheduler forgets the oldest name first.
    std::map<std::uint64_t, std::string> released;
    /// Keys of submissions, as in the state, by ticket.
    std::map<std::uint64_t, std::string> keys;
    std::uint64_t submitted = 0;
    scheduler::header_record header;

    [[nodiscard]] std::uint64_t live() const { return submitted + waiting.size() + placed.size(); }
  };

  /// A task's record and its place in the map.
  struct known_task {
    std::string name;
    std::string key;
    authenticated_map::key_place place;
    scheduler::task_record record;
  };

  // Writes: tasks.
  operation_result execute(const scheduler::submit_task& operation);
  operation_result execute(const scheduler::place_task& operation);
  operation_result execute(const scheduler::release_task& operation);
  operation_result execute(const scheduler::end_task& operation);
  /// Executes a submission with a key once, and repeats its first result after that.
  operation_result execute_once(const scheduler::submit_task& operation, client_id client, byte_span encoded);
  // Writes: nodes.
  operation_result execute(const scheduler::register_node& operation);
  operation_result execute(const scheduler::drain_node& operation);
  operation_result execute(const scheduler::undrain_node& operation);
  operation_result execute(const scheduler::remove_node& operation);
  // Writes: leases.
  operation_result execute(const scheduler::renew_lease& operation);
  operation_result execute(const scheduler::expire_leases& operation);

  [[nodiscard]] operation_result answer(const scheduler::query_node& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::query_task& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::query_summary& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::query_capacity& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::explain_task& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::explain_demand& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::list_nodes& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::list_tasks& operation) const;
  [[nodiscard]] operation_result answer(const scheduler::query_events& operation) const;
  [[nodiscard]] operation_result answer_read(const scheduler::operation& operation) const;

  [[nodiscard]] std::optional<known_task> find_task(std::string_view task) const;
  void store(const known_task& task);
  void store_node(const scheduler::node_record& record);
  [[nodiscard]] scheduler::node_record node_record_of(std::string_view name) const;
  /// The result of a write, with the number of the newest event.
  [[nodiscard]] operation_result changed(scheduler::placements placed = {}) const;
  /// Adds an event with the present time. Returns its number.
  std::uint64_t tell(scheduler::event_kind kind, const known_task& task);
  std::uint64_t tell(scheduler::event_kind kind, std::string_view node);

  /// Places a submitted or waiting task by best fit, or lets it wait.
  scheduler::placements place_or_wait(known_task& task);
  /// Places the task on a node where it fits.
  scheduler::placement place_on(node_index node, known_task& task);
  void let_wait(known_task& task);
  /// Takes a placed task from its node, without a change of its record. Returns the node.
  node_index take_from_node(const known_task& task);
  /// Ends a placed task. Returns the placements of waiting tasks that this makes possible.
  scheduler::placements release(known_task& task, scheduler::event_kind kind);
  /// Tries waiting tasks on a node that gained room.
  scheduler::placements fill(node_index node);
  void forget_old_released();
  void forget_old_keys();

  /// Adopts the ordered time of a write, and releases tasks whose leases are over. Returns the number of these tasks.
  std::size_t advance(ordered_time time);
  [[nodiscard]] ordered_time deadline_of(std::chrono::milliseconds lease) const;

  /// Writes the header and the events into the map.
  void store_pending();

  /// A step of `restore`: derives the tables from `records`, or returns an error text.
  [[nodiscard]] or_reason<void> derive(const authenticated_map& records, derived_tables& into) const;
  [[nodiscard]] static or_reason<void> derive_nodes(const authenticated_map& records, derived_tables& into);
  [[nodiscard]] static or_reason<void> derive_task(std::string_view name, byte_span value, derived_tables& into);
  [[nodiscard]] static or_reason<void> derive_key(std::string_view key, byte_span value, derived_tables& into);
  [[nodiscard]] or_reason<void> check_bounds(const derived_tables& tables) const;

  authenticated_map records_;
  scheduler_bounds bounds_;
  std::size_t bucket_count_;
  derived_tables tables_;
  /// The number of tasks that the present write released because their leases are over.
  std::size_t expired_now_ = 0;
};

}  // namespace hypermesh::machines
