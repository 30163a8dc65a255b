#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <caf/typed_actor.hpp>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/base/replica_position.hpp"
#include "actors/protocol/durability/write_ahead.hpp"
#include "actors/protocol/execution/client_sessions.hpp"
#include "actors/protocol/guard/peer_trust.hpp"
#include "actors/protocol/ordering/replica_effects.hpp"
#include "actors/protocol/views/new_view.hpp"
#include "actors/protocol/views/primary_monitor.hpp"
#include "messages/values.hpp"

/// The messages between the actors of a node, one struct for each. Content is shared and immutable, so sending a
/// message never copies a batch.
namespace hypermesh::actors {

class frozen_checkpoint;

// --- Links -------------------------------------------------------------------

/// A frame for the remote node. It is dropped and counted if the outbound queue is full or the link is down, so memory
/// stays bounded. Retransmission repairs the loss.
struct outgoing_frame {
  frame_ptr frame;
};

/// The actor of one remote node: a broker in the product, a simulated network or a probe in tests.
using peer_actor = caf::typed_actor<caf::reacts_to<outgoing_frame>>;

/// The share of a link's inbound window that a frame holds. The share is released when the last copy of this pointer is
/// destroyed, after the frame was handled.
using inbound_credit = std::shared_ptr<void>;

/// A frame from an authenticated link (peer to ingress; in a client: link to client).
struct incoming_frame {
  principal sender;
  /// The link on which answers to this sender leave.
  peer_actor via;
  frame_ptr frame;
  inbound_credit credit = {};
};

/// Examine the next frame in the queue (ingress to itself).
struct next_frame {};

/// An authenticated link of `client` is up, so replies to the client can leave on it (links to executor). A client may
/// have several links, one for each process that uses its key.
struct client_link_opened {
  client_id client;
  peer_actor via;
};

/// This link of `client` is closed (links to executor).
struct client_link_closed {
  client_id client;
  peer_actor via;
};

/// The authenticated link to a replica went up or down (links to monitor and coordinator; in a client: links to
/// client).
struct link_changed {
  replica_id replica;
  bool up = false;
};

// --- Inside a node -----------------------------------------------------------

/// The identity of a node and its cluster. `keys` signs as `self` and verifies signatures of all members. Without a
/// `clock`, the node proposes batches without a time and vouches for no other time.
struct node_identity {
  cluster_parameters cluster;
  replica_id self;
  std::shared_ptr<const authenticator> keys;
  std::shared_ptr<const wall_clock> clock = {};
};

/// A message with valid form, membership, signatures and digests (ingress to the actor of its kind). `sender` is the
/// principal that the link authenticated. If the message names its sender, the two are equal.
struct verified_message {
  principal sender;
  peer_actor via;
  std::shared_ptr<const message> value;
  /// The message counts against the inbound window of its link until this credit is released.
  inbound_credit credit = {};
};

/// A NEW-VIEW that the validator accepted, with the plan against which its O was checked (ingress to replica).
struct new_view_verified {
  principal sender;
  std::shared_ptr<const planned_new_view> opened;
  /// The same as in `verified_message`.
  inbound_credit credit = {};
};

struct node_actors;

/// The handles of all actors of the node; the first message that each actor receives (wiring to all).
struct wired {
  std::shared_ptr<const node_actors> with;
};

/// All actors have received `wired`, so the receiver may send messages to them. It begins with a report of the state
/// that it took over from the last run (wiring to executor and replica).
struct actors_connected {};

/// The view that the replica has entered (replica to coordinator, batcher and fault detector).
struct view_entered {
  view_number view;
};

/// The replica has left its view. Its VIEW-CHANGE `own` names the view that it wants next (replica to coordinator).
struct view_left {
  std::shared_ptr<const view_change> own;
};

/// Leave the present view and move to view `to`. The message is dropped unless `to` is a later view (coordinator to
/// replica).
struct change_view {
  view_number to;
};

/// The NEW-VIEW that this replica built as the next primary. The replica sends it if it has not entered or left that
/// view meanwhile (coordinator to replica).
struct new_view_built {
  std::shared_ptr<const planned_new_view> opened;
};

/// Asks for measurements of how long clients wait (coordinator to batcher).
struct service_wanted {
  /// The coordinator asks seldom now, so the batcher has to report by itself when a request begins to wait.
  bool rests = false;
};

/// The answer to `service_wanted`, or the report that ends the rest of the coordinator (batcher to coordinator).
struct service_measured {
  service_report report;
};

/// The position of this replica. It shows the ingress which messages the replica would refuse, so that their signatures
/// are not checked (replica to ingress for replicas).
struct progress_made {
  replica_position at;
};

/// A batch for the next sequence number (batcher to replica).
struct batch_cut {
  view_number view;
  std::shared_ptr<const batch> content;
  /// When its oldest request became pending, as in `phase_times`.
  moment oldest{};
};

/// A batch whose requests have no signatures. The batcher answers with `batch_authentic` once it knows that their
/// clients have sent them (replica to batcher).
struct batch_unproven {
  proposed_batch proposed;
};

/// The batch `value` of `view` and `sequence` has only authentic requests (batcher to replica).
struct batch_authentic {
  view_number view;
  sequence_number sequence;
  digest value;
};

/// Send the VOUCHes that have gathered (batcher to itself).
struct vouches_due {};

/// A batch was committed and executed (executor to batcher).
struct batch_executed {
  sequence_number sequence;
  /// The view in which the batch was committed.
  view_number view;
  std::shared_ptr<const std::vector<executed_request>> requests;
  std::shared_ptr<const batch> body;
  /// As in `committed_batch`.
  std::optional<duration> lateness = {};
};

/// Send the cached reply to this request again, on the link `via` on which the repetition came (batcher to executor).
struct reply_again {
  request_reference asked;
  peer_actor via;
  /// Held until the reply has been made, so that a flood of repeated requests fills only the window of its own link.
  inbound_credit credit = {};
};

/// Refuse this request by a reply on the link `via` on which it came, or on all links of its client if `via` is empty
/// (batcher to executor).
struct refuse {
  request_reference asked;
  reply_status status = reply_status::overloaded;
  peer_actor via;
  inbound_credit credit = {};
};

/// This opening request came on this link. If this request is the opening that is executed, the results of the session
/// are sent on this link (batcher to executor).
struct session_routed {
  request_reference opening;
  peer_actor via;
};

/// Look at the requests that were not executed for some time (batcher to itself).
struct requests_wait {};

/// Evidence: signed messages that convict a member (ingress and batcher to fault detector).
struct proof_found {
  std::shared_ptr<const evidence> proof;
};

/// A misbehaviour that cannot be proven to others (ingress, coordinator and state transfer to fault detector and
/// reputation tracker).
struct misbehaved {
  observed_misbehaviour what;
};

/// Executed batches or an installed state changed a member's standing, or settled a case (executor to fault detector,
/// reputation tracker and batcher).
struct reputation_agreed {
  std::shared_ptr<const agreed_reputation> now;
};

/// The moves that the group agreed on: sequence numbers to order, views to leave (executor to replica and coordinator).
struct moves_agreed {
  agreed_moves now;
  /// Views whose primary steps down.
  std::vector<view_number> stepped_down;
  /// The sequence number of the last executed batch.
  sequence_number at;
};

/// h moved (replica to coordinator).
struct low_watermark_moved {
  sequence_number low;
};

/// This replica lost its disk and needs the support of others. The message is repeated until the replica is readmitted
/// (replica to fault detector).
struct readmission_wanted {
  readmission_wish wish;
};

/// This replica had lost its disk and is a full member again (replica to coordinator).
struct readmitted {};

/// Evidence against a replica was verified (fault detector to reputation tracker).
struct replica_proven {
  proven_misbehaviour what;
};

/// The replicas that this node avoids as primary or throttles (reputation tracker to ingress for replicas, coordinator
/// and state transfer).
struct trust_changed {
  std::shared_ptr<const trust> now;
};

/// The operator of this node asks for the release of a replica from quarantine. A release needs f + 1 operators (host
/// to fault detector).
struct release_wanted {
  replica_id replica;
};

/// These cases no longer need to be ordered (fault detector to batcher).
struct cases_dropped {
  std::shared_ptr<const std::vector<case_name>> names;
};

/// The node is going to stop: refuse all further requests of clients (host to batcher).
struct stop_admitting {};

/// The client exceeded its quota of pending requests (batcher to ingress for clients).
struct quota_exceeded {
  client_id client;
};

/// Asks whether the validator would accept this frame of this sender (host to fault detector).
struct validation_wanted {
  principal sender;
  frame_ptr frame;
};

/// The answer: the reason for a rejection; nothing if the frame would be accepted.
struct validation {
  std::optional<rejection> objection;
};

/// Asks for `reputation_report` (host to reputation tracker).
struct reputation_wanted {};

/// The reputation of every replica, by replica number.
struct reputation_report {
  std::vector<reputation> replicas;
};

/// A batch that is committed-local and the next one in order (journal to executor). The replica sends it inside
/// `persist_and_send`, so clients get an answer only after the records on which it depends are durable.
struct batch_committed {
  committed_batch content;
};

/// This replica has prepared sequence numbers up to `through`, and knows all its earlier votes. The message is in the
/// mailbox of the executor before the COMMIT goes to the journal. So a linearizable query that arrives after another
/// replica used this COMMIT finds it there (replica to executor; attack 35).
struct slots_prepared {
  sequence_number through;
};

/// The state after a checkpoint's sequence number (executor to checkpointer and state transfer). If no certificate
/// contradicts it, the checkpointer forwards it to the journal, and the journal forwards it to the replica once all
/// The checkpointer hashes the state (`frozen_checkpoint::finish`).
struct checkpoint_taken {
  sequence_number sequence;
  std::shared_ptr<frozen_checkpoint> state;
};

/// A state that this replica did not execute but installed under a certificate (executor to checkpointer and state
/// transfer; the journal receives it in `state_to_keep`).
struct checkpoint_installed {
  sequence_number sequence;
  digest root;
  std::shared_ptr<const state_snapshot> snapshot;
};

/// A quorum certified the state after a sequence number, and the root of this replica does not contradict it
/// (checkpointer to replica and state transfer).
struct checkpoint_stable {
  std::shared_ptr<const checkpoint_certificate> certificate;
};

/// A NEW-VIEW proved this stable checkpoint (replica to checkpointer).
struct proof_learned {
  std::shared_ptr<const checkpoint_certificate> certificate;
};

/// A quorum certified another state after `sequence` than this replica computed (checkpointer to executor). The
/// executor may have replaced the state meanwhile.
struct own_root_disproven {
  sequence_number sequence;
};

/// The executor found that its state is wrong. Until a certified state is installed, the receivers do not vote and do
/// not give the state to others (executor to replica and state transfer; attack 27).
struct state_diverged {
  sequence_number sequence;
};

/// Fetch the state that this certificate proves. Sent to state transfer by the replica if it lags, and by the
/// checkpointer if the certified state has to replace a wrong one.
struct fetch_state {
  std::shared_ptr<const checkpoint_certificate> certificate;
  fetch_reason why = fetch_reason::lag;
};

/// This replica lost its disk, and may now vote for CHECKPOINTs with sequence numbers above this one (replica to
/// checkpointer).
struct voting_allowed {
  sequence_number above;
};

/// Replace the state. Every chunk was verified against the certificate (state transfer to executor).
struct install_state {
  std::shared_ptr<const checkpoint_certificate> certificate;
  std::shared_ptr<const state_snapshot> snapshot;
};

/// The fetched state was not installed, because it is no longer needed, or because it cannot be restored (`unreadable`)
/// (executor to state transfer).
struct install_refused {
  sequence_number sequence;
  bool unreadable = false;
};

/// The certified state after `sequence` is installed (executor to batcher and, by way of the journal, to the replica).
/// If it replaces a state that had diverged, `sequence` may be below the last batch that the replica handed to the
/// executor. The replica then hands over the batches after `sequence` again.
struct state_installed {
  sequence_number sequence;
  /// The sessions in the new client table, from which the batcher learns which pending requests are done.
  std::shared_ptr<const sessions_by_client> executed;
  /// The certificate of the installed state.
  std::shared_ptr<const checkpoint_certificate> certificate = {};
};

/// A fetched state is installed. The journal writes the state, and then sends `installed` to the replica (executor to
/// journal).
struct state_to_keep {
  state_installed installed;
  std::shared_ptr<const state_snapshot> snapshot;
};

/// Write the records that have gathered (journal to itself).
struct flush_records {};

/// Write the next piece of a state (journal to itself).
struct write_piece {};

/// A stable checkpoint covers all records through this sequence number (replica to journal).
struct forget_records {
  sequence_number through;
};

/// A timer has expired (an actor to itself). A tick of an earlier `generation` is ignored.
struct tick {
  std::uint64_t generation = 0;
};

/// An event for logs, metrics and the invariants of tests (any actor to monitor).
struct observed {
  observation what;
  /// The credit of the rejected frame, if a frame was rejected.
  inbound_credit credit = {};
};

/// Numbers that another part of the node counts, such as link statistics (links, reputation tracker and auditor to
/// monitor).
struct counters_reported {
  std::shared_ptr<const std::vector<named_counter>> counters;
};

/// Asks for this node's report (host to monitor), or for the root of its state (monitor to executor).
struct report_wanted {
  /// Whether the report contains the root of the state. Without it the monitor answers alone, so a frequent question
  /// does not make the executor hash its state.
  bool with_root = true;
};

}  // namespace hypermesh::actors
