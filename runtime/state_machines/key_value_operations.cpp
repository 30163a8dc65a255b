#include "runtime/state_machines/key_value_operations.hpp"

#include <fmt/format.h>

#include "messages/byte_codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"
#include "runtime/state_machines/printable.hpp"

namespace hypermesh::machines::key_value {

namespace {

constexpr std::size_t short_key_bytes_max = 128;
constexpr std::uint8_t put_long_code = 0x80;
constexpr std::uint8_t get_code = 0x81;
constexpr std::uint8_t remove_code = 0x82;
constexpr std::uint8_t compare_and_swap_code = 0x83;
constexpr std::uint8_t increment_code = 0x84;

static_assert(short_key_bytes_max == put_long_code, "the octets below the codes are lengths of short keys");

struct encoder {
  byte_writer& out;

  void operator()(const put& value) const {
    if (value.key.size() <= short_key_bytes_max) {
      out.number(static_cast<std::uint8_t>(value.key.size() - 1));
    } else {
      out.number(put_long_code).number(static_cast<std::uint16_t>(value.key.size()));
    }
    out.bytes(value.key).bytes(value.value);
  }
  void operator()(const get& value) const { out.number(get_code).bytes(value.key); }
  void operator()(const remove& value) const { out.number(remove_code).bytes(value.key); }
  void operator()(const compare_and_swap& value) const {
    out.number(compare_and_swap_code).number(static_cast<std::uint16_t>(value.key.size())).bytes(value.key);
    out.number(static_cast<std::uint8_t>(value.expected ? 1 : 0));
    if (value.expected) out.number(static_cast<std::uint32_t>(value.expected->size())).bytes(*value.expected);
    out.bytes(value.replacement);
  }
  void operator()(const increment& value) const {
    out.number(increment_code).number(static_cast<std::uint64_t>(value.amount)).bytes(value.key);
  }
};

byte_span key_of(const operation& value) {
  return std::visit([](const auto& each) { return each.key; }, value);
}

or_reason<operation> decode_put_long(byte_reader& reader) {
  const auto length = reader.number<std::uint16_t>();
  const auto key = reader.bytes(length);
  if (!reader.failed() && length <= short_key_bytes_max) return invalid("a short key is written in the short form");
  return operation{put{key, reader.rest()}};
}

or_reason<operation> decode_compare_and_swap(byte_reader& reader) {
  compare_and_swap value;
  value.key = reader.bytes(reader.number<std::uint16_t>());
  const auto expects = reader.number<std::uint8_t>();
  if (expects > 1) return invalid("a flag is neither 0 nor 1");
  if (expects == 1) value.expected = reader.bytes(reader.number<std::uint32_t>());
  value.replacement = reader.rest();
  return operation{value};
}

or_reason<operation> decode_by_code(std::uint8_t code, byte_reader& reader) {
  if (code < put_long_code) {
    const auto key = reader.bytes(code + std::size_t{1});
    return operation{put{key, reader.rest()}};
  }
  switch (code) {
    case put_long_code:
      return decode_put_long(reader);
    case get_code:
      return operation{get{reader.rest()}};
    case remove_code:
      return operation{remove{reader.rest()}};
    case compare_and_swap_code:
      return decode_compare_and_swap(reader);
    case increment_code: {
      const auto amount = static_cast<std::int64_t>(reader.number<std::uint64_t>());
      return operation{increment{reader.rest(), amount}};
    }
    default:
      return invalid(fmt::format("0x{:02x} is not an operation of the key-value store", code));
  }
}

bool is_flag_set(const operation_result& result) {
  return !result.payload.empty() && result.payload.front() == std::byte{1};
}

}  // namespace

byte_vector encode(const operation& value) {
  const auto key = key_of(value);
  require(!key.empty() && key.size() <= key_bytes_max, "an encoded key has 1 … 1,024 bytes");
  byte_writer out;
  std::visit(encoder{out}, value);
  return out.take();
}

or_reason<operation> decode(byte_span bytes) {
  if (bytes.empty()) return invalid("an operation has at least one octet");
  if (bytes.size() > limits::operation_bytes_max) return invalid("the operation is too long");
  byte_reader reader{bytes};
  const auto code = reader.number<std::uint8_t>();
  auto decoded = decode_by_code(code, reader);
  if (!decoded) return decoded;
  if (reader.failed()) return invalid("the operation ends too early");
  const auto key_bytes = key_of(*decoded).size();
  if (key_bytes == 0 || key_bytes > key_bytes_max) return invalid("a key has 1 to 1024 bytes");
  return decoded;
}

bool is_read(const operation& value) { return std::holds_alternative<get>(value); }

std::optional<byte_span> found_value(const operation_result& result) {
  if (result.status != operation_status::applied || !is_flag_set(result)) return std::nullopt;
  return byte_span{result.payload}.subspan(1);
}

std::optional<std::int64_t> parse_number(std::string_view text) {
  const auto value = parse_decimal<std::int64_t>(text);
  // "-0" and "007" are texts and not numbers, because an increment must not change how a value looks.
  if (!value || fmt::format("{}", *value) != text) return std::nullopt;
  return value;
}

std::string_view usage() {
  return "put KEY VALUE                      set a value\n"
         "get KEY                            read a value\n"
         "delete KEY                         delete a value\n"
         "compare-and-swap KEY EXPECTED NEW  set NEW if the value is EXPECTED\n"
         "create KEY VALUE                   set a value if the key has none\n"
         "increment KEY [AMOUNT]             add AMOUNT (default 1) to a number\n";
}

or_reason<byte_vector> parse_operation(std::span<const std::string> words) {
  const auto wrong = [](std::string_view what) { return invalid(fmt::format("{}; use one of:\n{}", what, usage())); };
  if (words.empty()) return wrong("no operation given");
  const auto& verb = words[0];
  const auto arguments = words.size() - 1;
  const auto word = [&](std::size_t index) { return as_byte_span(words[index]); };
  if (arguments >= 1 && (words[1].empty() || words[1].size() > key_bytes_max))
    return wrong("a key has 1 to 1024 bytes");

  std::optional<operation> parsed;
  if (verb == "put" && arguments == 2) parsed = put{word(1), word(2)};
  if (verb == "get" && arguments == 1) parsed = get{word(1)};
  if (verb == "delete" && arguments == 1) parsed = remove{word(1)};
  if (verb == "compare-and-swap" && arguments == 3) parsed = compare_and_swap{word(1), word(2), word(3)};
  if (verb == "create" && arguments == 2) parsed = compare_and_swap{word(1), std::nullopt, word(2)};
  if (verb == "increment" && arguments == 1) parsed = increment{word(1), 1};
  if (verb == "increment" && arguments == 2) {
    const auto amount = parse_decimal<std::int64_t>(words[2]);
    if (!amount) return wrong(fmt::format("\"{}\" is not a 64-bit integer", words[2]));
    parsed = increment{word(1), *amount};
  }
  if (!parsed) return wrong(fmt::format("\"{}\" with {} arguments is not an operation", verb, arguments));
  auto encoded = encode(*parsed);
  if (encoded.size() > limits::operation_bytes_max) {
    return invalid(fmt::format("the operation has {} bytes, more than the limit of {}", encoded.size(),
                               limits::operation_bytes_max));
  }
  return encoded;
}

machine_answer interpret(byte_span submitted, const operation_result& result) {
  if (result.status != operation_status::applied) return unapplied_answer(result);
  const auto decoded = decode(submitted);
  if (!decoded) return value_answer(result.payload);
  if (std::holds_alternative<put>(*decoded)) return text_answer("ok");
  if (std::holds_alternative<increment>(*decoded)) return value_answer(result.payload);
  if (std::holds_alternative<get>(*decoded)) {
    const auto value = found_value(result);
    return value ? value_answer(*value) : no_value_answer();
  }
  if (std::holds_alternative<remove>(*decoded)) {
    return is_flag_set(result) ? text_answer("deleted") : no_value_answer();
  }
  auto answer = text_answer(is_flag_set(result) ? "swapped" : "not swapped: the value differs");
  if (!is_flag_set(result)) answer.status = operation_status::refused;
  return answer;
}

}  // namespace hypermesh::machines::key_value
