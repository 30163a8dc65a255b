#include "runtime/state_machines/redis/redis_records.hpp"

#include "messages/byte_codec.hpp"

namespace hypermesh::machines::redis {

namespace {

static_assert(string_bytes_max + record_header_bytes <= authenticated_map::value_bytes_max);

std::string key_with_number(char kind, std::uint64_t number, std::string_view rest) {
  std::string key;
  key.reserve(1 + sizeof(number) + rest.size());
  key += kind;
  for (unsigned shift = 0; shift < 64; shift += 8)
    key += static_cast<char>((number >> shift) & 0xffU);
  return key.append(rest);
}

void write_extent(byte_writer& out, const key_record& record) {
  if (record.is_list()) {
    out.number(record.head).number(record.tail);
  } else {
    out.number(static_cast<std::uint64_t>(record.size()));
  }
}

or_reason<value_type> read_type(byte_reader& in) {
  const auto code = in.number<std::uint8_t>();
  if (code == 0 || code > static_cast<std::uint8_t>(value_type_last)) return invalid("the type of a key is unknown");
  return static_cast<value_type>(code);
}

or_reason<void> read_extent(byte_reader& in, read_record& into) {
  auto& record = into.record;
  if (record.is_list()) {
    record.head = in.number<std::uint64_t>();
    record.tail = in.number<std::uint64_t>();
    if (record.tail <= record.head) return invalid("a list is empty");
    into.count = record.tail - record.head;
  } else {
    into.count = in.number<std::uint64_t>();
    record.index = std::make_unique<collection_index>();
    if (into.count == 0) return invalid("a collection is empty");
  }
  if (!in.is_complete()) return invalid("the record of a collection has a wrong length");
  return {};
}

}  // namespace

std::string_view type_name(value_type type) {
  switch (type) {
    case value_type::string:
      return "string";
    case value_type::list:
      return "list";
    case value_type::set:
      return "set";
    case value_type::sorted_set:
      return "zset";
    case value_type::hash:
      return "hash";
  }
  return "none";
}

std::size_t key_record::size() const {
  if (is_list()) return tail - head;
  return index == nullptr ? 0 : index->names.size();
}

std::string key_of_record(std::string_view key) {
  std::string made;
  made.reserve(1 + key.size());
  return made.append(1, 'K').append(key);
}

std::string key_of_element(std::uint64_t id, std::string_view name) { return key_with_number('E', id, name); }

std::string key_of_position(std::uint64_t id, std::uint64_t position) {
  // The position has the form of a number that stands behind a kind.
  return key_with_number('E', id, std::string_view{key_with_number('P', position, {})}.substr(1));
}

std::string key_of_garbage(std::uint64_t id) { return key_with_number('G', id, {}); }

byte_vector encode_record(const key_record& record, std::string_view bytes) {
  byte_writer out{record_header_bytes + bytes.size() + 16};
  out.number(static_cast<std::uint8_t>(record.type)).number(record.id).number(record.version).number(record.expiry);
  if (record.type == value_type::string) {
    out.bytes(as_byte_span(bytes));
  } else {
    write_extent(out, record);
  }
  return out.take();
}

byte_vector encode_garbage(const key_record& record) {
  byte_writer out;
  out.number(static_cast<std::uint8_t>(record.type));
  write_extent(out, record);
  return out.take();
}

or_reason<read_record> decode_record(byte_span value) {
  byte_reader in{value};
  const auto type = read_type(in);
  if (!type) return invalid(type.error());
  read_record read;
  read.record.type = *type;
  read.record.id = in.number<std::uint64_t>();
  read.record.version = in.number<std::uint64_t>();
  read.record.expiry = in.number<std::uint64_t>();
  if (in.failed()) return invalid("the record of a key is too short");
  if ((read.record.id == 0) != (*type == value_type::string)) return invalid("a key has a wrong id");
  if (*type == value_type::string) return read;
  if (auto done = read_extent(in, read); !done) return invalid(done.error());
  return read;
}

or_reason<read_record> decode_garbage(byte_span value) {
  byte_reader in{value};
  const auto type = read_type(in);
  if (!type) return invalid(type.error());
  if (*type == value_type::string) return invalid("a string has no elements");
  read_record read;
  read.record.type = *type;
  if (auto done = read_extent(in, read); !done) return invalid(done.error());
  return read;
}

byte_vector encode_score(decimal score) {
  byte_writer out;
  score.write(out);
  return out.take();
}

}  // namespace hypermesh::machines::redis
