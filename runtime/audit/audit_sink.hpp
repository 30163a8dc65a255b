#pragma once

#include <cstdint>

#include "actors/ports.hpp"

namespace hypermesh::audit {

/// The port through which an audit trail writes its bytes. The `audit_trail` is its only user. Every function may fail.
/// After a failure the writer continues as if it had not called the function, and uses `cut_back` to undo possible
/// effects.
class audit_sink {
 public:
  virtual ~audit_sink() = default;

  /// Creates segment `number` with its header, durably and atomically, and makes it the newest segment. An existing
  /// file with that number is replaced, because such a file cannot contain an entry.
  [[nodiscard]] virtual or_error<void> begin_segment(std::uint64_t number, byte_span header) = 0;

  /// Appends to the newest segment. The bytes are durable only after `sync`. After an error, some of the bytes may have
  /// been written.
  [[nodiscard]] virtual or_error<void> append(byte_span bytes) = 0;

  /// Truncates the newest segment to its first `size` bytes.
  [[nodiscard]] virtual or_error<void> cut_back(std::uint64_t size) = 0;

  /// Makes the newest segment durable.
  [[nodiscard]] virtual or_error<void> sync() = 0;

  /// Writes sector 0 or 1 of the head. If `durable` is set, the sector is durable when the function returns.
  [[nodiscard]] virtual or_error<void> write_head(std::uint64_t sector, byte_span content, bool durable) = 0;

  /// Removes the oldest segment.
  [[nodiscard]] virtual or_error<void> remove_segment(std::uint64_t number) = 0;
};

}  // namespace hypermesh::audit
