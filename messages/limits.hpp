#pragma once

#include <cstddef>
#include <cstdint>

/// A bound on everything that a peer, a client or an operator can make large. Each bound
/// states its derivation. No other file defines a bound of the wire.
namespace hypermesh::limits {

/// PBFT needs n > 3f; f = 1 is the smallest group that tolerates a fault.
inline constexpr std::uint32_t replicas_min = 4;
/// PREPARE and COMMIT are all-to-all: 2n² messages for each batch, 20,000 at 100 replicas. Two cores check 25,000
/// signatures in a second, at 80 µs each.
inline constexpr std::uint32_t replicas_max = 100;
/// Each session of a client may keep `requests_in_flight_max` results cached in the replicated state.
inline constexpr std::uint32_t clients_max = 65'536;

/// One operation of the state machine. Larger bodies belong beside the ordering path.
inline constexpr std::size_t operation_bytes_max = 256 * 1024;
/// Operations under one client signature: with 1,024 the signature check costs 0.1 µs for each.
inline constexpr std::size_t operations_per_request_max = 1'024;
/// The operations of one REQUEST together: four of the largest size.
inline constexpr std::size_t request_bytes_max = 4 * operation_bytes_max;

/// Requests of one batch; at 80 µs a signature check, 1,024 keep a backup busy for 82 ms.
inline constexpr std::size_t requests_per_batch_max = 1'024;
/// Bytes of one batch. It must hold the largest request; twice that size keeps batches efficient.
inline constexpr std::size_t batch_bytes_max = 2 * request_bytes_max + 16 * 1024;

/// The result of one operation.
inline constexpr std::size_t result_bytes_max = 256 * 1024;
/// All results of one request, so that a reply fits a frame.
inline constexpr std::size_t reply_bytes_max = 1024 * 1024;

/// Requests that one session of a client may have outstanding; also its cached results in the client table.
inline constexpr std::size_t requests_in_flight_max = 256;
/// Pending requests of all sessions of one client at a replica: enough for four processes that use their full share.
inline constexpr std::size_t requests_pending_per_client_max = 4 * requests_in_flight_max;
/// Sessions of one client that are open at once: those of its processes, and those of processes that ended without
/// notice.
inline constexpr std::size_t sessions_per_client_max = 64;
/// Ended sessions of one client that are remembered. Older ones are refused by their number alone.
inline constexpr std::size_t ended_sessions_max = 256;

/// One chunk of state under one Merkle leaf.
inline constexpr std::size_t state_chunk_bytes_max = 256 * 1024;
/// Chunks of one snapshot: 2²⁰ chunks of 256 KiB are 256 GiB of state.
inline constexpr std::uint64_t state_chunks_max = 1ULL << 20U;
/// A path in a tree of `state_chunks_max` leaves.
inline constexpr std::size_t merkle_path_max = 20;
/// Leaves in one STATE-CHUNK, a power of two: 32 KiB of digests, which cost a donor no more than a chunk.
inline constexpr std::size_t state_page_leaves = 1'024;
/// Pages of the leaves of one snapshot.
inline constexpr std::uint64_t state_pages_max = state_chunks_max / state_page_leaves;
/// A path from a page to the root, in a tree of `state_chunks_max` leaves.
inline constexpr std::size_t page_path_max = 10;

/// L, the width of the watermark window. STATUS carries one octet for each sequence in it.
inline constexpr std::uint32_t watermark_window_max = 4'096;

/// Everything around a body: root, tables, vtables, signature, kind. Measured below 512.
inline constexpr std::size_t envelope_bytes_max = 1'024;
/// VIEW-CHANGE: for each of L sequences one prepared certificate, a quorum of signed statements of 120 bytes.
/// `watermark_window_max_of` limits L by n so that a VIEW-CHANGE of a full window fits.
inline constexpr std::size_t view_change_bytes_max = 4 * 1024 * 1024;
/// NEW-VIEW: a quorum of VIEW-CHANGEs. The limit leaves room below the 16 MiB that a frame can carry.
inline constexpr std::size_t new_view_bytes_max = 12 * 1024 * 1024;

/// The longest frame that any principal may send; the length field of a link has 24 bits.
inline constexpr std::size_t frame_bytes_max = new_view_bytes_max + envelope_bytes_max;
/// The longest frame that a client may send: one request and the ends of its operations.
inline constexpr std::size_t client_frame_bytes_max =
    request_bytes_max + 4 * operations_per_request_max + envelope_bytes_max;

/// Sequences and views stay far from wrapping: at a million a second 2⁶² last 146,000 years.
inline constexpr std::uint64_t sequence_max = 1ULL << 62U;
inline constexpr std::uint64_t view_max = 1ULL << 62U;

/// One signed document in evidence: two conflicting documents fit a request.
inline constexpr std::size_t evidence_item_bytes_max = request_bytes_max / 2 - envelope_bytes_max;
/// Signed statements in evidence. Two conflicting ones convict; a group request has a weak quorum of them.
inline constexpr std::size_t evidence_max = replicas_max;
inline constexpr std::size_t evidence_item_documents_max = 2;

/// A VIEW-CHANGE or NEW-VIEW that alone is evidence of a misbehaviour is checked as a whole. 128 KiB hold at most 1,092
/// signatures of 120-byte statements, and a batch has at most 8 cases: together at most 8,736 signature checks, 8.5
/// times those of a batch of 1,024 requests.
inline constexpr std::size_t lone_evidence_item_bytes_max = 128 * 1024;
inline constexpr std::size_t system_requests_per_batch_max = 8;
/// Bytes of the system requests of a batch: one of the largest. A decoded piece of evidence takes up to five times its
/// bytes, so a smaller bound than that of the batch keeps the memory of a window in bounds (attack 33).
inline constexpr std::size_t system_request_bytes_per_batch_max = request_bytes_max + envelope_bytes_max;
static_assert(system_request_bytes_per_batch_max <= batch_bytes_max);

/// Counters of one NODE-REPORT, and the length of their names.
inline constexpr std::size_t report_counters_max = 512;
inline constexpr std::size_t report_name_bytes_max = 96;

static_assert(frame_bytes_max < (1U << 24U), "a link's length field has 24 bits");
static_assert(batch_bytes_max >= client_frame_bytes_max, "every admissible request fits a batch");
static_assert(batch_bytes_max + 4 * requests_per_batch_max + envelope_bytes_max <= frame_bytes_max);
static_assert(client_frame_bytes_max <= frame_bytes_max);
static_assert(reply_bytes_max + envelope_bytes_max <= frame_bytes_max);
static_assert(reply_bytes_max >= result_bytes_max + 8 * operations_per_request_max);
static_assert((1ULL << merkle_path_max) >= state_chunks_max);
static_assert((state_page_leaves & (state_page_leaves - 1)) == 0, "a page is a whole subtree");
static_assert((1ULL << page_path_max) >= state_pages_max);
static_assert(32 * (state_page_leaves + page_path_max) <= state_chunk_bytes_max, "a page fits the frame of a chunk");

}  // namespace hypermesh::limits
