#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/meta/type_name.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

/// The messages of the actors `consensus` and `client` of a host that is an actor system. CAF can serialise all of
/// them, so a host may publish these two actors to its own trusted processes. Numbers, texts and bytes only: a process
/// that sends them needs nothing else of the product. Bytes are in a `std::string`, which CAF writes in one piece.
namespace hypermesh::host {

// --- Requests to `client` ------------------------------------------------------

/// Order and execute an operation. The response is an `outcome`.
struct submit {
  std::string operation;
};

/// Read the replicated state. The response is an `outcome`.
struct query {
  std::string operation;
  /// True: the read sees every operation that was acknowledged before it began. 2f+1 replicas give the same answer, or
  /// the read is ordered like a write. False: f+1 replicas give the same answer from a committed state that may be old.
  /// Both take one round trip.
  bool is_linearizable = true;
};

/// What became of an operation.
struct outcome {
  /// 0, or the number of the `hypermesh::client_error` that explains why there is no result.
  std::uint8_t error = 0;
  /// The name of the error; empty if there is none.
  std::string error_name;
  /// The number of the `hypermesh::operation_status`, and the answer of the machine.
  std::uint8_t status = 0;
  std::string payload;
};

// --- Requests to `consensus` -----------------------------------------------------

// The structs have the names and words of `hypermesh/reports.hpp`, which says more about each member.

/// Where is this replica? The response is a `node_state`. It costs the root of the state, if the state changed since
/// the last such request.
struct state_wanted {};
struct node_state {
  std::uint32_t replica = 0;
  std::uint64_t view = 0;
  std::uint64_t last_executed = 0;
  std::uint64_t stable_checkpoint = 0;
  std::uint64_t low_watermark = 0;
  std::uint64_t high_watermark = 0;
  /// 32 bytes: the root of the machine's state.
  std::string state_root;
};

/// How are this replica and its group? The response is a `node_health`, which comes at once. It has the fields of
/// `hypermesh::node_health`.
struct health_wanted {};
struct health_reason {
  std::uint32_t replica = 0;
  /// A stable name, for example "on_probation".
  std::string condition;
  /// A line for people.
  std::string text;
};
struct node_health {
  bool is_live = false;
  bool is_ready = false;
  bool is_draining = false;
  bool is_service_possible = false;
  std::uint32_t faults_tolerated = 0;
  /// Any one of these replicas may be restarted now.
  std::vector<std::uint32_t> safe_to_restart;
  std::vector<health_reason> reasons;
  /// All of this in one sentence.
  std::string sentence;
};

/// All counters and gauges of this replica. The response is `metrics`.
struct metrics_wanted {};
struct metric {
  std::string name;
  std::uint64_t value = 0;
};
struct metrics {
  std::vector<metric> all;
};

/// The operations that this replica executed, from a place on. This is how a subscriber subscribes: it sends the
/// request again with the place of the last response. So a slow subscriber fills no mailbox, nothing is lost or
/// repeated when a connection breaks, and a subscriber may go on at another replica.
///
/// The response is `operations`. It comes when there is something to tell, and at the latest after `patience_ms`, at
/// most 60,000. Sequence 0 means: from the next operation on. At most 1,024 such requests may wait at a time; a further
/// one is answered at once, perhaps with no operation.
struct operations_wanted {
  std::uint64_t sequence = 0;
  std::uint32_t offset = 0;
  std::uint32_t patience_ms = 1'000;
};
struct operation_item {
  std::uint64_t sequence = 0;
  /// If not 0, this is no operation but a gap: the operations from `sequence` to this sequence, both included, are not
  /// available at this replica. The other fields are empty then.
  std::uint64_t gap_last = 0;
  std::uint32_t client = 0;
  std::uint64_t session = 0;
  std::uint64_t timestamp = 0;
  std::uint32_t index = 0;
  /// Milliseconds since the Unix epoch; `operation_context::ordered_time`.
  std::int64_t ordered_time_ms = 0;
  std::string operation;
  /// The result at this replica alone. Clients believe a result only if f+1 replicas gave it.
  std::uint8_t status = 0;
  std::string result;
};
struct operations {
  /// At most 64.
  std::vector<operation_item> items;
  /// The place for the next request.
  std::uint64_t next_sequence = 0;
  std::uint32_t next_offset = 0;
};

/// The events of this replica with these numbers and later ones; 0 means: from the next event on. The response is
/// `events`, under the same rules as `operations`.
struct events_wanted {
  std::uint64_t from = 0;
  std::uint32_t patience_ms = 1'000;
};
struct node_event {
  std::uint64_t number = 0;
  /// The name of the `hypermesh::event_kind`, for example "view_entered".
  std::string kind;
  std::uint64_t view = 0;
  std::uint64_t sequence = 0;
  /// "replica-3", "client-0", or empty.
  std::string about;
  /// A line for people.
  std::string text;
};
struct events {
  std::vector<node_event> all;
  std::uint64_t next = 0;
  /// Events that this replica has forgotten before this request read them.
  std::uint64_t dropped = 0;
};

/// The evidence that this replica found in this run: the newest pieces, at most 64 and 16 MiB. The response is
/// `proofs`.
struct evidence_wanted {};
struct proof {
  /// The member that misbehaved: "replica-3" or "client-0".
  std::string accused;
  /// A SYSTEM-REQUEST frame with the evidence. It proves itself: every member can verify it, for example with
  /// `hypermesh::consensus_manager::validate_message`.
  std::string frame;
};
struct proofs {
  std::vector<proof> all;
};

/// What the group agreed on about each replica, and what this node thinks of it. The response is `reputations`.
struct reputations_wanted {};
struct replica_reputation {
  std::uint32_t replica = 0;
  std::uint32_t score = 0;
  std::uint32_t convictions = 0;
  std::uint32_t complaints = 0;
  bool is_quarantined = false;
  std::uint64_t quarantined_until = 0;
  std::uint32_t local_score = 0;
  bool is_avoided_as_primary = false;
  bool is_throttled = false;
};
struct reputations {
  std::vector<replica_reputation> all;
};

/// Asks in the name of this operator to release a replica from quarantine. There is no response. The group releases the
/// replica when the operators of f+1 replicas have asked.
struct release_replica {
  std::uint32_t replica = 0;
};

// --- Handles ---------------------------------------------------------------------

/// A client of the cluster.
using client_actor = caf::typed_actor<caf::replies_to<submit>::with<outcome>, caf::replies_to<query>::with<outcome>>;

/// The replica of this host.
using consensus_actor =
    caf::typed_actor<caf::replies_to<state_wanted>::with<node_state>, caf::replies_to<health_wanted>::with<node_health>,
                     caf::replies_to<metrics_wanted>::with<metrics>,
                     caf::replies_to<operations_wanted>::with<operations>, caf::replies_to<events_wanted>::with<events>,
                     caf::replies_to<evidence_wanted>::with<proofs>,
                     caf::replies_to<reputations_wanted>::with<reputations>, caf::reacts_to<release_replica>>;

// --- Serialisation ---------------------------------------------------------------

// clang-format off
#define HYPERMESH_HOST_MESSAGE(name, ...)                               \
  template <class Inspector>                                            \
  auto inspect(Inspector& with, name& it) {                             \
    (void)it;                                                           \
    return with(caf::meta::type_name("hypermesh::host::" #name) __VA_OPT__(,) __VA_ARGS__); \
  }
HYPERMESH_HOST_MESSAGE(submit, it.operation)
HYPERMESH_HOST_MESSAGE(query, it.operation, it.is_linearizable)
HYPERMESH_HOST_MESSAGE(outcome, it.error, it.error_name, it.status, it.payload)
HYPERMESH_HOST_MESSAGE(state_wanted)
HYPERMESH_HOST_MESSAGE(node_state, it.replica, it.view, it.last_executed, it.stable_checkpoint, it.low_watermark,
                       it.high_watermark, it.state_root)
HYPERMESH_HOST_MESSAGE(health_wanted)
HYPERMESH_HOST_MESSAGE(health_reason, it.replica, it.condition, it.text)
HYPERMESH_HOST_MESSAGE(node_health, it.is_live, it.is_ready, it.is_draining, it.is_service_possible, it.faults_tolerated,
                       it.safe_to_restart, it.reasons, it.sentence)
HYPERMESH_HOST_MESSAGE(metrics_wanted)
HYPERMESH_HOST_MESSAGE(metric, it.name, it.value)
HYPERMESH_HOST_MESSAGE(metrics, it.all)
HYPERMESH_HOST_MESSAGE(operations_wanted, it.sequence, it.offset, it.patience_ms)
HYPERMESH_HOST_MESSAGE(operation_item, it.sequence, it.gap_last, it.client, it.session, it.timestamp, it.index,
                       it.ordered_time_ms, it.operation, it.status, it.result)
HYPERMESH_HOST_MESSAGE(operations, it.items, it.next_sequence, it.next_offset)
HYPERMESH_HOST_MESSAGE(events_wanted, it.from, it.patience_ms)
HYPERMESH_HOST_MESSAGE(node_event, it.number, it.kind, it.view, it.sequence, it.about, it.text)
HYPERMESH_HOST_MESSAGE(events, it.all, it.next, it.dropped)
HYPERMESH_HOST_MESSAGE(evidence_wanted)
HYPERMESH_HOST_MESSAGE(proof, it.accused, it.frame)
HYPERMESH_HOST_MESSAGE(proofs, it.all)
HYPERMESH_HOST_MESSAGE(reputations_wanted)
HYPERMESH_HOST_MESSAGE(replica_reputation, it.replica, it.score, it.convictions, it.complaints, it.is_quarantined,
                       it.quarantined_until, it.local_score, it.is_avoided_as_primary, it.is_throttled)
HYPERMESH_HOST_MESSAGE(reputations, it.all)
HYPERMESH_HOST_MESSAGE(release_replica, it.replica)
#undef HYPERMESH_HOST_MESSAGE
// clang-format on

}  // namespace hypermesh::host

// The blocks of the product's own messages end before this first id. CAF sends names and not ids, so a process may have
// other blocks as well.
CAF_BEGIN_TYPE_ID_BLOCK(hypermesh_host, first_custom_type_id + 400)
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::submit))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::query))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::outcome))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::state_wanted))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::node_state))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::health_wanted))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::node_health))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::metrics_wanted))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::metrics))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::operations_wanted))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::operations))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::events_wanted))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::events))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::evidence_wanted))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::proofs))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::reputations_wanted))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::reputations))
CAF_ADD_TYPE_ID(hypermesh_host, (hypermesh::host::release_replica))
CAF_END_TYPE_ID_BLOCK(hypermesh_host)
