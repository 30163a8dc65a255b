#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "actors/ports.hpp"
#include "runtime/state_machines/checked.hpp"
#include "runtime/state_machines/machine_answer.hpp"

/// Operations and results of the key-value store as bytes and as text.
///
/// The first octet tells the operation. A put is by far the most frequent and often
/// small, so a key of up to 128 bytes costs it one octet and nothing else:
///
/// | octet      | operation        | then                                                      | result            |
/// |------------|------------------|-----------------------------------------------------------|-------------------|
/// | 0x00…0x7f  | put              | key of octet + 1 bytes, value                             | empty             |
/// | 0x80       | put, long key    | u16 key length (129 … 1,024), key, value                  | empty             |
/// | 0x81       | get              | key                                                       | 1 and value, or 0 |
/// | 0x82       | delete           | key                                                       | 1: it was there; 0 |
/// | 0x83       | compare and swap | u16 key length, key, u8 expects a value, [u32 length, expected], new value | 1:
/// swapped; 0 | | 0x84       | increment        | i64 amount, key                                           | the sum
/// in decimal |
///
/// Numbers are little-endian; every operation has exactly one encoding.
namespace hypermesh::key_value {

inline constexpr std::size_t key_bytes_max = 1024;

/// The views point into what was decoded, or to what the caller keeps alive.
struct put {
  byte_span key;
  byte_span value;
};
struct get {
  byte_span key;
};
/// "delete" is a word of the language.
struct remove {
  byte_span key;
};
/// Sets `replacement` when the present value is `expected`; no `expected`: when there is none.
struct compare_and_swap {
  byte_span key;
  std::optional<byte_span> expected;
  byte_span replacement;
};
/// Adds to a value that is a decimal number of 64 bits; an absent value counts as 0.
struct increment {
  byte_span key;
  std::int64_t amount = 1;
};

using operation = std::variant<put, get, remove, compare_and_swap, increment>;

/// The key has 1 … `key_bytes_max` bytes and the whole fits `limits::operation_bytes_max`,
/// or no machine accepts it.
[[nodiscard]] byte_vector encode(const operation& value);

/// Never crashes; the failure says what is wrong with bytes that are no operation.
[[nodiscard]] checked<operation> decode(byte_span bytes);

/// Whether the operation leaves the state as it is.
[[nodiscard]] bool is_read(const operation& value);

/// The value in the result of a get, when there was one.
[[nodiscard]] std::optional<byte_span> found_value(const operation_result& result);

/// A number as `increment` writes it: decimal, no sign but a minus, no leading zero.
[[nodiscard]] std::optional<std::int64_t> parse_number(std::string_view text);

/// One line for each operation, for a command's help.
[[nodiscard]] std::string_view usage();

/// The operation that words of a command line mean, encoded, or what to write instead.
[[nodiscard]] checked<byte_vector> parse_operation(std::span<const std::string> words);

/// What the result of the operation `submitted` says. A value comes as `value_text` writes it, an absent one as (none).
[[nodiscard]] machine_answer interpret(byte_span submitted, const operation_result& result);

/// The line for people alone.
[[nodiscard]] std::string format_result(byte_span submitted, const operation_result& result);

}  // namespace hypermesh::key_value
