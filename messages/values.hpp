#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include <hypermesh/settings.hpp>

#include "messages/digest.hpp"
#include "messages/frame.hpp"
#include "messages/kinds.hpp"
#include "messages/types.hpp"

/// The values of decoded messages. The fields of a value agree with each other. Whether its
/// signatures and claims are valid is checked later, by
/// `actors/protocol/verification/validator.hpp` and the cores.
namespace hypermesh::messages {

// --- Clients -----------------------------------------------------------------

/// Names one request of one client. A request is executed at most once. Session 0 is always open and works as in §4.1:
/// the client never uses a timestamp of this session twice, not even after a restart. Every other session is opened by
/// a request with timestamp 0 (see `session_opening`).
struct request_id {
  client_id client;
  timestamp when;
  session_id session = {};

  /// Whether the request with this name opens its session.
  [[nodiscard]] bool opens_session() const { return when == timestamp{0} && session != session_id{0}; }

  friend auto operator<=>(const request_id&, const request_id&) = default;
};

/// ⟨REQUEST, o, t, c⟩σc: one signature over one or many operations.
struct request {
  request_id id;
  /// The operations, concatenated, inside `raw`.
  byte_span operations;
  /// End of each operation in `operations`; empty for a single operation.
  std::vector<std::uint32_t> ends;
  signature client_signature;
  /// Buffer and signature as received. These bytes are hashed, forwarded and put into a batch.
  blob raw;

  [[nodiscard]] std::size_t operation_count() const { return ends.empty() ? 1 : ends.size(); }
  [[nodiscard]] byte_span operation(std::size_t index) const;
  /// The part of `raw` that the client signed.
  [[nodiscard]] byte_span signed_bytes() const { return raw.view.first(raw.view.size() - signature::size); }
};

struct evidence;

/// ⟨SYSTEM-REQUEST, e⟩: evidence to be ordered. The evidence convicts a member, or it consists of the votes for a group
/// request. A system request has no client, timestamp, session or signature, because no client sends it and the
/// evidence proves itself. It is ordered like requests of clients, and the ledgers of the replicated state execute it.
struct system_request {
  /// The name is computed from the claim of the evidence. The validator checks that the two agree.
  case_name name;
  std::shared_ptr<const evidence> shown;
  /// The buffer as received. These bytes are hashed, forwarded and put into a batch.
  blob raw;
};

/// The name of a request or system request that is ordered.
using ordered_id = std::variant<request_id, case_name>;

/// The answer of a replica to a request.
enum class reply_status : std::uint8_t {
  executed = 0,
  /// The timestamp is below the window of its session. The request is never executed from now on; if it was
  /// executed before, its result is no longer known.
  stale_timestamp = 1,
  /// The replica's queues are full; the client may try again later.
  overloaded = 2,
  /// The session has ended. The request is never executed from now on; if it was executed before, its result is no
  /// longer known.
  session_ended = 3,
};
inline constexpr auto reply_status_last = reply_status::session_ended;

/// The results of one request: equal at all correct replicas.
struct request_outcome {
  reply_status status = reply_status::executed;
  /// An `operation_status` for each operation.
  std::vector<std::uint8_t> statuses;
  byte_vector results;
  std::vector<std::uint32_t> ends;
  /// With `session_ended`: no session above this one has ended.
  session_id fresh_above = {};

  friend bool operator==(const request_outcome&, const request_outcome&) = default;
  [[nodiscard]] byte_span result(std::size_t index) const;
  void append(std::uint8_t operation_status, byte_span payload);
};

/// ⟨REPLY, v, t, c, i, r⟩. i is not a field, because it is the replica at the other end of the authenticated link.
struct reply {
  request_id id;
  view_number view;
  request_outcome outcome;
  /// `digest_of_request` of the request that was executed or refused. The digest is needed because another process with
  /// the same key may have sent a different request with the same id (attack 5).
  digest request = {};
};

/// The digest of the signature of a request. It identifies the request: a correct client's signature covers all bytes
/// of the request, and hashing 64 bytes costs the same for every size of request.
[[nodiscard]] digest digest_of_request(const signature& client_signature);
[[nodiscard]] inline digest digest_of_request(const request& value) {
  return digest_of_request(value.client_signature);
}

/// The name of a request and the digest of its content.
struct request_reference {
  request_id id;
  digest content;

