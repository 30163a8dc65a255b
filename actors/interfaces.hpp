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

/// All typed handles of a node. Actors know each other by these handles only; `runtime/wiring.hpp` connects them.
namespace hypermesh {

// --- Handles -----------------------------------------------------------------

/// The only way into a node: decodes and verifies frames, and routes their messages by kind.
using ingress_actor = caf::typed_actor<
    // Handles of the node.
    caf::reacts_to<wired>,
    // A frame of an authenticated link: verified and routed, or counted and dropped.
    caf::reacts_to<incoming_frame>, caf::reacts_to<next_frame>,
    // Which messages, replicas and clients get fewer signature checks.
    caf::reacts_to<progress_made>, caf::reacts_to<trust_changed>, caf::reacts_to<quota_exceeded>>;

/// Pending requests, their admission, and batches.
using batcher_actor =
    caf::typed_actor<caf::reacts_to<wired>,
                     // A REQUEST of a client, or forwarded by a backup.
                     caf::reacts_to<verified_message>, caf::reacts_to<request_waits>,
                     // The new primary, to which a backup forwards requests.
                     caf::reacts_to<view_entered>,
                     // Requests that are done and can be forgotten.
                     caf::reacts_to<batch_executed>,
                     // Requests that a transferred state contains.
                     caf::reacts_to<state_installed>, caf::reacts_to<service_wanted>, caf::reacts_to<cases_dropped>,
                     // Clients whose requests are rate-limited.
                     caf::reacts_to<reputation_agreed>,
                     // The batch delay has passed.
                     caf::reacts_to<tick>>;

/// PBFT's normal case and its views (§4.2, §4.4): view, slots, P, watermarks, last executed.
using replica_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<actors_connected>,
                     // PRE-PREPARE, PREPARE, COMMIT, NEW-VIEW or STATUS.
                     caf::reacts_to<verified_message>,
                     // The primary's next proposal.
                     caf::reacts_to<batch_cut>, caf::reacts_to<change_view>, caf::reacts_to<new_view_built>,
                     caf::reacts_to<checkpoint_taken>, caf::reacts_to<checkpoint_stable>,
                     caf::reacts_to<state_diverged>, caf::reacts_to<state_installed>,
                     // Sequences that have to be ordered for a readmission.
                     caf::reacts_to<moves_agreed>,
                     // Time for a STATUS.
                     caf::reacts_to<tick>>;

/// The replicas' wishes to leave a view, and the time at which this replica leaves one (§4.4, §4.5.2).
using coordinator_actor =
    caf::typed_actor<caf::reacts_to<wired>,
                     // SUSPICION or VIEW-CHANGE.
                     caf::reacts_to<verified_message>, caf::reacts_to<view_left>, caf::reacts_to<view_entered>,
                     caf::reacts_to<service_measured>, caf::reacts_to<link_changed>, caf::reacts_to<trust_changed>,
                     // Views that all replicas leave together.
                     caf::reacts_to<moves_agreed>, caf::reacts_to<low_watermark_moved>, caf::reacts_to<readmitted>,
                     // Time to judge the primary.
                     caf::reacts_to<tick>>;

/// The state machine and the client table; answers clients.
using executor_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<actors_connected>, caf::reacts_to<batch_committed>,
                     // A QUERY.
                     caf::reacts_to<verified_message>, caf::reacts_to<reply_again>, caf::reacts_to<refuse>,
                     caf::reacts_to<client_link_opened>, caf::reacts_to<client_link_closed>,
                     caf::reacts_to<session_routed>, caf::reacts_to<install_state>, caf::reacts_to<own_root_disproven>,
                     // The root of the present state.
                     caf::replies_to<report_wanted>::with<digest>>;

/// CHECKPOINT votes (§4.3).
using checkpointer_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<checkpoint_taken>, caf::reacts_to<checkpoint_installed>,
                     caf::reacts_to<proof_learned>, caf::reacts_to<voting_allowed>,
                     // CHECKPOINT or CHECKPOINT-PROOF.
                     caf::reacts_to<verified_message>,
                     // Time to send an unstable CHECKPOINT again.
                     caf::reacts_to<tick>>;

/// Serves and fetches checkpointed state (TOCS '02 §5.3, with a Merkle tree of fixed shape).
using state_transfer_actor = caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<checkpoint_taken>,
                                              caf::reacts_to<checkpoint_installed>, caf::reacts_to<fetch_state>,
                                              // STATE-REQUEST or STATE-CHUNK.
                                              caf::reacts_to<verified_message>, caf::reacts_to<install_refused>,
                                              caf::reacts_to<state_diverged>, caf::reacts_to<trust_changed>,
                                              // The certified state, which is the one that other replicas need.
                                              caf::reacts_to<checkpoint_stable>, caf::reacts_to<tick>>;

/// Evidence and complaints against other members (R12).
using fault_detector_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<proof_found>,
                     // A system request, COMPLAINT, RELEASE, READMISSION or HAND-OVER.
                     caf::reacts_to<verified_message>, caf::reacts_to<misbehaved>, caf::reacts_to<reputation_agreed>,
                     caf::reacts_to<release_wanted>, caf::reacts_to<readmission_wanted>, caf::reacts_to<view_entered>,
                     caf::replies_to<validation_wanted>::with<validation>,
                     // Time to send open cases that are not ordered yet again.
                     caf::reacts_to<tick>>;

/// The trust of this node in each replica (R13, R14).
using reputation_tracker_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<misbehaved>, caf::reacts_to<reputation_agreed>,
                     caf::reacts_to<replica_proven>, caf::replies_to<reputation_wanted>::with<reputation_report>,
                     // Time for local scores to recover.
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
  /// For frames of replicas.
  ingress_actor ingress;
  /// For frames of clients, so that their floods do not delay votes (attack 33).
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

/// Called once, on the client actor's thread.
using completion = std::function<void(const submit_outcome&)>;

/// Orders and executes an operation; `done` is called with its result.
struct submit_operation {
  byte_vector operation;
  std::shared_ptr<const completion> done;
};

/// Reads without ordering: f+1 replicas agree that some committed state gives this answer, perhaps an older one.
struct query_operation {
  byte_vector operation;
  std::shared_ptr<const completion> done;
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
};

using client_actor =
    caf::typed_actor<caf::reacts_to<client_links>,
                     // A frame of an authenticated replica link.
                     caf::reacts_to<incoming_frame>, caf::reacts_to<submit_operation>, caf::reacts_to<query_operation>,
                     caf::reacts_to<report_of_replica>, caf::replies_to<client_report_wanted>::with<client_report>,
                     // A frame for all replicas, sent unchanged: a RELEASE or a HAND-OVER.
                     caf::reacts_to<outgoing_frame>,
                     // When a link opens, the client sends again what a closed link may have dropped.
                     caf::reacts_to<link_changed>,
                     // Fails all pending operations with `client_error::stopped`, then ends.
                     caf::reacts_to<client_stop>,
                     // `submit_operation` as a CAF request; the text of an error is that of `client_error`.
                     caf::replies_to<ordered_operation>::with<operation_outcome>, caf::reacts_to<tick>>;

}  // namespace hypermesh

