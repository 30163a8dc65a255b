#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "actors/ports.hpp"
#include "messages/expected.hpp"
#include "runtime/state_machines/machine_answer.hpp"

/// Operations and results of the key-value store as bytes and as text.
///
/// The first octet selects the operation. A put is by far the most frequent operation and often small, so a
/// key of up to 128 bytes costs it one octet and nothing else:
///
/// | octet       | operation        | then                                                | result                  |
/// |-------------|------------------|-----------------------------------------------------|-------------------------|
/// | 0x00 … 0x7f | put              | key of octet + 1 bytes, value                       | empty                   |
/// | 0x80        | put, long key    | u16 key length (129 … 1,024), key, value            | empty                   |
/// | 0x81        | get              | key                                                 | 1 and value, or 0       |
/// | 0x82        | delete           | key                                                 | 1 if it was there, or 0 |
/// | 0x83        | compare and swap | u16 key length, key, u8 flag, [expected], new value | 1 if swapped, or 0      |
/// | 0x84        | increment        | i64 amount, key                                     | the sum in decimal      |
///
/// The flag of a compare and swap is 1 if an expected value follows, as u32 length and bytes, and 0 if the
/// swap requires that there is no value. Numbers are little-endian. Every operation has exactly one encoding.
namespace hypermesh::machines::key_value {

inline constexpr std::size_t key_bytes_max = 1024;

/// The spans in these operations point into the decoded bytes, or into memory that the caller keeps alive.
struct put {
  byte_span key;
  byte_span value;
};
struct get {
  byte_span key;
};
/// The struct is named remove because "delete" is a keyword of C++.
struct remove {
  byte_span key;
};
/// Sets `replacement` if the present value is `expected`. Without `expected`, it sets the value only if there is none.
struct compare_and_swap {
  byte_span key;
  std::optional<byte_span> expected;
  byte_span replacement;
};
/// Adds to a value that is a decimal number of 64 bits. An absent value counts as 0.
struct increment {
  byte_span key;
  std::int64_t amount = 1;
};

using operation = std::variant<put, get, remove, compare_and_swap, increment>;

/// Encodes an operation. The key must have 1 … `key_bytes_max` bytes, and the whole operation must fit into
/// `limits::operation_bytes_max`. A machine refuses a longer operation.
[[nodiscard]] byte_vector encode(const operation& value);

/// Accepts any bytes. The failure says why the bytes are not a valid operation.
[[nodiscard]] or_reason<operation> decode(byte_span bytes);

/// Whether the operation leaves the state unchanged.
[[nodiscard]] bool is_read(const operation& value);

/// The value in the result of a get, if there was one.
[[nodiscard]] std::optional<byte_span> found_value(const operation_result& result);

/// A number as `increment` writes it: decimal, without a plus sign and without leading zeros.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view text);

/// The help text of a command: one line for each operation.
[[nodiscard]] std::string_view usage();

/// Encodes the operation that the words of a command line describe. The failure says what to write instead.
[[nodiscard]] or_reason<byte_vector> parse_operation(std::span<const std::string> words);

/// Interprets the result of the operation `submitted`. A value appears in the form of `value_text`, and an absent value
/// as (none).
[[nodiscard]] machine_answer interpret(byte_span submitted, const operation_result& result);

}  // namespace hypermesh::machines::key_value