  friend auto operator<=>(const request_reference&, const request_reference&) = default;
};
[[nodiscard]] inline request_reference reference_of(const request& value) {
  return {value.id, digest_of_request(value)};
}

/// The one operation of the request with timestamp 0. The nonce distinguishes two processes that chose the same session
/// number: their requests differ, and so do the digests in the replies.
struct session_opening {
  session_mode mode = session_mode::ordered;
  std::array<std::byte, 16> nonce{};
};
[[nodiscard]] byte_vector operation_of(const session_opening& opening);
/// Nothing if the request does not open a session, or if its operations are not exactly one valid opening.
[[nodiscard]] std::optional<session_opening> opening_in(const request& value);

struct query {
  request_id id;
  byte_vector operation;
  /// The answer must contain everything that the replica had prepared when the query arrived (TOCS '02 §5.1.3).
  bool is_linearizable = false;
};

struct query_reply {
  request_id id;
  sequence_number last_executed;
  std::uint8_t status = 0;
  byte_vector result;
};

struct node_query {
  request_id id;
};

struct named_counter {
  std::string name;
  std::uint64_t value = 0;
};

struct node_report {
  request_id id;
  replica_id replica;
  view_number view;
  sequence_number low_watermark;
  sequence_number high_watermark;
  sequence_number last_executed;
  sequence_number stable_checkpoint;
  digest state_root;
  std::vector<named_counter> counters;
};

/// Asks a replica to sign that it executed operation `index` of a request. The answer is a RECEIPT-REPLY.
struct receipt_query {
  request_id id;
  std::uint32_t index = 0;

  friend auto operator<=>(const receipt_query&, const receipt_query&) = default;
};

/// Where an operation stands among everything that the batch of `sequence` executed. All correct replicas give the same
/// place. The operations of a request are the leaves of one hash tree, and the executed requests of the batch are the
/// leaves of a second tree.
struct receipt_place {
  sequence_number sequence;
  /// D(m) of the batch.
  digest batch;
  /// The ordered time after the batch.
  wall_time ordered_time{};
  std::uint32_t operation_count = 0;
  merkle_path operation_path;
  /// The number of requests that the batch executed, and the number of this request among them.
  std::uint32_t request_count = 0;
  std::uint32_t request_index = 0;
  merkle_path request_path;

  friend bool operator==(const receipt_place&, const receipt_place&) = default;
};

/// The part of one replica in a receipt: the place, and the signature over its RECEIPT statement.
struct receipt_share {
  receipt_place place;
  signature by;

  friend bool operator==(const receipt_share&, const receipt_share&) = default;
};

/// Answers a RECEIPT-QUERY.
struct receipt_reply {
  receipt_query asked;
  /// Nothing if the replica has not executed the operation, or executed it too long ago.
  std::optional<receipt_share> share;
};

// --- Ordering ----------------------------------------------------------------

/// The content that a replica signs. The kind of the statement is not a field: it is the kind of the frame, or follows
/// from the place of the statement in a certificate.
struct statement {
  view_number view;
  sequence_number sequence;
  digest value;
  replica_id replica;
  epoch_number epoch;

  friend auto operator<=>(const statement&, const statement&) = default;
};

struct signed_statement {
  statement content;
  signature by;

  friend bool operator==(const signed_statement&, const signed_statement&) = default;
};

/// The bytes of a statement as they are signed and sent: 56 bytes in one layout.
[[nodiscard]] std::array<std::byte, 56> statement_bytes(const statement& content);

/// m of the paper: the requests that share one sequence number. The system requests are executed first. An empty batch
/// is the null request.
struct batch {
  std::vector<request> requests;
  /// Bytes of all requests and system requests as received, without their ends.
  std::size_t bytes = 0;
  std::vector<system_request> system_requests = {};
  /// The wall clock of the primary that proposed the batch, when it cut the batch; zero if it gave none, and in the
  /// null request. A later view proposes the batch again with the same time. The replicas derive their ordered time
  /// from it.
  wall_time proposed_time{};

