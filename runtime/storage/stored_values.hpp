#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "actors/ports.hpp"

/// How records, the kept state and the totals stand in the database. Pure. Each value carries a checksum from the
/// moment it is made, over its key too: what memory, file system or database did to it on the way shows.
namespace hypermesh::stored_values {

/// SipHash-2-4 under a fixed key. Against accidents only: who can write the files can also compute it.
[[nodiscard]] std::uint64_t checksum_of(byte_span bytes);

/// A record without its bytes.
struct record_head {
  record_kind kind = record_kind::pre_prepare;
  view_number view;
  sequence_number sequence;
  /// Running number of the record in this directory: the order of writing.
  std::uint64_t order = 0;
  /// Over the fields above and the record's bytes.
  std::uint64_t check = 0;
};

/// Kind, view, sequence, order, check.
inline constexpr std::size_t head_bytes = 1 + 4 * 8;
using encoded_head = std::array<std::byte, head_bytes>;

/// The head of `record`, with its checksum.
[[nodiscard]] record_head head_of(const storage_record& record, std::uint64_t order);

[[nodiscard]] encoded_head encode(const record_head& head);

/// A stored record; nothing when it is not what `encode` and the record's bytes make.
struct decoded_record {
  record_head head;
  storage_record record;
};
[[nodiscard]] std::optional<decoded_record> decode_record(byte_span value);

/// The order in big-endian order: the keys stand as the records were written.
using record_key = std::array<std::byte, 8>;
[[nodiscard]] record_key key_of(std::uint64_t order);

/// The kept state: its chunks by their leaves, in their order.
struct state_manifest {
  sequence_number sequence;
  std::vector<digest> leaves;
  std::uint64_t check = 0;
};

/// The encoded manifest and the checksum that it ends with.
struct encoded_manifest {
  byte_vector bytes;
  std::uint64_t check = 0;
};
[[nodiscard]] encoded_manifest encode_manifest(sequence_number sequence, std::span<const digest> leaves);
[[nodiscard]] std::optional<state_manifest> decode_manifest(byte_span value);

/// What was forgotten. A record that is forgotten goes from the disk only when all that was written before it may go.
struct forgotten_records {
  /// Of sequences up to this one …
  sequence_number through;
  /// … those with an order below this one. What was written later for such a sequence counts.
  std::uint64_t before_order = 0;

  [[nodiscard]] bool covers(const record_head& head) const {
    return head.sequence <= through && head.order < before_order;
  }

  friend bool operator==(const forgotten_records&, const forgotten_records&) = default;
};

/// What the database must hold: written with every change, in the same atomic batch, and compared when it is read.
/// A record that vanished or came back from the dead changes count and sum.
struct storage_totals {
  /// Random number of the database: what belongs together carries the same.
  std::uint64_t origin = 0;
  /// Changes so far: writes, forgettings and kept states.
  std::uint64_t changes = 0;
  /// Order of the next record.
  std::uint64_t next_order = 0;
  /// Records and kept states that are held.
  std::uint64_t items = 0;
  /// Sum of their checksums modulo 2⁶⁴, which does not depend on their order.
  std::uint64_t sum = 0;
  forgotten_records forgotten;

  friend bool operator==(const storage_totals&, const storage_totals&) = default;
};

[[nodiscard]] byte_vector encode(const storage_totals& totals);
[[nodiscard]] std::optional<storage_totals> decode_totals(byte_span value);

}  // namespace hypermesh::stored_values
