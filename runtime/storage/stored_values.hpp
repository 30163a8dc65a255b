#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"

/// The encoding of records, the kept state and the totals in the database. Pure. Each value carries a checksum from the
/// moment it is made, so that damage by memory, file system or database is found. The checksum of a record also covers
/// its key.
namespace hypermesh::storage::stored_values {

/// SipHash-2-4 under a fixed key. It protects against accidents only, because anybody who can write the files can also
/// compute the checksum.
[[nodiscard]] std::uint64_t checksum_of(byte_span bytes);

/// A stored record without its bytes.
struct record_head {
  record_kind kind = record_kind::pre_prepare;
  view_number view;
  sequence_number sequence;
  /// The number of the record in this directory, in the order of writing.
  std::uint64_t order = 0;
  /// The checksum over the fields above and the record's bytes.
  std::uint64_t check = 0;
};

/// The size of kind, view, sequence, order and check.
inline constexpr std::size_t head_bytes = 1 + 4 * 8;
using encoded_head = std::array<std::byte, head_bytes>;

/// Makes the head of `record`, with its checksum.
[[nodiscard]] record_head head_of(const storage_record& record, std::uint64_t order);

[[nodiscard]] encoded_head encode(const record_head& head);

/// A stored record. `decode_record` returns nothing when a field or the checksum is wrong.
struct decoded_record {
  record_head head;
  storage_record record;
};
[[nodiscard]] std::optional<decoded_record> decode_record(byte_span value);

/// The order as a big-endian number, so that the keys sort in the order of writing.
using record_key = std::array<std::byte, 8>;
[[nodiscard]] record_key key_of(std::uint64_t order);

/// The kept state: the leaves of its chunks in their order.
struct state_manifest {
  sequence_number sequence;
  std::vector<digest> leaves;
  std::uint64_t check = 0;
};

/// The encoded manifest and the checksum at its end.
struct encoded_manifest {
  byte_vector bytes;
  std::uint64_t check = 0;
};
[[nodiscard]] encoded_manifest encode_manifest(sequence_number sequence, std::span<const digest> leaves);
[[nodiscard]] std::optional<state_manifest> decode_manifest(byte_span value);

/// Describes the records that were forgotten. A forgotten record leaves the disk only when all records that were
/// written before it may leave too.
struct forgotten_records {
  /// Records of sequences up to this sequence are forgotten …
  sequence_number through;
  /// … if their order is below this order. A record that was written later for such a sequence is kept.
  std::uint64_t before_order = 0;

  [[nodiscard]] bool covers(const record_head& head) const {
    return head.sequence <= through && head.order < before_order;
  }

  friend bool operator==(const forgotten_records&, const forgotten_records&) = default;
};

/// The totals of the database's content. They are written with every change in the same atomic batch, and compared when
/// the database is read. If a record vanished or reappeared, count and sum differ.
struct storage_totals {
  /// The random number of the database. All files that belong together contain the same number.
  std::uint64_t origin = 0;
  /// The number of changes so far: writes, calls of `forget_through` and kept states.
  std::uint64_t changes = 0;
  /// The order of the next record.
  std::uint64_t next_order = 0;
  /// The number of records and kept states that the database holds.
  std::uint64_t items = 0;
  /// The sum of their checksums modulo 2⁶⁴. The sum does not depend on the order of the records.
  std::uint64_t sum = 0;
  forgotten_records forgotten;

  friend bool operator==(const storage_totals&, const storage_totals&) = default;
};

[[nodiscard]] byte_vector encode(const storage_totals& totals);
[[nodiscard]] std::optional<storage_totals> decode_totals(byte_span value);

}  // namespace hypermesh::storage::stored_values