  /// Whether this batch is the null request, d^null of §4.4.
  [[nodiscard]] bool is_null() const { return requests.empty() && system_requests.empty(); }
};

/// D(m) over the proposed time, and the counts, sizes and received bytes of all requests and of all system requests.
/// The two lists are hashed one after the other, each with its count, so a batch with a system request never has the
/// digest of a batch with a client's request in its place. The digest covers the time, so a primary that proposes two
/// times for one batch equivocates (attack 8).
[[nodiscard]] digest digest_of_batch(const batch& content);

/// Whether the proposed time is in its range (`limits::proposed_time_ms_max`), and zero in a null request.
[[nodiscard]] bool is_valid_time(const batch& content);

/// D(d^null): the digest of the batch without requests (§4.4).
[[nodiscard]] const digest& null_request_digest();

struct pre_prepare {
  signed_statement header;
  std::shared_ptr<const batch> body;
  /// The frame as it was received or first sent. It is relayed unchanged.
  frame_ptr raw;
};

struct prepare {
  signed_statement vote;
};

struct commit {
  signed_statement vote;
};

/// ⟨CHECKPOINT, n, d, i⟩: a statement with view 0.
struct checkpoint {
  signed_statement vote;
};

// --- View change -------------------------------------------------------------

/// A quorum of CHECKPOINTs of distinct replicas for one (n, d). An empty certificate stands for the initial state.
struct checkpoint_certificate {
  std::vector<signed_statement> votes;

  [[nodiscard]] sequence_number sequence() const {
    return votes.empty() ? sequence_number{0} : votes.front().content.sequence;
  }
};

/// §4.2: the proof of prepared(m, v, n, i) for other replicas.
struct prepared_certificate {
  signed_statement pre_prepare;
  std::vector<signed_statement> prepares;
};

/// A quorum of COMMITs for one (v, n, d).
struct commit_certificate {
  std::vector<signed_statement> commits;
};

struct view_change {
  view_number new_view;
  sequence_number stable_sequence;
  checkpoint_certificate stable_proof;
  std::vector<prepared_certificate> prepared;
  replica_id replica;
  signature by;
  blob raw;
};

struct new_view {
  view_number view;
  std::vector<view_change> view_changes;
  std::vector<signed_statement> reproposals;
  replica_id replica;
  signature by;
  blob raw;
};

// --- Retransmission and recovery ---------------------------------------------

/// The progress of the sender of a STATUS at one sequence number.
struct slot_progress {
  bool has_pre_prepare = false;
  bool prepared = false;
  bool committed = false;

  friend bool operator==(const slot_progress&, const slot_progress&) = default;
};

struct status {
  replica_id replica;
  view_number view;
  /// Whether the sender has entered `view`; otherwise it waits for the NEW-VIEW.
  bool active = true;
  sequence_number low_watermark;
  /// Each sequence number up to this one is stable, or committed in `view`.
  sequence_number last_decided;
  /// Progress of the sequences after `last_decided`, in order.
  std::vector<slot_progress> slots;
  signature by;
  blob raw;
  /// Whether the sender lost its disk and may not commit yet. Only health reports read this claim.
  bool on_probation = false;
};

struct checkpoint_proof {
  checkpoint_certificate certificate;
};

/// The two kinds of part in which a state is transferred.
enum class state_part : std::uint8_t {
  chunk = 0,
  /// A page of leaves, which are the digests of the chunks.
  leaves = 1,
};
inline constexpr auto state_part_last = state_part::leaves;

struct state_request {
  sequence_number sequence;
  /// The index of the chunk or of the page.
  std::uint64_t index = 0;
  state_part part = state_part::chunk;

