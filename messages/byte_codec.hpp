#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "messages/types.hpp"

namespace hypermesh::messages {

/// Appends numbers in little-endian order and bytes unchanged. Operations, results, state chunks and the files of a
/// node are written with this class, so their bytes are the same on every machine and compiler.
class byte_writer {
 public:
  byte_writer() = default;
  explicit byte_writer(std::size_t expected_bytes) : out_(expected_bytes) {}

  template <std::unsigned_integral Number>
  byte_writer& number(Number value) {
    auto* place = extend(sizeof(Number));
    for (std::size_t index = 0; index < sizeof(Number); ++index) {
      place[index] = static_cast<std::byte>((static_cast<std::uint64_t>(value) >> (8 * index)) & 0xffU);
    }
    return *this;
  }

  byte_writer& bytes(byte_span value) {
    auto* place = extend(value.size());
    std::copy(value.begin(), value.end(), place);
    return *this;
  }

  /// Appends one octet with the length, then the text. The caller keeps texts below 256 bytes; a longer text is
  /// truncated.
  byte_writer& short_text(std::string_view text) {
    const auto kept = text.substr(0, 255);
    return number(static_cast<std::uint8_t>(kept.size())).bytes(as_byte_span(kept));
  }

  [[nodiscard]] std::size_t size() const { return written_; }
  /// The written bytes, until the next change.
  [[nodiscard]] byte_span view() const { return byte_span{out_}.first(written_); }
  /// The written bytes. The writer is empty after the call.
  [[nodiscard]] byte_vector take() {
    out_.resize(std::exchange(written_, 0));
    return std::exchange(out_, {});
  }

 private:
  /// Room for `count` more octets. The vector is kept longer than what is written, because growing it for each number
  /// took a tenth of the scheduler's time.
  std::byte* extend(std::size_t count) {
    const auto start = written_;
    written_ += count;
    if (written_ > out_.size()) out_.resize(std::max(written_, 2 * out_.size()));
    return out_.data() + start;
  }

  byte_vector out_;
  std::size_t written_ = 0;
};

/// Reads the format of `byte_writer` from untrusted bytes. After the first read beyond the
/// end every read returns zero or nothing, and `is_complete` is false. A caller can therefore
/// read all fields and check only once, at the end.
class byte_reader {
 public:
  explicit byte_reader(byte_span source) : left_(source) {}

  template <std::unsigned_integral Number>
  [[nodiscard]] Number number() {
    const auto raw = bytes(sizeof(Number));
    std::uint64_t value = 0;
    for (std::size_t index = 0; index < raw.size(); ++index) {
      value |= std::to_integer<std::uint64_t>(raw[index]) << (8 * index);
    }
    return static_cast<Number>(value);
  }

  [[nodiscard]] byte_span bytes(std::size_t count) {
    if (count > left_.size()) {
      fail();
      return {};
    }
    const auto taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }

  [[nodiscard]] std::string short_text() {
    const auto length = number<std::uint8_t>();
    return std::string{as_text(bytes(length))};
  }

  [[nodiscard]] byte_span rest() { return bytes(left_.size()); }

  /// The caller has read a field with an impossible value. Later reads return zero or nothing.
  void fail() {
    failed_ = true;
    left_ = {};
  }

  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool is_empty() const { return left_.empty(); }
  /// Whether all reads were within the bytes and no bytes are left.
  [[nodiscard]] bool is_complete() const { return !failed_ && left_.empty(); }

 private:
  byte_span left_;
  bool failed_ = false;
};

}  // namespace hypermesh::messages
