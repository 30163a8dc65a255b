#pragma once

#include <optional>
#include <vector>

#include "messages/expected.hpp"
#include "messages/values.hpp"

namespace hypermesh::messages {

// --- Bytes to values ---------------------------------------------------------

/// Decodes one frame and checks everything that the bytes alone can show: the length for the
/// kind, the FlatBuffers structure (with bounded depth and number of tables), required
/// fields, ranges, and whether the fields agree with each other. Never throws.
[[nodiscard]] or_rejection<message> decode(const frame_ptr& frame);

/// Decodes one REQUEST inside a batch or frame: buffer and signature, without the kind.
[[nodiscard]] or_rejection<request> decode_request(const blob& raw);

/// Decodes one SYSTEM-REQUEST inside a batch or frame, without the kind. Also decodes the evidence inside, so no later
/// step decodes it again.
[[nodiscard]] or_rejection<system_request> decode_system_request(const blob& raw);

/// Decodes an EVIDENCE and the documents in it.
[[nodiscard]] or_rejection<evidence> decode_evidence(byte_span bytes);

// --- Values to bytes ---------------------------------------------------------
// Encoders assert their limits, because a value beyond them is our fault and not a peer's.

/// The buffer of a REQUEST, which the client signs. `operations` must not be empty.
[[nodiscard]] byte_vector request_buffer(request_id id, const std::vector<byte_span>& operations);

/// The buffer of an EVIDENCE, which has no signature.
[[nodiscard]] byte_vector evidence_buffer(const evidence& value);

/// The system request `name` with the evidence `shown`. `raw` is the whole frame without its kind.
[[nodiscard]] system_request encode_system_request(case_name name, std::shared_ptr<const evidence> shown);

/// The buffers that a replica signs.
[[nodiscard]] byte_vector view_change_buffer(const view_change& value);
[[nodiscard]] byte_vector new_view_buffer(const new_view& value);
[[nodiscard]] byte_vector status_buffer(const status& value);

/// The frame of a document that was received or signed; `raw` is its buffer and signature. If `raw` is a whole frame
/// without its kind, the frame is shared and not copied.
[[nodiscard]] frame_ptr frame_of(message_kind kind, const blob& raw);

/// `buffer ‖ signature ‖ kind`: the frame of a document that is signed as a whole.
[[nodiscard]] frame_ptr seal(message_kind kind, byte_vector buffer, const signature& by);

[[nodiscard]] frame_ptr encode_pre_prepare(const signed_statement& header, const batch& body);
/// A certificate in its form on disk: signed statements, 120 bytes each, in the layout of the wire.
[[nodiscard]] frame_ptr encode_statements(const std::vector<signed_statement>& statements);
/// The same for a prepared certificate. The statement of the PRE-PREPARE comes first.
[[nodiscard]] frame_ptr encode_statements(const prepared_certificate& certificate);
/// Returns nothing if the bytes are not a whole number of statements.
[[nodiscard]] std::optional<std::vector<signed_statement>> decode_statements(byte_span bytes);

/// The header of a PRE-PREPARE frame, without decoding the batch; nothing if the frame has no header.
[[nodiscard]] std::optional<signed_statement> header_of_pre_prepare(byte_span frame);

/// The frame of a PREPARE, COMMIT, CHECKPOINT, SUSPICION, COMPLAINT, RELEASE, READMISSION or HAND-OVER.
[[nodiscard]] frame_ptr encode_vote(message_kind kind, const signed_statement& vote);
[[nodiscard]] frame_ptr encode(const reply& value);
/// The same without copying the outcome, because the client table shares outcomes.
[[nodiscard]] frame_ptr encode_reply(request_id to, view_number view, const request_outcome& outcome,
                                     const digest& asked);
[[nodiscard]] frame_ptr encode(const query& value);
[[nodiscard]] frame_ptr encode(const query_reply& value);
[[nodiscard]] frame_ptr encode(const node_query& value);
[[nodiscard]] frame_ptr encode(const node_report& value);
[[nodiscard]] frame_ptr encode(const receipt_query& value);
[[nodiscard]] frame_ptr encode(const receipt_reply& value);
[[nodiscard]] frame_ptr encode(const checkpoint_proof& value);
[[nodiscard]] frame_ptr encode(const state_request& value);
/// At most `limits::vouched_requests_max` requests, and at least one.
[[nodiscard]] frame_ptr encode(const vouch& value);
[[nodiscard]] frame_ptr encode(const state_chunk_message& value);
[[nodiscard]] frame_ptr encode(const evidence& value);

/// The frame of a received request, with its bytes unchanged.
[[nodiscard]] frame_ptr reframe(const request& value);
[[nodiscard]] frame_ptr reframe(const system_request& value);

}  // namespace hypermesh::messages
