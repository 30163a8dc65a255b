#pragma once

#include <cstdint>

#include "actors/ports.hpp"

namespace hypermesh {

/// The port through which an audit trail writes its bytes. It has one writer, the `audit_trail`. Every function may
/// fail. The writer then continues as if the call had not happened, and uses `cut_back` to undo its possible effects.
class audit_sink {
 public:
  virtual ~audit_sink() = default;

  /// Creates segment `number` with its header, durably and atomically. From now on it is the newest segment. An
  /// existing file of that number is replaced, because it cannot hold an entry.
  [[nodiscard]] virtual or_error<void> begin_segment(std::uint64_t number, byte_span header) = 0;

  /// Appends to the newest segment; not durable before `sync`. After an error a part of the bytes may have been
  /// written.
  [[nodiscard]] virtual or_error<void> append(byte_span bytes) = 0;

  /// Truncates the newest segment to its first `size` bytes.
  [[nodiscard]] virtual or_error<void> cut_back(std::uint64_t size) = 0;

  /// Makes the newest segment durable.
  [[nodiscard]] virtual or_error<void> sync() = 0;

  /// Writes sector 0 or 1 of the head; durable on return if `durable` is set.
  [[nodiscard]] virtual or_error<void> write_head(std::uint64_t sector, byte_span content, bool durable) = 0;

  /// Removes the oldest segment.
  [[nodiscard]] virtual or_error<void> remove_segment(std::uint64_t number) = 0;
};

}  // namespace hypermesh
