#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include <hypermesh/expected.hpp>

#include "runtime/state_machines/scheduler_operations.hpp"
#include "runtime/state_machines/scheduler_results.hpp"

/// The contract between a service mesh and the replicated resource scheduler, in plain C++.
namespace hypermesh::scheduling {

// The values of the contract are those of the machine "scheduler".
using machines::scheduler::capacity_view;
using machines::scheduler::change_result;
using machines::scheduler::demand;
using machines::scheduler::event;
using machines::scheduler::event_kind;
using machines::scheduler::events_page;
using machines::scheduler::expiry_result;
using machines::scheduler::fit_view;
using machines::scheduler::node_spec;
using machines::scheduler::node_view;
using machines::scheduler::nodes_page;
using machines::scheduler::ordered_time;
using machines::scheduler::page_rows_max;
using machines::scheduler::placed_page;
using machines::scheduler::removal_result;
using machines::scheduler::renewal_result;
using machines::scheduler::submit_task;
using machines::scheduler::summary_view;
using machines::scheduler::task_row;
using machines::scheduler::task_spec;
using machines::scheduler::task_state;
using machines::scheduler::task_view;
using machines::scheduler::tasks_page;

enum class failure_kind : std::uint8_t {
  /// The scheduler executed the operation and refused it. It changed nothing, except that leases may have expired.
  refused = 0,
  /// No answer of f + 1 replicas arrived in time. A write may have been executed, or may still be executed. Repeat a
  /// submission with the same key, and any other write after a read of the task or node.
  unreachable = 1,
  /// The answer does not reflect the event that the client has seen, although the read was ordered. The client named an
  /// event of another cluster.
  behind = 2,
  /// The cluster runs another machine, or another revision of this product.
  foreign = 3,
};
inline constexpr auto failure_kind_last = failure_kind::foreign;

struct failure {
  failure_kind kind = failure_kind::refused;
  /// The reason in words; for `refused` the reason of the scheduler.
  std::string reason;

  friend bool operator==(const failure&, const failure&) = default;
};

template <class T>
using or_failure = tl::expected<T, failure>;

/// Whether the tasks of a removed node are moved.
enum class removal_mode {
  /// A node with tasks is not removed.
  only_if_empty,
  /// Its tasks are placed elsewhere or wait.
  evict,
};

/// A scheduler of tasks on nodes, agreed on by a cluster that tolerates f faulty replicas.
///
/// **Order.** All writes of all clients are executed in one order. A write returns after f + 1 replicas executed it.
/// Its `event` is the number of the newest event after it.
///
/// **Reads.** A read shows a state that the cluster committed. It may be older than the newest one, but it is never
/// older than any result that this object returned before, so a client reads its own writes, and what it has read once
/// does not disappear. `seen` says up to which event; two objects share this by `note_seen`. Each result has the number
/// of the newest event that it reflects.
///
/// **Placement.** A task is placed on the node where it fits best (best fit, node_pool.hpp); otherwise it waits. When a
/// node gains room, the tasks that have waited longest are tried at once, and the next writes of any client try the
/// others, a few at a time (the sweep, resource_scheduler.hpp). A placement ends by `release`, by `end`, by the end of
/// its lease, or by the removal of its node. It never moves for another reason.
///
/// **Leases** are measured in ordered time: the time that the replicas agree on with each batch of operations. A lease
/// never ends early by the clock of one replica or of the client. It ends at the first write at or after its deadline,
/// or a few writes later if many leases end at once. It cannot be renewed after its deadline. A mesh renews a lease at
/// a third of its length, and calls `expire_leases` now and then in a cluster without writes. A task that is evicted
/// keeps the end of its lease, if it is later than that of a new one.
///
/// **Bounds** are those of `scheduler_bounds` and of scheduler_operations.hpp. An operation beyond them is refused.
///
/// A function blocks until its result is known. The port bounds the time (consensus_port.hpp). An object is used by one
/// thread at a time.
class resource_scheduler_api {
 public:
  virtual ~resource_scheduler_api() = default;

