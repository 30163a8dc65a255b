#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "actors/ports.hpp"
#include "messages/signing.hpp"
#include "runtime/audit/audit_event.hpp"

/// The bytes of an audit trail: records that are chained by their hashes, the signed header of each segment, and the
/// signed head. Pure. `runtime/audit/README.md` describes the layout and lists the changes that verification detects.
namespace hypermesh::audit {

/// Identifies the replica that writes a trail. Every signature of the trail covers this value.
struct trail_owner {
  signing_context context;
  replica_id self;

  friend bool operator==(const trail_owner&, const trail_owner&) = default;
};

/// The end of a chain. The next entry gets the index `next_index`, and its hash covers `hash`.
struct chain_position {
  std::uint64_t next_index = 0;
  digest hash;

  friend bool operator==(const chain_position&, const chain_position&) = default;
};

/// The position before the first entry of the first segment. Each owner has a different start.
[[nodiscard]] chain_position chain_start(const trail_owner& owner);

// --- Records -----------------------------------------------------------------

/// The layout is: length, 4 ‖ index, 8 ‖ time, 8 ‖ kind, 1 ‖ payload ‖ hash, 32. The length counts the bytes after
/// itself.
inline constexpr std::size_t record_prefix_bytes = 4;
inline constexpr std::size_t record_fixed_bytes = 8 + 8 + 1 + digest::size;
inline constexpr std::size_t record_bytes_max = record_prefix_bytes + record_fixed_bytes + audit_payload_bytes_max;
[[nodiscard]] constexpr std::size_t record_bytes_of(std::size_t payload_bytes) {
  return record_prefix_bytes + record_fixed_bytes + payload_bytes;
}

/// An entry of a segment. `payload` points into the bytes that were read.
struct audit_entry {
  std::uint64_t index = 0;
  /// Microseconds since 1970 on the wall clock of the node. No other member confirms it.
  std::uint64_t time_us = 0;
  audit_kind kind = audit_kind::started;
  byte_span payload;
  /// The hash covers all fields above and the hash of the previous entry.
  digest hash;
};

/// Appends the record of the next entry to `out` and moves `at` past it.
void append_record(byte_vector& out, chain_position& at, std::uint64_t time_us, audit_kind kind, byte_span payload);

/// The possible faults of a record.
enum class record_fault {
  none,
  /// The bytes end before the end of the record.
  unfinished,
  /// No record can have this length.
  impossible_length,
  /// The record is complete, but its length field was changed after it was written.
  wrong_length,
  /// The record has another index than expected, because an entry was removed, inserted or moved.
  wrong_index,
  /// The hash does not match, so the bytes were changed after they were chained.
  wrong_hash,
};

struct record_reading {
  record_fault fault = record_fault::none;
  audit_entry entry;
  /// The size of the whole record, in bytes.
  std::size_t bytes = 0;
};

/// Reads the first record of `bytes`, which is not empty, and compares it with the position where it must be.
[[nodiscard]] record_reading read_record(byte_span bytes, const chain_position& at);

// --- Seals -------------------------------------------------------------------

/// The payload of a seal that becomes the entry after `at`, written at `time_us`.
[[nodiscard]] byte_vector make_seal(const trail_owner& owner, const authenticator& keys, const chain_position& at,
                                    std::uint64_t time_us, sequence_number checkpoint);
/// Whether `owner` signed the seal that follows `before`.
[[nodiscard]] bool verify_seal(const trail_owner& owner, const authenticator& keys, const chain_position& before,
                               std::uint64_t time_us, const trail_seal& seal);

// --- Segments ----------------------------------------------------------------

/// The first bytes of a segment. If older segments were deleted, the header proves where the remaining chain begins.
struct segment_header {
  trail_owner owner;
  /// Segments are numbered from 1.
  std::uint64_t segment = 1;
  /// The position after the last entry of the previous segment.
  chain_position start;
};

inline constexpr std::size_t segment_header_bytes =
    8 + cluster_id::size + 4 + 4 + 8 + 8 + digest::size + signature::size;

[[nodiscard]] std::array<std::byte, segment_header_bytes> encode_header(const segment_header& header,
                                                                        const authenticator& keys);
/// Returns the header, or a text that says what is wrong with its form. Does not verify the owner's signature.
[[nodiscard]] or_reason<segment_header> decode_header(byte_span bytes);
/// Whether the owner that the header names has signed the header. `bytes` are the bytes that were decoded.
[[nodiscard]] bool is_genuine_header(byte_span bytes, const segment_header& header, const authenticator& keys);

// --- The head ----------------------------------------------------------------

/// Says how far the trail reaches, in a file beside the trail. Without the head, a trail that was cut off at the end of
/// a record would look complete. The head has two sectors, which are written alternately.
struct trail_head {
  /// Counts the writes of the head. Its lowest bit selects the sector.
  std::uint64_t turn = 0;
  /// The number of the oldest segment that was not deleted.
  std::uint64_t first_segment = 1;
  /// The segment that holds the last seal, and the position after that seal.
  std::uint64_t segment = 1;
  chain_position sealed;
  /// The last run stopped cleanly, so no entry may follow the last seal.
  bool closed = false;
};

/// The smallest unit that a disk writes atomically.
inline constexpr std::size_t head_sector_bytes = 512;
inline constexpr std::size_t head_bytes = 2 * head_sector_bytes;

[[nodiscard]] std::array<std::byte, head_sector_bytes> encode_head(const trail_head& head, const trail_owner& owner,
                                                                   const authenticator& keys);
/// Returns nothing unless the sector is exactly what the owner wrote.
[[nodiscard]] std::optional<trail_head> decode_head(byte_span sector, const trail_owner& owner,
                                                    const authenticator& keys);

}  // namespace hypermesh::audit
