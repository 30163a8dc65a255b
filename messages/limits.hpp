#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include <hypermesh/types.hpp>

/// A bound on everything that a peer, a client or an operator can make large. Each bound has
/// a comment with its derivation. All bounds on messages are in this file, except those that hosts have to keep
/// (`hypermesh/types.hpp`).
namespace hypermesh::limits {

/// PBFT needs n > 3f; f = 1 is the smallest group that tolerates a fault.
inline constexpr std::uint32_t replicas_min = 4;
/// Every replica sends PREPARE and COMMIT to all others: 2n² messages for each batch, which are 20,000 with 100
/// replicas. Two cores check 25,000 signatures in a second, at 80 µs each.
inline constexpr std::uint32_t replicas_max = 100;
/// The number of clients is bounded because each session of a client may keep `requests_in_flight_max` results in the
/// replicated state.
inline constexpr std::uint32_t clients_max = 65'536;

/// Operations under one client signature. With 1,024 operations, the signature check of 80 µs costs 0.1 µs for each.
inline constexpr std::size_t operations_per_request_max = 1'024;
/// Bytes of all operations of one REQUEST together: four operations of the largest size.
inline constexpr std::size_t request_bytes_max = 4 * operation_bytes_max;

/// Requests of one batch. At 80 µs for a signature check, 1,024 requests keep a backup busy for 82 ms.
inline constexpr std::size_t requests_per_batch_max = 1'024;
/// Requests in one VOUCH: as many as one batch has. A VOUCH has 52 bytes for each.
inline constexpr std::size_t vouched_requests_max = requests_per_batch_max;
/// Bytes of one batch. A batch must have room for the largest request; twice that size keeps batches efficient.
inline constexpr std::size_t batch_bytes_max = 2 * request_bytes_max + 16 * 1024;

/// The latest time of a batch, in milliseconds since the Unix epoch: the last one of the year 9999. So the sum of a
/// time and a bound on clocks cannot overflow, and other programs can print it.
inline constexpr std::uint64_t proposed_time_ms_max = 253'402'300'799'999;

/// The largest bound on the difference of clocks that a genesis may set. A faulty primary may shift the ordered time by
/// this bound, and an hour is more than any synchronised clock needs.
inline constexpr std::chrono::hours clock_skew_max{1};

/// Bytes of all results of one request. The bound makes a reply fit a frame.
inline constexpr std::size_t reply_bytes_max = 1024 * 1024;

/// Requests that one session of a client may have outstanding. The client table caches as many results for each
/// session.
inline constexpr std::size_t requests_in_flight_max = 256;
/// Pending requests of all sessions of one client at a replica: enough for four processes that use their full share.
inline constexpr std::size_t requests_pending_per_client_max = 4 * requests_in_flight_max;
/// Sessions of one client that are open at once: those of its processes, and those of processes that ended without
/// notice.
inline constexpr std::size_t sessions_per_client_max = 64;
/// Ended sessions of one client that are remembered. Older ones are refused by their number alone.
inline constexpr std::size_t ended_sessions_max = 256;

/// Chunks of one snapshot: 2²⁰ chunks of 256 KiB are 256 GiB of state.
inline constexpr std::uint64_t state_chunks_max = 1ULL << 20U;
/// Digests on the path from a leaf to the root, in a tree of `state_chunks_max` leaves.
inline constexpr std::size_t merkle_path_max = 20;
/// Leaves in one STATE-CHUNK, a power of two: 32 KiB of digests, which cost a donor no more than a chunk.
inline constexpr std::size_t state_page_leaves = 1'024;
/// Pages of the leaves of one snapshot.
inline constexpr std::uint64_t state_pages_max = state_chunks_max / state_page_leaves;
/// Digests on the path from a page to the root, in a tree of `state_chunks_max` leaves.
inline constexpr std::size_t page_path_max = 10;

/// Digests on each of the two paths of a receipt: from an operation to its request, and from a request to its batch.
inline constexpr std::size_t receipt_path_max = 10;

/// L, the width of the watermark window. STATUS carries one octet for each sequence in it.
inline constexpr std::uint32_t watermark_window_max = 4'096;

/// Bytes around a body: root, tables, vtables, signature and kind. The largest measured value is below 512.
inline constexpr std::size_t envelope_bytes_max = 1'024;
/// Bytes of a VIEW-CHANGE. It has one prepared certificate for each of L sequences, and a certificate is a quorum of
/// signed statements of 120 bytes. `watermark_window_max_of` limits L by n so that a VIEW-CHANGE of a full window fits.
inline constexpr std::size_t view_change_bytes_max = 4 * 1024 * 1024;
/// Bytes of a NEW-VIEW, which is a quorum of VIEW-CHANGEs. The limit leaves room below 16 MiB, the longest frame that a
/// link can carry.
inline constexpr std::size_t new_view_bytes_max = 12 * 1024 * 1024;

/// The longest frame that any principal may send; the length field of a link has 24 bits.
inline constexpr std::size_t frame_bytes_max = new_view_bytes_max + envelope_bytes_max;
/// The longest frame that a client may send: one request and the ends of its operations.
inline constexpr std::size_t client_frame_bytes_max =
    request_bytes_max + 4 * operations_per_request_max + envelope_bytes_max;

/// Sequence numbers and views never reach these bounds: at a million a second, 2⁶² numbers last 146,000 years. So
/// adding to them cannot overflow.
inline constexpr std::uint64_t sequence_max = 1ULL << 62U;
inline constexpr std::uint64_t view_max = 1ULL << 62U;

/// Bytes of one signed document in evidence. Two conflicting documents fit a request.
inline constexpr std::size_t evidence_item_bytes_max = request_bytes_max / 2 - envelope_bytes_max;
/// Signed statements in evidence. Two conflicting statements convict; a group request has a weak quorum of statements.
inline constexpr std::size_t evidence_max = replicas_max;
inline constexpr std::size_t evidence_item_documents_max = 2;

/// Bytes of a VIEW-CHANGE or NEW-VIEW that proves a misbehaviour without a second document. All signatures in it are
/// checked. A document of 128 KiB has at most 1,092 signed statements of 120 bytes, and a batch has at most 8 cases. So
/// one batch costs at most 8,736 signature checks, 8.5 times those of a batch of 1,024 requests.
inline constexpr std::size_t lone_evidence_item_bytes_max = 128 * 1024;
inline constexpr std::size_t system_requests_per_batch_max = 8;
/// Bytes of all system requests of a batch: one system request of the largest size. The bound is smaller than that of
/// the batch, because decoded evidence takes up to five times its bytes in memory, and a whole window of batches may be
/// in memory (attack 33).
inline constexpr std::size_t system_request_bytes_per_batch_max = request_bytes_max + envelope_bytes_max;
static_assert(system_request_bytes_per_batch_max <= batch_bytes_max);

/// The number of counters in one NODE-REPORT, and the length of their names in bytes.
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
static_assert((1ULL << receipt_path_max) >= operations_per_request_max);
static_assert((1ULL << receipt_path_max) >= requests_per_batch_max);
static_assert(32 * (state_page_leaves + page_path_max) <= state_chunk_bytes_max, "a page fits the frame of a chunk");

}  // namespace hypermesh::limits