  // --- Nodes ---------------------------------------------------------------------

  /// Adds a node, and places waiting tasks on it. Refused if the name exists.
  virtual or_failure<change_result> register_node(const node_spec& node) = 0;
  /// Stops placements on a node; its tasks stay. Draining it again changes nothing.
  virtual or_failure<change_result> drain_node(std::string_view name) = 0;
  /// Ends draining, and places waiting tasks on the node.
  virtual or_failure<change_result> undrain_node(std::string_view name) = 0;
  /// Removes a node. If the result has `remaining` tasks, the node is drained and not removed yet; call again. Its name
  /// stays in the records of tasks that were released there, and may be registered again.
  virtual or_failure<removal_result> remove_node(std::string_view name, removal_mode mode) = 0;

  // --- Tasks ---------------------------------------------------------------------

  /// Registers a task; `submission.places` also places it or lets it wait. With `submission.key`, a repetition by the
  /// same client with the same content returns the first result, and other content is refused. Keys of different
  /// clients are different. The newest `scheduler_bounds::keys_known_max` keys of all clients together are known. A
  /// repetition after that is refused while the task is known by name; if the task has ended and is forgotten, the
  /// repetition is a new task. A refused submission does not use its key up.
  virtual or_failure<change_result> submit(const submit_task& submission) = 0;
  /// Places a submitted or waiting task by best fit. If `placed` is empty, it waits.
  virtual or_failure<change_result> place(std::string_view task) = 0;
  /// Ends a placed task. `placed` lists the waiting tasks that found room.
  virtual or_failure<change_result> release(std::string_view task) = 0;
  /// Ends a task in any state: releases a placed task, and forgets any other.
  virtual or_failure<change_result> end(std::string_view task) = 0;
  /// Lets the lease of a placed task end `lease` after the ordered time of this write; zero means the lease of its
  /// submission. Refused when the lease is over.
  virtual or_failure<renewal_result> renew_lease(std::string_view task, std::chrono::milliseconds lease) = 0;
  /// Does what every write does first: releases tasks whose leases are over, and tries tasks that wait. Call again
  /// while `due` or `untried` is not zero.
  virtual or_failure<expiry_result> expire_leases() = 0;

  // --- Reads ---------------------------------------------------------------------

  virtual or_failure<node_view> node(std::string_view name) = 0;
  virtual or_failure<task_view> task(std::string_view name) = 0;
  virtual or_failure<summary_view> summary() = 0;
  /// The free resources of each GPU model, and how fragmented its free GPUs are.
  virtual or_failure<capacity_view> capacity() = 0;
  /// Why a submitted or waiting task is not placed. The nodes are read by pages of `nodes_explained_max`, and the
  /// counts are added; the pages may show different states.
  virtual or_failure<fit_view> explain(std::string_view task) = 0;
  /// Which nodes would take a task with this demand now. Reads pages like `explain`.
  virtual or_failure<fit_view> explain_demand(const demand& needs) = 0;
  /// A page of nodes by name, or of tasks in the order of the state. `after` is the last name of the page before.
  virtual or_failure<nodes_page> nodes(std::string_view after, std::uint16_t limit) = 0;
  virtual or_failure<tasks_page> tasks(std::string_view after, std::uint16_t limit) = 0;
  /// A page of the placed tasks in the order of their placement. `after` is `next` of the page before; 0 begins.
  virtual or_failure<placed_page> placed(std::uint64_t after, std::uint16_t limit) = 0;
  /// The events after the number `since`, or `is_compacted` if they are not all kept. `placement_watch` reads them
  /// without a gap or a repetition.
  virtual or_failure<events_page> events(std::uint64_t since, std::uint16_t limit) = 0;

  // --- Reading one's own writes --------------------------------------------------

  /// The largest event number in a result so far. Every read reflects this event.
  [[nodiscard]] virtual std::uint64_t seen() const = 0;
  /// From now on, every read reflects `event`, which another object or process has seen.
  virtual void note_seen(std::uint64_t event) = 0;
};

}  // namespace hypermesh::scheduling
