#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/ports.hpp"
#include "actors/protocol/client_core.hpp"
#include "actors/protocol/early_filter.hpp"
#include "actors/protocol/effects.hpp"
#include "messages/values.hpp"

/// Every message and every typed handle of a node. Actors know each other by these
/// handles only; `runtime/wiring.hpp` connects them. One struct a message; shared
/// immutable content, so that a message never copies a batch.
namespace hypermesh {

// --- Links -------------------------------------------------------------------

/// Send this frame to the remote node. Dropped and counted when the outbound queue is full
/// or the link is down: retransmission repairs, memory never grows.
struct outgoing_frame {
  frame_ptr frame;
};

/// One remote node, as an actor like any other: a broker in the product, a simulated
/// network or a probe in tests.
using peer_actor = caf::typed_actor<caf::reacts_to<outgoing_frame>>;

/// Released when a received frame has been handled: what the inbound bound of a link counts.
using inbound_credit = std::shared_ptr<void>;

/// A frame from an authenticated link.
struct incoming_frame {
  principal sender;
  /// Where answers to this sender go.
  peer_actor via;
  frame_ptr frame;
  inbound_credit credit = {};
};

/// An authenticated client link is up: replies to `client` go there. Several links of one
/// client are served, up to `sessions_per_client_max`.
struct session_opened {
  client_id client;
  peer_actor via;
};

struct session_closed {
  client_id client;
  peer_actor via;
};

/// The authenticated link to a replica went up or down.
struct link_changed {
  replica_id replica;
  bool up = false;
};

// --- Inside a node -----------------------------------------------------------

/// Who a node is, and in which cluster. `keys` signs as `self` and verifies all.
struct node_identity {
  cluster_parameters cluster;
  replica_id self;
  std::shared_ptr<const authenticator> keys;
};

/// A message whose form, membership, signatures and digests hold. `sender` is who
/// authenticated the link; what the message claims was checked against it.
struct verified_message {
  principal sender;
  peer_actor via;
  std::shared_ptr<const message> value;
  /// Counts against the link's inbound window until the message is handled.
  inbound_credit credit = {};
};

/// Handles of all actors of one node: the first message that each of them receives.
struct neighbours;
struct wired {
  std::shared_ptr<const neighbours> with;
};

/// The view that the replica is in now (replica to batcher).
struct view_entered {
  view_number view;
};

/// How far this replica is: messages about what is decided need no signature check (replica to ingress).
struct progress_made {
  replica_position at;
};

/// A batch for the next sequence number (batcher to replica).
struct batch_cut {
  std::shared_ptr<const batch> content;
};

/// The batch was committed and executed (executor to batcher).
struct batch_executed {
  sequence_number sequence;
  /// Who proposed it.
  replica_id primary;
  std::shared_ptr<const std::vector<executed_request>> requests;
};

/// Answer this request again from the client table, to the link that asked (batcher to executor).
struct reply_again {
  request_id id;
  peer_actor via;
  /// Until the answer is made, so that a flood of repeated requests fills its own link's window.
  inbound_credit credit = {};
};

/// Refuse this request by a reply to the link that asked (batcher to executor).
struct refuse {
  request_id id;
  reply_status status = reply_status::overloaded;
  peer_actor via;
  inbound_credit credit = {};
};

/// A batch is committed-local and next in order (replica to executor).
struct batch_committed {
  committed_batch content;
};

/// The state after a checkpoint's sequence (executor to checkpointer and state transfer).
struct checkpoint_taken {
  sequence_number sequence;
  digest root;
  std::shared_ptr<const state_snapshot> snapshot;
  /// It was not executed here but installed under a certificate.
  bool installed = false;
};

/// A quorum certified the state after a sequence (checkpointer to replica and state transfer).
struct checkpoint_stable {
  std::shared_ptr<const checkpoint_certificate> certificate;
};

/// This node's state differs from the certified one: stop voting, answering and giving it to others (checkpointer to
/// replica, executor and state transfer; attack 27).
struct state_diverged {
  sequence_number sequence;
};

/// Fetch the state under this certificate (to state transfer: from the replica when it lags, from the checkpointer when
/// the own state is wrong).
struct fetch_state {
  std::shared_ptr<const checkpoint_certificate> certificate;
};

/// Replace the state; every chunk was verified against the certificate (state transfer to executor).
struct install_state {
  std::shared_ptr<const checkpoint_certificate> certificate;
  std::shared_ptr<const state_snapshot> snapshot;
};

/// The fetched state was not put in place: it is not needed, or can never be restored (executor to state transfer).
struct install_refused {
  sequence_number sequence;
  bool unreadable = false;
};

/// The certified state after `sequence` is in place (executor to replica, batcher and state transfer). When it replaces
/// a state that had diverged, `sequence` may lie below what the replica has handed over: from there on it is handed
/// over again.
struct state_installed {
  sequence_number sequence;
  /// What the new client table holds: lets the batcher forget requests that are done.
  std::shared_ptr<const std::vector<request_id>> executed;
};

/// Make the records durable, then send the frames in order (replica and checkpointer to journal).
struct persist_and_send {
  std::shared_ptr<const std::vector<storage_record>> records;
  std::shared_ptr<const std::vector<outgoing_message>> sends;
};

/// A stable checkpoint covers everything through this sequence (checkpointer to journal).
struct forget_records {
  sequence_number through;
};

/// Time has passed. Stale generations are dropped.
struct tick {
  std::uint64_t generation = 0;
};

/// Something that happened and that people, metrics or invariants want to know.
struct observed {
  observation what;
  /// Of the frame that was rejected, if one was.
  inbound_credit credit = {};
};

/// A number that a part of the node counts by itself, like link statistics.
struct counters_reported {
  std::shared_ptr<const std::vector<named_counter>> counters;
};

/// Asks the monitor for this node's report.
struct report_wanted {};

// --- Handles -----------------------------------------------------------------

/// Decodes and verifies; the only way in. Routes by kind.
using ingress_actor = caf::typed_actor<
    // Handles of the node.
    caf::reacts_to<wired>,
    // A frame of an authenticated link: verified and passed on, or counted and dropped.
    caf::reacts_to<incoming_frame>,
    // What is not worth a signature check any more.
    caf::reacts_to<progress_made>>;

/// Pending requests, admission and batches.
using batcher_actor = caf::typed_actor<caf::reacts_to<wired>,
                                       // A REQUEST of a client, or forwarded by a backup.
                                       caf::reacts_to<verified_message>,
                                       // Who proposes, and so where requests go.
                                       caf::reacts_to<view_entered>,
                                       // Requests that are done and need no memory.
                                       caf::reacts_to<batch_executed>,
                                       // Requests that a transferred state has done.
                                       caf::reacts_to<state_installed>,
                                       // The batch delay has passed.
                                       caf::reacts_to<tick>>;

/// PBFT's normal case (§4.2): view, slots, watermarks, last executed.
using replica_actor = caf::typed_actor<caf::reacts_to<wired>,
                                       // PRE-PREPARE, PREPARE, COMMIT or STATUS.
                                       caf::reacts_to<verified_message>,
                                       // The primary's next proposal.
                                       caf::reacts_to<batch_cut>, caf::reacts_to<checkpoint_stable>,
                                       caf::reacts_to<state_diverged>, caf::reacts_to<state_installed>,
                                       // Time for a STATUS.
                                       caf::reacts_to<tick>>;

/// The state machine and the client table; answers clients.
using executor_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<batch_committed>,
                     // A QUERY.
                     caf::reacts_to<verified_message>, caf::reacts_to<reply_again>, caf::reacts_to<refuse>,
                     caf::reacts_to<session_opened>, caf::reacts_to<session_closed>, caf::reacts_to<install_state>,
                     caf::reacts_to<state_diverged>,
                     // The root of the present state.
                     caf::replies_to<report_wanted>::with<digest>>;

/// CHECKPOINT votes (§4.3).
using checkpointer_actor = caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<checkpoint_taken>,
                                            // CHECKPOINT or CHECKPOINT-PROOF.
                                            caf::reacts_to<verified_message>,
                                            // Time to send an unstable CHECKPOINT again.
                                            caf::reacts_to<tick>>;

/// Serves and fetches checkpointed state (TOCS '02 §5.3, with a Merkle tree of fixed shape).
using state_transfer_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<checkpoint_taken>, caf::reacts_to<fetch_state>,
                     // STATE-REQUEST or STATE-CHUNK.
                     caf::reacts_to<verified_message>, caf::reacts_to<state_installed>, caf::reacts_to<install_refused>,
                     caf::reacts_to<state_diverged>,
                     // Which of the states held for others is the one they need.
                     caf::reacts_to<checkpoint_stable>, caf::reacts_to<tick>>;

/// The node's disk: durable first, then sent.
using journal_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<persist_and_send>, caf::reacts_to<forget_records>>;

/// Counts what is observed and answers NODE-QUERY.
using monitor_actor =
    caf::typed_actor<caf::reacts_to<wired>, caf::reacts_to<observed>, caf::reacts_to<counters_reported>,
                     caf::reacts_to<link_changed>,
                     // A NODE-QUERY.
                     caf::reacts_to<verified_message>, caf::replies_to<report_wanted>::with<node_report>>;

struct neighbours {
  /// For frames of replicas.
  ingress_actor ingress;
  /// For frames of clients: their floods do not stand in the way of votes (attack 33).
  ingress_actor client_ingress;
  batcher_actor batcher;
  replica_actor replica;
  executor_actor executor;
  checkpointer_actor checkpointer;
  state_transfer_actor state_transfer;
  journal_actor journal;
  monitor_actor monitor;
  /// By replica number; this node's own place is empty.
  std::vector<peer_actor> peers;
};

// --- Clients -----------------------------------------------------------------

/// What a client gets for one operation, once f+1 replicas agree on it.
using operation_outcome = operation_result;

/// Called once, on the client actor's thread.
using completion = std::function<void(const submit_outcome&)>;

/// Order and execute an operation; `done` is called with its result.
struct submit_operation {
  byte_vector operation;
  std::shared_ptr<const completion> done;
};

/// Read without ordering: f+1 replicas agree that some recent state gives this answer.
struct query_operation {
  byte_vector operation;
  std::shared_ptr<const completion> done;
};

/// What `order` returns to an actor.
struct ordered_operation {
  byte_vector operation;
};

/// Called once with the replica's report, or with nothing when it did not answer in time.
using report_completion = std::function<void(const std::optional<node_report>&)>;

struct report_of_replica {
  replica_id replica;
  std::shared_ptr<const report_completion> done;
};

/// Fail what is pending, and end.
struct client_stop {};

/// Links of a client, one for each replica.
struct client_links {
  std::shared_ptr<const std::vector<peer_actor>> peers;
};

using client_actor =
    caf::typed_actor<caf::reacts_to<client_links>,
                     // A frame of an authenticated replica link.
                     caf::reacts_to<incoming_frame>, caf::reacts_to<submit_operation>, caf::reacts_to<query_operation>,
                     caf::reacts_to<report_of_replica>,
                     // What was sent into a closed link is sent again when it opens.
                     caf::reacts_to<link_changed>,
                     // Fails everything that is pending with `client_error::stopped`, and ends.
                     caf::reacts_to<client_stop>,
                     // The same as `submit_operation`, as a CAF request; an error's text is that of `client_error`.
                     caf::replies_to<ordered_operation>::with<operation_outcome>, caf::reacts_to<tick>>;

}  // namespace hypermesh

CAF_BEGIN_TYPE_ID_BLOCK(hypermesh, first_custom_type_id)
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::outgoing_frame))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::incoming_frame))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::session_opened))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::session_closed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::link_changed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::verified_message))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::wired))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::view_entered))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::progress_made))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::batch_cut))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::batch_executed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::reply_again))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::refuse))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::batch_committed))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::checkpoint_taken))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::checkpoint_stable))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::state_diverged))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::fetch_state))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::install_state))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::state_installed))
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
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::client_links))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::client_stop))
CAF_ADD_TYPE_ID(hypermesh, (hypermesh::install_refused))
CAF_END_TYPE_ID_BLOCK(hypermesh)

// None of these crosses CAF's serialisation: FlatBuffers frames are the only wire format.
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::outgoing_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::incoming_frame)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::session_opened)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::session_closed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::link_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::verified_message)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::wired)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::view_entered)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::progress_made)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::batch_cut)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::batch_executed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::reply_again)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::refuse)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::batch_committed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::checkpoint_taken)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::checkpoint_stable)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::state_diverged)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::fetch_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::install_state)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::state_installed)
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
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::client_links)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::client_stop)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(hypermesh::install_refused)
