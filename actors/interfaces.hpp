#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/node_messages.hpp"
#include "actors/ports.hpp"
#include "actors/protocol/client/client_outcome.hpp"
#include "actors/protocol/receipts/receipt.hpp"

/// All typed handles of a node. Actors know each other by these handles only; `runtime/wiring.hpp` connects them.
namespace hypermesh::actors {

// --- Handles -----------------------------------------------------------------

/// Decodes and verifies all frames from the network, and sends each message to the actor that handles its kind. Frames
/// enter a node only here.
using ingress_actor = caf::typed_actor<
    // The handles of all actors of the node.
    caf::reacts_to<wired>,
    // A frame from an authenticated link, which is verified and routed, or counted and dropped.
    caf::reacts_to<incoming_frame>, caf::reacts_to<next_frame>,
    // Facts that let the ingress skip signature checks: for decided sequences, throttled replicas, and clients over
    // their quota.
    caf::reacts_to<progress_made>, caf::reacts_to<trust_changed>, caf::reacts_to<quota_exceeded>>;

/// Admits requests, keeps the pending ones, and forms batches.
using batcher_actor =
    caf::typed_actor<caf::reacts_to<wired>,
                     // A REQUEST that a client sent or that a backup forwarded, or a VOUCH.
                     caf::reacts_to<verified_message>, caf::reacts_to<requests_wait>, caf::reacts_to<vouches_due>,
                     // A batch whose requests have no signatures.
                     caf::reacts_to<batch_unproven>,
                     // The new primary, to which a backup forwards requests.
                     caf::reacts_to<view_entered>,
                     // Requests that are done and can be forgotten.
                     caf::reacts_to<batch_executed>,
                     // Requests that a transferred state contains.
                     caf::reacts_to<state_installed>, caf::reacts_to<service_wanted>, caf::reacts_to<cases_dropped>,
                     // Clients whose requests are rate-limited.
                     caf::reacts_to<reputation_agreed>, caf::reacts_to<stop_admitting>,
                     // The batch delay has passed.
                     caf::reacts_to<tick>>;

/// The normal case and the views of PBFT (§4.2, §4.4). Owns the view, the slots, P and the watermarks.
using replica_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<actors_connected>,
                     // A PRE-PREPARE, PREPARE, COMMIT or STATUS as `verified_message`, or a NEW-VIEW.
                     caf::reacts_to<verified_message>, caf::reacts_to<new_view_verified>,
                     // The primary's next proposal.
                     caf::reacts_to<batch_cut>, caf::reacts_to<batch_authentic>, caf::reacts_to<change_view>,
                     caf::reacts_to<new_view_built>, caf::reacts_to<checkpoint_taken>,
                     caf::reacts_to<checkpoint_stable>, caf::reacts_to<state_diverged>, caf::reacts_to<state_installed>,
                     // Sequence numbers that have to be ordered for a readmission or a hand-over.
                     caf::reacts_to<moves_agreed>,
                     // The time to send a STATUS.
                     caf::reacts_to<tick>>;

/// Collects the messages of replicas that want to leave a view, and decides when this replica leaves one (§4.4,
/// §4.5.2).
using coordinator_actor =
    caf::typed_actor<caf::reacts_to<wired>,
                     // A SUSPICION or VIEW-CHANGE.
                     caf::reacts_to<verified_message>, caf::reacts_to<view_left>, caf::reacts_to<view_entered>,
                     caf::reacts_to<service_measured>, caf::reacts_to<link_changed>, caf::reacts_to<trust_changed>,
                     // Views that all replicas leave together.
                     caf::reacts_to<moves_agreed>, caf::reacts_to<low_watermark_moved>, caf::reacts_to<readmitted>,
                     // The time to judge the primary.
                     caf::reacts_to<tick>>;

/// Owns the state machine and the client table, and answers clients.
using executor_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<actors_connected>, caf::reacts_to<batch_committed>,
                     // The sequence numbers that linearizable queries have to wait for.
                     caf::reacts_to<slots_prepared>,
                     // A QUERY or RECEIPT-QUERY.
                     caf::reacts_to<verified_message>, caf::reacts_to<reply_again>, caf::reacts_to<refuse>,
                     caf::reacts_to<client_link_opened>, caf::reacts_to<client_link_closed>,
                     caf::reacts_to<session_routed>, caf::reacts_to<install_state>, caf::reacts_to<own_root_disproven>,
                     // The root of the present state.
                     caf::replies_to<report_wanted>::with<digest>>;

/// Sends and collects CHECKPOINT votes (§4.3).
using checkpointer_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<checkpoint_taken>, caf::reacts_to<checkpoint_installed>,
                     caf::reacts_to<proof_learned>, caf::reacts_to<voting_allowed>,
                     // A CHECKPOINT or CHECKPOINT-PROOF.
                     caf::reacts_to<verified_message>,
                     // The time to send CHECKPOINTs again that are not stable yet.
                     caf::reacts_to<tick>>;

/// Serves and fetches checkpointed state (TOCS '02 §5.3, with a Merkle tree of fixed shape).
using state_transfer_actor = caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<checkpoint_taken>,
                                              caf::reacts_to<checkpoint_installed>, caf::reacts_to<fetch_state>,
                                              // A STATE-REQUEST or STATE-CHUNK.
                                              caf::reacts_to<verified_message>, caf::reacts_to<install_refused>,
                                              caf::reacts_to<state_diverged>, caf::reacts_to<trust_changed>,
                                              // The certified state, which is the one that other replicas need.
                                              caf::reacts_to<checkpoint_stable>, caf::reacts_to<tick>>;

/// Collects evidence and complaints against other members, and submits them for ordering (R12).
using fault_detector_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<proof_found>,
                     // A system request, COMPLAINT, RELEASE, READMISSION or HAND-OVER.
                     caf::reacts_to<verified_message>, caf::reacts_to<misbehaved>, caf::reacts_to<reputation_agreed>,
                     caf::reacts_to<release_wanted>, caf::reacts_to<readmission_wanted>, caf::reacts_to<view_entered>,
                     caf::replies_to<validation_wanted>::with<validation>,
                     // The time to submit open cases again that are not ordered yet.
                     caf::reacts_to<tick>>;

/// Computes the trust of this node in each replica (R13, R14).
using reputation_tracker_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<misbehaved>, caf::reacts_to<reputation_agreed>,
                     caf::reacts_to<replica_proven>, caf::replies_to<reputation_wanted>::with<reputation_report>,
                     // The time at which local scores recover.
                     caf::reacts_to<tick>>;

/// The only writer of the node's disk: records become durable before frames are sent.
using journal_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<persist_and_send>, caf::reacts_to<checkpoint_taken>,
                     caf::reacts_to<forget_records>, caf::reacts_to<state_to_keep>, caf::reacts_to<flush_records>,
                     caf::reacts_to<write_piece>>;

/// Counts observations and answers NODE-QUERY.
using monitor_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<observed>, caf::reacts_to<counters_reported>,
                     caf::reacts_to<link_changed>,
                     // A NODE-QUERY.
                     caf::reacts_to<verified_message>, caf::replies_to<report_wanted>::with<node_report>>;

struct node_actors {
  /// Examines frames of replicas.
  ingress_actor ingress;
  /// Examines frames of clients. It is a second actor so that a flood of clients does not delay votes (attack 33).
  ingress_actor client_ingress;
  batcher_actor batcher;
  replica_actor replica;
  coordinator_actor coordinator;
  executor_actor executor;
  checkpointer_actor checkpointer;
  state_transfer_actor state_transfer;
  journal_actor journal;
  monitor_actor monitor;
  fault_detector_actor fault_detector;
  reputation_tracker_actor reputation_tracker;
  /// By replica number; the handle at this node's own number is empty.
  std::vector<peer_actor> peers;
};

// --- Clients -----------------------------------------------------------------

/// The result of one operation, once f+1 replicas agree on it.
using operation_outcome = operation_result;

/// Called once with the outcome of a submitted operation, on the thread of the client actor.
using completion = std::function<void(const submit_outcome&)>;

/// Asks the client to have an operation ordered and executed. `done` is called with the result.
struct submit_operation {
  byte_vector operation;
  std::shared_ptr<const completion> done;
};

/// What a client learns about an operation with a receipt. The receipt may be missing although the operation has a
/// result, because fewer than f+1 replicas signed before the deadline.
struct receipted {
  submit_outcome outcome;
  std::optional<receipt> proof = {};
};
using receipt_completion = std::function<void(const receipted&)>;

/// The same as `submit_operation`, and then asks the replicas to sign that they executed the operation.
struct submit_for_receipt {
  byte_vector operation;
  std::shared_ptr<const receipt_completion> done;
};

/// Asks the client for a read in one of the modes of `read_mode`.
struct query_operation {
  byte_vector operation;
  std::shared_ptr<const completion> done;
  read_mode mode = read_mode::committed;
  /// Only for linearizable reads in an ordered session: whether the read sees the operations of this client that have
  /// no result yet. A host that keeps several orders in one session, such as the gateway, keeps each of them itself.
  bool sees_unfinished = true;
};

/// The same as `submit_operation`, as a CAF request of another actor; the response is the outcome.
struct ordered_operation {
  byte_vector operation;
};

/// Called once with the replica's report, or with nothing if the replica did not answer in time.
using report_completion = std::function<void(const std::optional<node_report>&)>;

struct report_of_replica {
  replica_id replica;
  std::shared_ptr<const report_completion> done;
};

/// Fails all pending operations, then ends the client.
struct client_stop {};

/// The links of a client, one for each replica.
struct client_links {
  std::shared_ptr<const std::vector<peer_actor>> peers;
};

/// Asks a client for its own observations of the replicas (host to client).
struct client_report_wanted {};
struct client_report {
  std::size_t operations_pending = 0;
  /// Requests that were sent again: a measure of loss and overload.
  std::uint64_t retransmissions = 0;
  /// For each replica, the number of its results that differ from those of f+1 replicas (attack 5).
  std::map<replica_id, std::uint64_t> wrong_replies;
  /// Linearizable reads that were ordered.
  std::uint64_t reads_ordered = 0;
};

using client_actor =
    caf::typed_actor<caf::reacts_to<client_links>,
                     // A frame from the authenticated link of a replica.
                     caf::reacts_to<incoming_frame>, caf::reacts_to<submit_operation>, caf::reacts_to<query_operation>,
                     caf::reacts_to<submit_for_receipt>, caf::reacts_to<report_of_replica>,
                     caf::replies_to<client_report_wanted>::with<client_report>,
                     // A frame for all replicas, sent unchanged: a RELEASE or a HAND-OVER.
                     caf::reacts_to<outgoing_frame>,
                     // When a link opens, the client sends again what a closed link may have dropped.
                     caf::reacts_to<link_changed>,
                     // Fails all pending operations with `client_error::stopped`, then ends.
                     caf::reacts_to<client_stop>,
                     // `submit_operation` as a CAF request; the text of an error is that of `client_error`.
                     caf::replies_to<ordered_operation>::with<operation_outcome>, caf::reacts_to<tick>>;

}  // namespace hypermesh::actors

