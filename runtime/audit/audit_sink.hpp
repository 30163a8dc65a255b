#pragma once

#include <cstdint>
#include <optional>

#include "actors/ports.hpp"

namespace hypermesh {

/// Where an audit trail's bytes go. One writer, the `audit_trail`. Every function may fail; the writer then goes on as
/// if nothing of the call had happened, and undoes with `cut_back` what may have.
class audit_sink {
 public:
  virtual ~audit_sink() = default;

  /// Begins segment `number` with its header; durable, as a whole or not at all. It is the newest from now on. One of
  /// that number is replaced: it had no entries.
  [[nodiscard]] virtual std::optional<world_error> begin_segment(std::uint64_t number, byte_span header) = 0;

  /// Appends to the newest segment; not durable before `sync`. After an error a part of the bytes may be there.
  [[nodiscard]] virtual std::optional<world_error> append(byte_span bytes) = 0;

  /// Cuts the newest segment back to its first `size` bytes.
  [[nodiscard]] virtual std::optional<world_error> cut_back(std::uint64_t size) = 0;

  /// Makes the newest segment durable.
  [[nodiscard]] virtual std::optional<world_error> sync() = 0;

  /// Writes sector 0 or 1 of the head, durably when `durable`.
  [[nodiscard]] virtual std::optional<world_error> write_head(std::uint64_t sector, byte_span content,
                                                              bool durable) = 0;

  /// Removes a segment, the oldest.
  [[nodiscard]] virtual std::optional<world_error> remove_segment(std::uint64_t number) = 0;
};

}  // namespace hypermesh