CAF_BEGIN_TYPE_ID_BLOCK(hypermesh, first_custom_type_id)
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::outgoing_frame))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::incoming_frame))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::next_frame))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::client_link_opened))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::client_link_closed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::link_changed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::verified_message))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::wired))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::actors_connected))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::view_entered))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::view_left))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::change_view))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::new_view_built))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::service_wanted))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::service_measured))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::progress_made))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::batch_cut))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::batch_executed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::reply_again))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::refuse))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::batch_committed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::checkpoint_taken))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::checkpoint_installed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::checkpoint_stable))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::proof_learned))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::state_diverged))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::fetch_state))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::install_state))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::state_installed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::state_to_keep))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::flush_records))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::write_piece))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::persist_and_send))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::forget_records))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::tick))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::observed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::counters_reported))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::report_wanted))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::digest))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::node_report))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::submit_operation))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::query_operation))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::ordered_operation))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::operation_outcome))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::report_of_replica))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::client_report_wanted))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::client_report))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::client_links))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::client_stop))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::install_refused))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::request_waits))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::voting_allowed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::proof_found))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::misbehaved))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::reputation_agreed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::replica_proven))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::trust_changed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::release_wanted))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::reputation_wanted))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::reputation_report))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::validation_wanted))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::validation))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::cases_dropped))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::quota_exceeded))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::session_routed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::moves_agreed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::low_watermark_moved))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::readmission_wanted))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::readmitted))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::own_root_disproven))
CAF_END_TYPE_ID_BLOCK(hypermesh)

// CAF serialises none of these types: FlatBuffers frames are the only wire format.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::outgoing_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::incoming_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::next_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::client_link_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::client_link_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::link_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::verified_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::wired)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::actors_connected)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::view_entered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::view_left)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::change_view)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::new_view_built)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::service_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::service_measured)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::progress_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::batch_cut)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::batch_executed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::reply_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::refuse)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::batch_committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::checkpoint_taken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::checkpoint_installed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::checkpoint_stable)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::proof_learned)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::state_diverged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::fetch_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::install_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::state_installed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::state_to_keep)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::flush_records)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::write_piece)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::persist_and_send)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::forget_records)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::tick)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::observed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::counters_reported)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::report_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::digest)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::node_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::submit_operation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::query_operation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::ordered_operation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::operation_outcome)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::report_of_replica)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::client_report_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::client_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::client_links)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::client_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::install_refused)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::request_waits)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::voting_allowed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::proof_found)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::misbehaved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::reputation_agreed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::replica_proven)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::trust_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::release_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::reputation_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::reputation_report)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::validation_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::validation)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::cases_dropped)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::quota_exceeded)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::session_routed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::moves_agreed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::low_watermark_moved)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::readmission_wanted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::readmitted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::own_root_disproven)
