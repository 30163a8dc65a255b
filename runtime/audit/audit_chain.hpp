#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "actors/ports.hpp"
#include "messages/signing.hpp"
#include "runtime/audit/audit_event.hpp"

/// The bytes of an audit trail: records that are chained by their hashes, the signed header of each segment, and the
/// signed head. Pure. `runtime/audit/README.md` has the layout and what it protects against.
namespace hypermesh {

/// Whose trail it is. Part of everything that is signed in it.
struct trail_owner {
  signing_context context;
  replica_id self;

  friend bool operator==(const trail_owner&, const trail_owner&) = default;
};

/// Where a chain stands: the next entry has this index and is hashed onto this hash.
struct chain_position {
  std::uint64_t next_index = 0;
  digest hash;

  friend bool operator==(const chain_position&, const chain_position&) = default;
};

/// Before the first entry of the first segment; differs for each owner.
[[nodiscard]] chain_position chain_start(const trail_owner& owner);

// --- Records -----------------------------------------------------------------

/// length, 4 ‖ index, 8 ‖ time, 8 ‖ kind, 1 ‖ payload ‖ hash, 32. The length counts what follows it.
inline constexpr std::size_t record_prefix_bytes = 4;
inline constexpr std::size_t record_fixed_bytes = 8 + 8 + 1 + digest::size;
inline constexpr std::size_t record_bytes_max = record_prefix_bytes + record_fixed_bytes + audit_payload_bytes_max;
[[nodiscard]] constexpr std::size_t record_bytes_of(std::size_t payload_bytes) {
  return record_prefix_bytes + record_fixed_bytes + payload_bytes;
}

/// An entry as it stands in a segment. `payload` points into the bytes that were read.
struct audit_entry {
  std::uint64_t index = 0;
  /// Microseconds since 1970 by the node's clock. Nobody vouches for it.
  std::uint64_t time_us = 0;
  audit_kind kind = audit_kind::started;
  byte_span payload;
  /// Over all of the above and the hash before.
  digest hash;
};

/// Appends the record of the next entry to `out` and moves `at` behind it.
void append_record(byte_vector& out, chain_position& at, std::uint64_t time_us, audit_kind kind, byte_span payload);

/// What is wrong with a record.
enum class record_fault {
  none,
  /// The bytes end before the record does.
  unfinished,
  /// No record is so short or so long.
  impossible_length,
  /// The record is whole, but its length is not the one it was written with.
  wrong_length,
  /// The record of another place: something was cut out, put in, or moved.
  wrong_index,
  /// Not the bytes that were chained.
  wrong_hash,
};

struct record_reading {
  record_fault fault = record_fault::none;
  audit_entry entry;
  /// Of the whole record.
  std::size_t bytes = 0;
};

/// The first record of `bytes`, which is not empty, compared with the place where it must stand.
[[nodiscard]] record_reading read_record(byte_span bytes, const chain_position& at);

// --- Seals -------------------------------------------------------------------

/// The payload of the seal that stands next, at this time.
[[nodiscard]] byte_vector make_seal(const trail_owner& owner, const authenticator& keys, const chain_position& at,
                                    std::uint64_t time_us, sequence_number checkpoint);
/// Whether `owner` signed the seal that stands at `before`.
[[nodiscard]] bool verify_seal(const trail_owner& owner, const authenticator& keys, const chain_position& before,
                               std::uint64_t time_us, const trail_seal& seal);

// --- Segments ----------------------------------------------------------------

/// The first bytes of a segment: they anchor what remains when the segments before it are gone.
struct segment_header {
  trail_owner owner;
  /// From 1.
  std::uint64_t segment = 1;
  /// After the last entry of the segment before.
  chain_position start;
};

inline constexpr std::size_t segment_header_bytes =
    8 + cluster_id::size + 4 + 4 + 8 + 8 + digest::size + signature::size;

[[nodiscard]] std::array<std::byte, segment_header_bytes> encode_header(const segment_header& header,
                                                                        const authenticator& keys);
/// The header, or what is wrong with its form. Whether its owner signed it is another question.
[[nodiscard]] std::variant<segment_header, std::string> decode_header(byte_span bytes);
/// Whether the owner that the header names signed it. `bytes` are those that were decoded.
[[nodiscard]] bool is_genuine_header(byte_span bytes, const segment_header& header, const authenticator& keys);

// --- The head ----------------------------------------------------------------

/// How far the trail reaches, beside the trail: without it a tail that was cut off at the end of a record would not be
/// missed. Two sectors are written in turn.
struct trail_head {
  /// Number of the writing; its lowest bit is the sector.
  std::uint64_t turn = 0;
  /// The oldest segment that is kept.
  std::uint64_t first_segment = 1;
  /// Through the last seal, and in which segment that stands.
  std::uint64_t segment = 1;
  chain_position sealed;
  /// The last run ended in order: nothing follows.
  bool closed = false;
};

/// The smallest unit that disks write as a whole.
inline constexpr std::size_t head_sector_bytes = 512;
inline constexpr std::size_t head_bytes = 2 * head_sector_bytes;

[[nodiscard]] std::array<std::byte, head_sector_bytes> encode_head(const trail_head& head, const trail_owner& owner,
                                                                   const authenticator& keys);
/// Nothing when the sector is not exactly what the owner wrote.
[[nodiscard]] std::optional<trail_head> decode_head(byte_span sector, const trail_owner& owner,
                                                    const authenticator& keys);

}  // namespace hypermesh
