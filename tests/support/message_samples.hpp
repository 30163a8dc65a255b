#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "messages/codec.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

/// Well-formed values of every message kind, made from a seed, and helpers about messages that the tests of several
/// folders share. Pure: equal seeds give equal bytes on every machine. Signatures are random bytes, so a test that
/// needs genuine signatures signs the values itself.
namespace hypermesh::testing {

/// A seeded stream of numbers and bytes. Not for secrets.
class sample_source {
 public:
  explicit sample_source(std::uint64_t seed) : numbers_(seed) {}

  [[nodiscard]] std::uint64_t number() { return numbers_.next(); }
  /// A number from 0 to bound - 1; `bound` must not be 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return numbers_.below(bound); }
  [[nodiscard]] byte_vector bytes(std::size_t count);

  /// A digest, signature or other value of random bytes.
  template <class Fixed>
  [[nodiscard]] Fixed fixed() {
    Fixed value;
    for (auto& byte : value.bytes)
      byte = static_cast<std::byte>(number());
    return value;
  }

 private:
  splitmix64 numbers_;
};

/// The size of a sample. `smallest` leaves every optional list empty. `usual` is like the messages of a cluster of
/// four. `large` has several KiB.
enum class sample_size : std::uint8_t { smallest, usual, large };

inline constexpr std::array sample_sizes = {sample_size::smallest, sample_size::usual, sample_size::large};

/// All kinds of messages in the order of their numbers.
[[nodiscard]] std::vector<message_kind> all_kinds();

/// A value of `kind` with random content within all limits.
[[nodiscard]] message sample_of(message_kind kind, sample_size size, std::uint64_t seed);

/// The statement of a sample vote. All numbers are in range, and all other content is random.
[[nodiscard]] signed_statement sample_statement(sample_source& source);

/// A system request with this name, whose evidence proves nothing. Another `content` gives other evidence.
[[nodiscard]] system_request make_system_request(case_name name, std::uint64_t content = 1, std::size_t items = 1);

/// A request as its client would send it, with `by` as its signature. The function does not use the decoder.
[[nodiscard]] request make_request(request_id id, const std::vector<byte_vector>& operations, const signature& by);

/// Encodes any message.
[[nodiscard]] frame_ptr frame_of(const message& value);

/// The frame `buffer ‖ kind` of a buffer that a test made itself.
[[nodiscard]] frame_ptr framed(byte_span buffer, message_kind kind);

/// The frame `buffer ‖ signature of zeros ‖ kind`.
[[nodiscard]] frame_ptr framed_with_signature(byte_span buffer, message_kind kind);

}  // namespace hypermesh::testing
