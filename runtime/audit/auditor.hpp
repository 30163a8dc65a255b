#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/interfaces.hpp"
#include "runtime/audit/audit_trail.hpp"
#include "runtime/base/storage_wrapper.hpp"

namespace hypermesh::audit {

/// The disk reports to the auditor that these records are durable.
struct records_written {
  std::shared_ptr<const std::vector<storage_record>> records;
  /// Reserves room in the auditor's queue until the message is handled.
  std::shared_ptr<void> credit;
};

/// Reports an event that is not stored in any record of the disk.
struct event_happened {
  std::shared_ptr<const audit_event> event;
  std::shared_ptr<void> credit;
};

/// The auditor sends this message to itself to write the collected entries.
struct flush_trail {};

/// Asks the auditor to seal the entries, close the trail and end. The auditor answers when it has done this.
struct close_trail {};

/// The trail of one node, as an actor.
using auditor_actor = caf::typed_actor<
    // Tells the auditor the actors of the node. The auditor reports the state of the trail to the monitor among them.
    caf::reacts_to<wired>, caf::reacts_to<records_written>, caf::reacts_to<event_happened>, caf::reacts_to<flush_trail>,
    caf::reacts_to<close_trail>>;

/// The size of the auditor's backlog, shared by the auditor and the senders of its messages. Thread-safe.
class audit_queue {
 public:
  /// Bounds the memory that a slow disk can cost. There is room for some ten thousand batches of one small request.
  static constexpr std::uint64_t bytes_max = 32 * 1024 * 1024;

  explicit audit_queue(std::uint64_t bytes = bytes_max) : bytes_max_(bytes) {}

  /// Reserves `bytes` until the credit is destroyed. Returns null if there is no room; `events` are then counted as
  /// lost.
  [[nodiscard]] static std::shared_ptr<void> admit(const std::shared_ptr<audit_queue>& queue, std::uint64_t bytes,
                                                   std::uint64_t events);

  /// Returns the number of events that were refused since the last call.
  [[nodiscard]] std::uint64_t take_lost() { return lost_.exchange(0, std::memory_order_relaxed); }

 private:
  std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> waiting_ = 0;
  std::atomic<std::uint64_t> lost_ = 0;
};

/// The node's interface to its audit trail. Never blocks: events that do not fit into the queue are counted as lost.
/// Thread-safe.
class audit_tap {
 public:
  /// If `votes` is set, proposals, votes and prepared certificates are recorded too.
  audit_tap(auditor_actor auditor, std::shared_ptr<audit_queue> queue, bool votes)
      : auditor_(std::move(auditor)), queue_(std::move(queue)), votes_(votes) {}

  void on_written(std::span<const storage_record> records) const;
  void on_observed(const observation& what) const;
  /// Adds an event that comes from neither a record nor an observation.
  void note(audit_event event) const;

 private:
  auditor_actor auditor_;
  std::shared_ptr<audit_queue> queue_;
  bool votes_;
};

/// Returns the present time of the wall clock, in microseconds since 1970.
using entry_clock = std::function<std::uint64_t()>;
[[nodiscard]] std::uint64_t wall_clock_us();

/// Writes the trail. Entries that arrive while the disk works are chained and written together. A stable checkpoint
/// seals them, and so does the end of the run. No promise of the node depends on the trail, so no other actor waits for
/// it. If a write fails, the auditor reports this to the monitor, and the node continues.
struct auditor_state {
  static inline const char* name = "auditor";

  std::unique_ptr<audit_trail> trail;
  std::shared_ptr<audit_queue> queue;
  entry_clock clock;
  std::shared_ptr<const node_actors> with;
  bool flush_is_due = false;
  /// The newest checkpoint that became stable after the last seal.
  std::optional<sequence_number> to_seal;
  bool is_failing = false;
  std::uint64_t failures = 0;
};

auditor_actor::behavior_type auditor(auditor_actor::stateful_pointer<auditor_state> self,
                                     std::shared_ptr<std::unique_ptr<audit_trail>> trail,
                                     std::shared_ptr<audit_queue> queue, entry_clock clock);

/// Forwards every call to the node's disk, and reports the written records to the trail.
class audited_storage final : public base::storage_wrapper {
 public:
  audited_storage(std::shared_ptr<stable_storage> disk, std::shared_ptr<const audit_tap> tap)
      : storage_wrapper(std::move(disk)), tap_(std::move(tap)) {}

  [[nodiscard]] or_error<void> write(std::span<const storage_record> records) override;

 private:
  std::shared_ptr<const audit_tap> tap_;
};

}  // namespace hypermesh::audit

// clang-format off
#define HYPERMESH_AUDIT_MESSAGES(add, block)\
  add(block, audit::records_written) \
  add(block, audit::event_happened)  \
  add(block, audit::flush_trail)     \
  add(block, audit::close_trail)
// clang-format on

// The message ids in runtime/links/link_messages.hpp begin at 200 above the first id and may grow up to 299.
HYPERMESH_REGISTER_MESSAGES(hypermesh_audit, first_custom_type_id + 300, HYPERMESH_AUDIT_MESSAGES)
static_assert(caf::id_block::hypermesh::end <= caf::id_block::hypermesh_audit::begin);
