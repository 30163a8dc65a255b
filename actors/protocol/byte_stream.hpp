#pragma once

#include <cstdint>

#include "messages/types.hpp"

namespace hypermesh {

/// Appends numbers as little-endian bytes of fixed width. Pure; for checkpointed state, which must
/// be equal on every machine and compiler.
class byte_writer {
 public:
  void number(std::uint64_t value, unsigned width) {
    for (unsigned index = 0; index < width; ++index) {
      out_.push_back(static_cast<std::byte>((value >> (8 * index)) & 0xffU));
    }
  }
  void u8(std::uint8_t value) { number(value, 1); }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void bytes(byte_span value) { out_.insert(out_.end(), value.begin(), value.end()); }

  [[nodiscard]] byte_vector take() { return std::move(out_); }

 private:
  byte_vector out_;
};

/// Reads what `byte_writer` wrote. Past the end it yields zeros and `ok()` turns false.
class byte_reader {
 public:
  explicit byte_reader(byte_span bytes) : rest_(bytes) {}

  std::uint64_t number(unsigned width) {
    const auto taken = bytes(width);
    std::uint64_t value = 0;
    for (std::size_t index = taken.size(); index > 0; --index) {
      value = (value << 8U) | std::to_integer<std::uint64_t>(taken[index - 1]);
    }
    return value;
  }
  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }

  byte_span bytes(std::size_t count) {
    if (count > rest_.size()) {
      ok_ = false;
      rest_ = {};
      return {};
    }
    const auto taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return ok_ && rest_.empty(); }
  [[nodiscard]] std::size_t remaining() const { return rest_.size(); }

 private:
  byte_span rest_;
  bool ok_ = true;
};

}  // namespace hypermesh
