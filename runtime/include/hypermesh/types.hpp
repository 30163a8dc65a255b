#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The numbers, names and bytes that hosts and the product share.
namespace hypermesh {

/// A number with a type of its own, so that code which passes a view as a sequence number
/// does not compile. `Tag` is an empty struct that names the kind.
template <class Tag, class Representation>
struct strong_number {
  using representation = Representation;

  Representation value = 0;

  constexpr strong_number() = default;
  constexpr explicit strong_number(Representation initial) : value(initial) {}

  friend constexpr auto operator<=>(strong_number, strong_number) = default;

  /// The next number. The caller makes sure that it does not overflow: see `limits::sequence_max`.
  [[nodiscard]] constexpr strong_number next() const { return strong_number{static_cast<Representation>(value + 1)}; }

  [[nodiscard]] constexpr strong_number plus(Representation amount) const {
    return strong_number{static_cast<Representation>(value + amount)};
  }
};

/// v of the paper. The primary of v is the replica v mod n.
using view_number = strong_number<struct view_number_tag, std::uint64_t>;
/// n of the paper: the place of a batch in the total order. The first is 1.
using sequence_number = strong_number<struct sequence_number_tag, std::uint64_t>;
/// i of the paper: 0 … n-1.
using replica_id = strong_number<struct replica_id_tag, std::uint32_t>;
/// c of the paper: the number of a client in the genesis file.
using client_id = strong_number<struct client_id_tag, std::uint32_t>;
/// One run of one process of a client. Timestamps count inside a session; a client may have several sessions at once.
using session_id = strong_number<struct session_id_tag, std::uint64_t>;
/// t of the paper: the number of a request in its session. A session never uses a timestamp twice.
using timestamp = strong_number<struct timestamp_tag, std::uint64_t>;

using byte_span = std::span<const std::byte>;
using byte_vector = std::vector<std::byte>;

/// `Size` raw bytes of one meaning, ordered and comparable.
template <class Tag, std::size_t Size>
struct fixed_bytes {
  static constexpr std::size_t size = Size;

  std::array<std::byte, Size> bytes{};

  friend constexpr auto operator<=>(const fixed_bytes&, const fixed_bytes&) = default;

  [[nodiscard]] byte_span view() const { return byte_span{bytes}; }
};

/// BLAKE2b-256 value: D(m) of the paper.
using digest = fixed_bytes<struct digest_tag, 32>;

/// The kinds of member that own links and sign messages.
enum class principal_kind : std::uint8_t { replica = 0, client = 1 };
inline constexpr auto principal_kind_last = principal_kind::client;

/// A member of the cluster: a replica or a client. A principal is also the address of a link.
struct principal {
  principal_kind kind = principal_kind::replica;
  std::uint32_t number = 0;

  static constexpr principal of(replica_id id) { return {principal_kind::replica, id.value}; }
  static constexpr principal of(client_id id) { return {principal_kind::client, id.value}; }

  [[nodiscard]] constexpr bool is_replica() const { return kind == principal_kind::replica; }
  [[nodiscard]] constexpr bool is_client() const { return kind == principal_kind::client; }

  friend constexpr auto operator<=>(principal, principal) = default;
};

/// The name of the principal, for example "replica-3" or "client-0".
[[nodiscard]] std::string to_string(principal who);

/// Lower-case hexadecimal of all bytes, or of the first `count`.
[[nodiscard]] std::string to_hex(byte_span bytes, std::size_t count = std::numeric_limits<std::size_t>::max());

[[nodiscard]] inline byte_span as_byte_span(std::string_view text) {
  return std::as_bytes(std::span{text.data(), text.size()});
}

[[nodiscard]] inline byte_vector to_byte_vector(std::string_view text) {
  const auto view = as_byte_span(text);
  return {view.begin(), view.end()};
}

[[nodiscard]] inline std::string_view as_text(byte_span bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The bounds that hosts have to keep. All others are in `messages/limits.hpp`.
namespace limits {

/// Bytes of one operation of the state machine. An application should store larger data elsewhere and order only its
/// digest.
inline constexpr std::size_t operation_bytes_max = 256 * 1024;
/// Bytes of the result of one operation.
inline constexpr std::size_t result_bytes_max = 256 * 1024;
/// Bytes of one chunk of state, which has one leaf in the Merkle tree.
inline constexpr std::size_t state_chunk_bytes_max = 256 * 1024;

}  // namespace limits

}  // namespace hypermesh