// --- Type ids ----------------------------------------------------------------

// clang-format off
/// Gives each message of `list` a type id, from `first_id` on in the order of the list. CAF serialises none of them:
/// FlatBuffers frames are the only wire format.
#define HYPERMESH_REGISTER_MESSAGES(block, first_id, list) \
  CAF_BEGIN_TYPE_ID_BLOCK(block, first_id)                 \
  list(HYPERMESH_ADD_TYPE_ID, block)                       \
  CAF_END_TYPE_ID_BLOCK(block)                             \
  list(HYPERMESH_ALLOW_UNSERIALISED, block)
#define HYPERMESH_ADD_TYPE_ID(block, name) CAF_ADD_TYPE_ID(block, (hypermesh::name))
#define HYPERMESH_ALLOW_UNSERIALISED(block, name) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::name)

/// The messages of a node's actors and of its hosts. Add a new message at the end, so that the others keep their ids.
#define HYPERMESH_MESSAGES(add, block)     \
  add(block, actors::outgoing_frame)       \
  add(block, actors::incoming_frame)       \
  add(block, actors::next_frame)           \
  add(block, actors::client_link_opened)   \
  add(block, actors::client_link_closed)   \
  add(block, actors::link_changed)         \
  add(block, actors::verified_message)     \
  add(block, actors::wired)                \
  add(block, actors::actors_connected)     \
  add(block, actors::view_entered)         \
  add(block, actors::view_left)            \
  add(block, actors::change_view)          \
  add(block, actors::new_view_built)       \
  add(block, actors::service_wanted)       \
  add(block, actors::service_measured)     \
  add(block, actors::progress_made)        \
  add(block, actors::batch_cut)            \
  add(block, actors::batch_executed)       \
  add(block, actors::reply_again)          \
  add(block, actors::refuse)               \
  add(block, actors::batch_committed)      \
  add(block, actors::checkpoint_taken)     \
  add(block, actors::checkpoint_installed) \
  add(block, actors::checkpoint_stable)    \
  add(block, actors::proof_learned)        \
  add(block, actors::state_diverged)       \
  add(block, actors::fetch_state)          \
  add(block, actors::install_state)        \
  add(block, actors::state_installed)      \
  add(block, actors::state_to_keep)        \
  add(block, actors::flush_records)        \
  add(block, actors::write_piece)          \
  add(block, protocol::persist_and_send)   \
  add(block, actors::forget_records)       \
  add(block, actors::tick)                 \
  add(block, actors::observed)             \
  add(block, actors::counters_reported)    \
  add(block, actors::report_wanted)        \
  add(block, digest)                       \
  add(block, messages::node_report)        \
  add(block, actors::submit_operation)     \
  add(block, actors::query_operation)      \
  add(block, actors::ordered_operation)    \
  add(block, actors::operation_outcome)    \
  add(block, actors::report_of_replica)    \
  add(block, actors::client_report_wanted) \
  add(block, actors::client_report)        \
  add(block, actors::client_links)         \
  add(block, actors::client_stop)          \
  add(block, actors::install_refused)      \
  add(block, actors::requests_wait)        \
  add(block, actors::voting_allowed)       \
  add(block, actors::proof_found)          \
  add(block, actors::misbehaved)           \
  add(block, actors::reputation_agreed)    \
  add(block, actors::replica_proven)       \
  add(block, actors::trust_changed)        \
  add(block, actors::release_wanted)       \
  add(block, actors::reputation_wanted)    \
  add(block, actors::reputation_report)    \
  add(block, actors::validation_wanted)    \
  add(block, actors::validation)           \
  add(block, actors::cases_dropped)        \
  add(block, actors::quota_exceeded)       \
  add(block, actors::session_routed)       \
  add(block, actors::moves_agreed)         \
  add(block, actors::low_watermark_moved)  \
  add(block, actors::readmission_wanted)   \
  add(block, actors::readmitted)           \
  add(block, actors::own_root_disproven)   \
  add(block, actors::new_view_verified)    \
  add(block, actors::stop_admitting)       \
  add(block, actors::submit_for_receipt)   \
  add(block, actors::batch_unproven)       \
  add(block, actors::batch_authentic)      \
  add(block, actors::vouches_due)          \
  add(block, actors::slots_prepared)
// clang-format on

HYPERMESH_REGISTER_MESSAGES(hypermesh, first_custom_type_id, HYPERMESH_MESSAGES)
