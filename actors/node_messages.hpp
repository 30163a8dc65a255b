#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <caf/typed_actor.hpp>

#include "actors/ports.hpp"
#include "actors/protocol/client_sessions.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/early_filter.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/service_judge.hpp"
#include "actors/protocol/trust_book.hpp"
#include "messages/values.hpp"

/// What the actors of a node tell each other. One struct a message; shared immutable content, so that a message never
/// copies a batch.
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

/// The next of the frames that wait is to be verified (ingress to itself).
struct next_frame {};

/// An authenticated client link is up: replies to `client` go there. Several links of one
/// client are served, one for each process that uses its key.
struct client_link_opened {
  client_id client;
  peer_actor via;
};

struct client_link_closed {
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

/// Everybody knows everybody: say where the last run ended (to executor and replica, after all were `wired`).
struct neighbours_ready {};

/// The view that the replica is in now (replica to batcher, coordinator and fault detector).
struct view_entered {
  view_number view;
};

/// The replica has left its view; its VIEW-CHANGE says for which (replica to coordinator).
struct view_left {
  std::shared_ptr<const view_change> own;
};

/// Leave the present view for this one; dropped when it is not ahead (coordinator to replica).
struct change_view {
  view_number to;
};

/// The own NEW-VIEW, to be sent if the replica still waits for it (coordinator to replica).
struct new_view_built {
  std::shared_ptr<const new_view> opened;
};

/// How are the clients served? (coordinator to batcher)
struct service_wanted {};

/// What the batcher measured (batcher to coordinator).
struct service_measured {
  service_report report;
};

/// How far this replica is: messages about what is decided need no signature check (replica to ingress).
struct progress_made {
  replica_position at;
};

/// A batch for the next sequence number (batcher to replica).
struct batch_cut {
  view_number view;
  std::shared_ptr<const batch> content;
};

/// The batch was committed and executed (executor to batcher).
struct batch_executed {
  sequence_number sequence;
  /// Who proposed it.
  replica_id primary;
  std::shared_ptr<const std::vector<executed_request>> requests;
  std::shared_ptr<const batch> body = {};
};

/// Answer this request again from the client table, to the link that asked (batcher to executor).
struct reply_again {
  request_reference asked;
  peer_actor via;
  /// Until the answer is made, so that a flood of repeated requests fills its own link's window.
  inbound_credit credit = {};
};

/// Refuse this request by a reply to the link that asked, or to all links of its client (batcher to executor).
struct refuse {
  request_reference asked;
  reply_status status = reply_status::overloaded;
  peer_actor via;
  inbound_credit credit = {};
};

/// This opening request came on this link: if it is the one that is executed, the session's results go there (batcher to
/// executor).
struct session_routed {
  request_reference opening;
  peer_actor via;
};

/// Does this REQUEST still wait? (batcher to itself, a while after it was taken)
struct request_waits {
  request_id id;
};

/// Words that convict somebody (ingress to fault detector).
struct proof_found {
  std::shared_ptr<const exhibits> proof;
};

/// Somebody behaves badly, which cannot be proven to others (ingress, coordinator and state transfer to fault detector
/// and reputation tracker).
struct misbehaved {
  misdeed what;
};

/// The order changed somebody's standing, or settled a case (executor to fault detector and reputation tracker).
struct reputation_agreed {
  std::shared_ptr<const agreed_reputation> now;
};

/// The order has the group pass sequences or leave views (executor to replica and coordinator).
struct moves_agreed {
  agreed_moves now;
  /// Its primary gives up this view.
  std::vector<view_number> stepped_down;
  /// The last batch that was executed.
  sequence_number at;
};

/// h moved (replica to coordinator).
struct low_watermark_moved {
  sequence_number low;
};

/// This replica lost its disk and needs the others' help; repeated until it is back (replica to fault detector).
struct readmission_wanted {
  readmission_wish wish;
};

/// This replica had lost its disk and is a full member again (replica to coordinator).
struct readmitted {};

/// Evidence against a replica was verified (fault detector to reputation tracker).
struct replica_proven {
  proven_case what;
};

/// Whom to trust less (reputation tracker to ingress, coordinator and state transfer).
struct trust_changed {
  std::shared_ptr<const trust> now;
};

/// The operator of this node wants a replica released from quarantine, which f+1 operators must want (host to fault
/// detector).
struct pardon_wanted {
  replica_id replica;
};

/// Nobody needs these cases any more (fault detector to batcher).
struct cases_dropped {
  std::shared_ptr<const std::vector<request_id>> names;
};

/// The client has as much pending as it may (batcher to the clients' ingress).
struct quota_exceeded {
  client_id client;
};

/// Would this frame of this sender be taken? (host to fault detector)
struct validation_wanted {
  principal sender;
  frame_ptr frame;
};

/// Why not; nothing: it would.
struct validation {
  std::optional<rejection> objection;
};

/// Asks the reputation tracker for `reputation_report`.
struct reputation_wanted {};

/// Of every replica, by number.
struct reputation_report {
  std::vector<reputation> replicas;
};

/// A batch is committed-local and next in order (replica to executor, by way of the journal).
struct batch_committed {
  committed_batch content;
};

/// The state after a checkpoint's sequence (executor to checkpointer, state transfer and journal, and from there, once
/// everything before it is on disk, to the replica).
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

/// A NEW-VIEW proved this stable checkpoint (replica to checkpointer).
struct proof_learned {
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

/// This replica, which lost its disk, may vote for the states after later sequences than this (replica to
/// checkpointer).
struct voting_allowed {
  sequence_number above;
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

/// The certified state after `sequence` is in place (executor to batcher and, by way of the journal, to the replica).
/// When it replaces a state that had diverged, `sequence` may lie below what the replica has handed over: from there on
/// it is handed over again.
struct state_installed {
  sequence_number sequence;
  /// What the new client table holds: lets the batcher forget requests that are done.
  std::shared_ptr<const sessions_by_client> executed;
  /// Of the state that was to be installed.
  std::shared_ptr<const checkpoint_certificate> certificate = {};
};

/// A transferred state is in place, and the replica is told so once it is on disk (executor to journal).
struct state_to_keep {
  state_installed installed;
  std::shared_ptr<const state_snapshot> snapshot;
};

/// Write what gathered (journal to itself).
struct flush_records {};

/// Write the next piece of a state (journal to itself).
struct write_piece {};

/// Make the records durable, then send the frames in order (replica and checkpointer to journal), and hand over the
/// batches.
struct persist_and_send {
  std::shared_ptr<const std::vector<storage_record>> records;
  std::shared_ptr<const std::vector<outgoing_message>> sends;
  /// For the executor, in order; null for none. Their answers rest on the own COMMITs among the records before.
  std::shared_ptr<const std::vector<committed_batch>> committed = nullptr;
};

/// A stable checkpoint covers everything through this sequence (replica to journal).
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

}  // namespace hypermesh