  friend bool operator==(const state_request&, const state_request&) = default;
};

/// The leaves from number `state_page_leaves` · index on, and the path from the page to the root. The root binds the
/// count of leaves.
struct leaf_page {
  /// The number of chunks of the whole state.
  std::uint64_t chunk_count = 0;
  std::vector<digest> leaves;
  merkle_path path;
};

/// The reason why a donor refuses a STATE-REQUEST.
enum class state_refusal : std::uint8_t {
  /// The donor does not hold this state, or the state has no such part.
  not_held = 1,
  /// The fetcher has used up its share for now.
  busy = 2,
};
inline constexpr auto state_refusal_last = state_refusal::busy;

/// Answers a STATE-REQUEST.
struct state_chunk_message {
  state_request wanted;
  /// The chunk or the page of leaves, as `wanted` names it, or the refusal.
  std::variant<std::shared_ptr<const byte_vector>, leaf_page, state_refusal> content;
};

/// The number of pages that hold the leaves of `chunk_count` chunks.
[[nodiscard]] std::uint64_t state_pages_of(std::uint64_t chunk_count);
/// The number of leaves on page `page` of a state of `chunk_count` chunks; 0 if there is no such page.
[[nodiscard]] std::size_t state_page_size(std::uint64_t chunk_count, std::uint64_t page);

/// ⟨SUSPICION, v, i⟩: replica i asks to leave view v, but still takes part in it. Encoded as a statement with sequence
/// 0 and a digest of zeros.
struct suspicion {
  signed_statement vote;
};

// --- The guard ---------------------------------------------------------------

/// ⟨COMPLAINT, n, j, why, i⟩: replica i complains that replica j misbehaved in the checkpoint period that ends with n.
/// Encoded as a statement whose view is j and whose digest begins with the reason.
struct complaint {
  signed_statement vote;
};

/// ⟨RELEASE, n, j, i⟩: the operator of replica i wants to release replica j, which was convicted at n. Encoded as a
/// statement whose view is j.
struct release {
  signed_statement vote;
};

/// A signed statement or document of a principal, with the kind under which it was signed.
struct evidence_item {
  message_kind kind = message_kind::commit;
  /// A document is decoded together with the evidence, and its `raw` has the received bytes.
  std::variant<signed_statement, std::shared_ptr<const request>, std::shared_ptr<const view_change>,
               std::shared_ptr<const new_view>>
      content;

  [[nodiscard]] bool is_statement() const { return std::holds_alternative<signed_statement>(content); }
};

/// The document in an item; null if the item is a statement or a document of another type.
template <class Document>
[[nodiscard]] const Document* document_in(const evidence_item& shown) {
  const auto* document = std::get_if<std::shared_ptr<const Document>>(&shown.content);
  return document == nullptr ? nullptr : document->get();
}

/// The bytes of the document in an item that is no statement: its buffer, then its signature.
[[nodiscard]] const blob& document_of(const evidence_item& shown);

[[nodiscard]] inline evidence_item item_of(std::shared_ptr<const request> document) {
  return {message_kind::request, std::move(document)};
}
[[nodiscard]] inline evidence_item item_of(std::shared_ptr<const view_change> document) {
  return {message_kind::view_change, std::move(document)};
}
[[nodiscard]] inline evidence_item item_of(std::shared_ptr<const new_view> document) {
  return {message_kind::new_view, std::move(document)};
}

/// ⟨EVIDENCE, e⟩: signed messages of other principals, for a replica that may not have received them. EVIDENCE has no
/// signature of its own, because the messages in it are signed.
struct evidence {
  std::vector<evidence_item> items;
};

/// ⟨READMISSION, n, j, i⟩: replica i asks the group to order all sequences up to n, because replica j lost its disk and
/// may vote only above n. Encoded as a statement whose view is j.
struct readmission {
  signed_statement vote;
};

/// ⟨HAND-OVER, v, j, why, i⟩: replica i asks the group to leave all views before v together, for replica j. Encoded as
/// a statement with view v and sequence 0, whose digest begins with the cause and the number j.
struct hand_over {
  signed_statement vote;
};

/// ⟨VOUCH, {r}⟩: the sender vouches that the client of each request has sent it, if clients do not sign their requests.
/// The sender is the replica at the other end of the authenticated link.
struct vouch {
  std::vector<request_reference> requests;

  friend bool operator==(const vouch&, const vouch&) = default;
};

/// A decoded message of any kind. The alternatives are in the order of `message_kind`.
using message = std::variant<request, pre_prepare, prepare, commit, reply, checkpoint, view_change, new_view, status,
                             checkpoint_proof, state_request, state_chunk_message, suspicion, query, query_reply,
                             node_query, node_report, complaint, release, evidence, readmission, hand_over,
                             system_request, receipt_query, receipt_reply, vouch>;
static_assert(std::variant_size_v<message> == message_kind_last);

[[nodiscard]] inline message_kind kind_of(const message& value) {
  return static_cast<message_kind>(value.index() + message_kind_first);
}

}  // namespace hypermesh::messages
