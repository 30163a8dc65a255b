#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <hypermesh/expected.hpp>
#include <hypermesh/state_machine.hpp>
#include <hypermesh/types.hpp>

/// What a replica reports to its host: state, health, metrics, events, and the operations that it executed.
namespace hypermesh {

// --- State, health, metrics --------------------------------------------------

/// The position of a replica.
struct node_state {
  replica_id replica;
  view_number view;
  sequence_number last_executed;
  sequence_number stable_checkpoint;
  /// The watermarks h and H: the replica takes part in the agreement on the sequences above h, up to H.
  sequence_number low_watermark;
  sequence_number high_watermark;
  /// The root of the machine's state after `last_executed`. Equal at all correct replicas after the same sequence.
  digest state_root;
};

/// The health of a replica and of its group, as this replica sees it. It knows of a fault of another replica after at
/// most 16 of the configured status periods, which are 2.4 s by default.
struct node_health {
  /// Why a replica does not take part.
  struct reason {
    replica_id replica;
    /// A stable name, for example "on_probation".
    std::string condition;
    /// For people, for example "replica 3 on probation until sequence 512".
    std::string text;
  };

  /// The replica runs and did not fail. If it is not live, restarting the process is the remedy.
  bool is_live = true;
  /// Clients should use this replica: it has entered a view, trusts its state, executes, may vote, hears from a quorum,
  /// and is not draining.
  bool is_ready = true;
  bool is_draining = false;
  /// The error that stopped the replica, if there was one.
  or_error<void> running;
  /// Whether a quorum takes part. If none does, no request is executed.
  bool is_service_possible = true;
  /// How many more replicas may fail before the group loses its guarantees.
  std::uint32_t faults_tolerated = 0;
  /// The replicas of which any one may be restarted now, in ascending order. It is safe unless something new happens:
  /// ask again before the next restart.
  std::vector<replica_id> safe_to_restart;
  /// At most one for each replica, in ascending order of replicas. Empty when all take part.
  std::vector<reason> reasons;
  /// All of this in one sentence: "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)".
  std::string sentence;
};

/// A counter or gauge. The name may have labels, as in Prometheus: `link_up{peer="replica-2"}`.
struct metric {
  std::string name;
  std::uint64_t value = 0;

  friend bool operator==(const metric&, const metric&) = default;
};

/// The reputation of a replica (R13, R14).
struct replica_reputation {
  /// The agreed score from 0 to 1,000, which is equal at all replicas after the same sequence.
  std::uint32_t score = 1'000;
  /// Convictions and counted complaints since the genesis.
  std::uint32_t convictions = 0;
  std::uint32_t complaints = 0;
  /// The replica is in quarantine by agreement, until a checkpoint that is not below `quarantined_until`.
  bool is_quarantined = false;
  sequence_number quarantined_until;
  /// The impression of this node alone, from 0 to 1,000, and what the node does about it.
  std::uint32_t local_score = 1'000;
  bool is_avoided_as_primary = false;
  bool is_throttled = false;
};

// --- Events ------------------------------------------------------------------

enum class event_kind : std::uint8_t {
  /// The replica entered `view`.
  view_entered = 0,
  /// The replica suspects the primary of `view`.
  primary_suspected,
  /// The checkpoint after `sequence` is stable.
  checkpoint_stable,
  /// The replica installed a certified state that it did not execute itself.
  state_installed,
  /// A quorum certified another state after `sequence` than this replica has. It repairs its state.
  state_diverged,
  /// This replica found evidence that `about` misbehaved.
  fault_proven,
  /// The agreed standing of `about` changed: convicted, quarantined, released.
  standing_changed,
  /// What this replica may sign changed, because it lost its disk earlier.
  probation_changed,
  /// The group agreed on a hand-over or a readmission.
  move_agreed,
  /// The machine threw an exception for a query. The query has no answer. At most four of these events come together,
  /// then one in 30 s, because clients choose how often they ask.
  query_failed,
  /// The audit trail could not be written.
  audit_interrupted,
  /// The replica is being drained.
  draining,
  /// The replica failed, and takes no part any more.
  failed,
};
inline constexpr auto event_kind_last = event_kind::failed;

/// The name of the kind, for example "view_entered".
[[nodiscard]] std::string_view to_string(event_kind kind);

struct node_event {
  /// 1, 2, 3, … in this run of the replica.
  std::uint64_t number = 0;
  event_kind kind = event_kind::view_entered;
  /// Zero if the event is not about a view, a sequence or a member.
  view_number view = {};
  sequence_number sequence = {};
  std::optional<principal> about = {};
  /// A line for people of at most 1,024 bytes, without characters that control a terminal. Empty for events that need
  /// no attention.
  std::string text = {};
};

/// The events of one subscriber. All functions may be called from any thread, one call at a time. The stream may be
/// used after the replica stopped; it then ends with the events that it still has.
class event_stream {
 public:
  virtual ~event_stream() = default;

  /// Waits for the next event. Nothing when `patience` has passed, or when the replica has stopped and there are no
  /// more events.
  [[nodiscard]] virtual std::optional<node_event> next(std::chrono::milliseconds patience) = 0;

  /// Whether the replica has stopped and this stream has no more events, so that `next` never returns one again.
  [[nodiscard]] virtual bool is_over() const = 0;

  /// The number of events that this subscriber lost because it was too slow. The replica keeps the last 1,024 events
  /// for all subscribers together.
  [[nodiscard]] virtual std::uint64_t dropped() const = 0;
};

// --- Committed operations ----------------------------------------------------

/// An operation that this replica executed.
struct committed_operation {
  operation_context at;
  byte_vector operation;
  /// The result at this replica alone. Clients believe a result only if f+1 replicas gave it.
  operation_result result;
};

/// The subscriber does not get the operations of these sequences, both included. It was too slow or asked for old
/// sequences, or the replica fetched the state after `last` from others and did not execute them. A subscriber that
/// needs them queries the state.
struct operation_gap {
  sequence_number first;
  sequence_number last;

  friend bool operator==(const operation_gap&, const operation_gap&) = default;
};

using operation_item = std::variant<committed_operation, operation_gap>;

/// A place between two executed operations.
struct operation_position {
  sequence_number sequence;
  /// The number of operations of this sequence before the place.
  std::uint32_t offset = 0;

  friend auto operator<=>(const operation_position&, const operation_position&) = default;
};

/// The executed operations, in their order, each once. The same rules apply as for `event_stream`. The replica keeps
/// the last 16 MiB of operations and results for all subscribers together.
class operation_stream {
 public:
  virtual ~operation_stream() = default;

  /// Waits for the next operation or gap.
  [[nodiscard]] virtual std::optional<operation_item> next(std::chrono::milliseconds patience) = 0;

  /// Whether the replica has stopped and this stream has no more items, so that `next` never returns one again.
  [[nodiscard]] virtual bool is_over() const = 0;

  /// The place after the last item. A subscriber that stores it can continue there, at this or another replica.
  [[nodiscard]] virtual operation_position position() const = 0;
};

}  // namespace hypermesh
