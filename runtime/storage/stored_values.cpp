#include "runtime/storage/stored_values.hpp"

#include <algorithm>

#include <sodium.h>

#include "messages/byte_codec.hpp"
#include "messages/limits.hpp"

namespace hypermesh::storage::stored_values {

namespace {

constexpr std::array<unsigned char, 16> checksum_key = {'h', 'y', 'p', 'e', 'r', 'm', 'e', 's',
                                                        'h', ' ', 's', 't', 'o', 'r', 'e', '1'};
static_assert(checksum_key.size() == crypto_shorthash_KEYBYTES);
static_assert(crypto_shorthash_BYTES == sizeof(std::uint64_t));

constexpr std::size_t check_bytes = sizeof(std::uint64_t);
constexpr std::size_t fields_bytes = head_bytes - check_bytes;

template <class Bytes>
void put_little_endian(Bytes& out, std::size_t at, std::uint64_t number) {
  for (std::size_t index = 0; index < sizeof(number); ++index)
    out[at + index] = static_cast<std::byte>((number >> (8 * index)) & 0xffU);
}

/// The checksum covers the checksum of the bytes and not the bytes themselves. So a large body is neither copied nor
/// hashed twice.
std::uint64_t check_of(const encoded_head& head, byte_span bytes) {
  std::array<std::byte, fields_bytes + check_bytes> input;
  std::copy_n(head.begin(), fields_bytes, input.begin());
  put_little_endian(input, fields_bytes, checksum_of(bytes));
  return checksum_of(input);
}

bool is_known(std::uint8_t kind) {
  return kind >= static_cast<std::uint8_t>(record_kind_first) && kind <= static_cast<std::uint8_t>(record_kind_last);
}

/// Computes the checksum of `value`, appends it to `value` and returns it.
std::uint64_t append_check(byte_vector& value) {
  const auto check = checksum_of(value);
  value.resize(value.size() + check_bytes);
  put_little_endian(value, value.size() - check_bytes, check);
  return check;
}

/// Returns the content of `value` without the checksum at its end; nothing when the checksum is wrong.
std::optional<byte_span> without_check(byte_span value) {
  if (value.size() < check_bytes) return std::nullopt;
  const auto content = value.first(value.size() - check_bytes);
  byte_reader reader{value.subspan(content.size())};
  if (reader.number<std::uint64_t>() != checksum_of(content)) return std::nullopt;
  return content;
}

}  // namespace

std::uint64_t checksum_of(byte_span bytes) {
  std::array<std::byte, crypto_shorthash_BYTES> out;
  crypto_shorthash(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                   bytes.size(), checksum_key.data());
  return byte_reader{out}.number<std::uint64_t>();
}

record_head head_of(const storage_record& record, std::uint64_t order) {
  record_head head{record.kind, record.view, record.sequence, order, 0};
  head.check = check_of(encode(head), *record.bytes);
  return head;
}

encoded_head encode(const record_head& head) {
  encoded_head out;
  out[0] = static_cast<std::byte>(head.kind);
  put_little_endian(out, 1, head.view.value);
  put_little_endian(out, 9, head.sequence.value);
  put_little_endian(out, 17, head.order);
  put_little_endian(out, fields_bytes, head.check);
  return out;
}

std::optional<decoded_record> decode_record(byte_span value) {
  byte_reader reader{value};
  const auto kind = reader.number<std::uint8_t>();
  const auto view = reader.number<std::uint64_t>();
  const auto sequence = reader.number<std::uint64_t>();
  const auto order = reader.number<std::uint64_t>();
  const auto check = reader.number<std::uint64_t>();
  if (reader.failed() || !is_known(kind)) return std::nullopt;
  decoded_record out;
  out.head = {static_cast<record_kind>(kind), view_number{view}, sequence_number{sequence}, order, check};
  const auto bytes = reader.rest();
  if (check_of(encode(out.head), bytes) != check) return std::nullopt;
  out.record = {out.head.kind, out.head.view, out.head.sequence,
                std::make_shared<const byte_vector>(bytes.begin(), bytes.end())};
  return out;
}

record_key key_of(std::uint64_t order) {
  record_key key;
  for (std::size_t index = 0; index < key.size(); ++index)
    key[key.size() - 1 - index] = static_cast<std::byte>((order >> (8 * index)) & 0xffU);
  return key;
}

encoded_manifest encode_manifest(sequence_number sequence, std::span<const digest> leaves) {
  byte_writer writer{(leaves.size() + 1) * digest::size};
  writer.number(sequence.value).number(std::uint64_t{leaves.size()});
  for (const auto& leaf : leaves)
    writer.bytes(leaf.view());
  encoded_manifest out{writer.take(), 0};
  out.check = append_check(out.bytes);
  return out;
}

std::optional<state_manifest> decode_manifest(byte_span value) {
  const auto content = without_check(value);
  if (!content) return std::nullopt;
  byte_reader reader{*content};
  state_manifest out;
  out.sequence = sequence_number{reader.number<std::uint64_t>()};
  const auto count = reader.number<std::uint64_t>();
  if (count > limits::state_chunks_max || count * digest::size > content->size()) return std::nullopt;
  out.leaves.resize(count);
  for (auto& leaf : out.leaves)
    std::ranges::copy(reader.bytes(digest::size), leaf.bytes.begin());
  if (!reader.is_complete()) return std::nullopt;
  out.check = byte_reader{value.last(check_bytes)}.number<std::uint64_t>();
  return out;
}

byte_vector encode(const storage_totals& totals) {
  byte_writer writer{8 * sizeof(std::uint64_t)};
  writer.number(totals.origin).number(totals.changes).number(totals.next_order).number(totals.items).number(totals.sum);
  writer.number(totals.forgotten.through.value).number(totals.forgotten.before_order);
  auto out = writer.take();
  append_check(out);
  return out;
}

std::optional<storage_totals> decode_totals(byte_span value) {
  const auto content = without_check(value);
  if (!content) return std::nullopt;
  byte_reader reader{*content};
  storage_totals out;
  out.origin = reader.number<std::uint64_t>();
  out.changes = reader.number<std::uint64_t>();
  out.next_order = reader.number<std::uint64_t>();
  out.items = reader.number<std::uint64_t>();
  out.sum = reader.number<std::uint64_t>();
  out.forgotten.through = sequence_number{reader.number<std::uint64_t>()};
  out.forgotten.before_order = reader.number<std::uint64_t>();
  if (!reader.is_complete()) return std::nullopt;
  return out;
}

}  // namespace hypermesh::storage::stored_values
