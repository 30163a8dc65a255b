#include "runtime/audit/audit_chain.hpp"

#include <algorithm>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::audit {

namespace {

constexpr std::string_view origin_domain = "hypermesh audit origin";
constexpr std::string_view entry_domain = "hypermesh audit entry";
constexpr std::string_view segment_magic = "HMAUDIT1";
constexpr std::string_view head_magic = "HMAUHEAD";

template <class Fixed>
Fixed fixed_from(byte_reader& from) {
  Fixed value;
  const auto raw = from.bytes(Fixed::size);
  if (raw.size() == Fixed::size) std::ranges::copy(raw, value.bytes.begin());
  return value;
}

digest hash_of(const digest& before, const audit_entry& entry) {
  hasher hash{entry_domain};
  hash.add(before).add(entry.index).add(entry.time_us).add(static_cast<std::uint64_t>(entry.kind));
  return hash.add(entry.payload.size()).add(entry.payload).finish();
}

/// Whether `record` is the valid record for the position `at`. The length field is not compared.
bool is_whole(byte_span record, const chain_position& at) {
  if (record.size() < record_bytes_of(0) || record.size() > record_bytes_max) return false;
  byte_reader from{record.subspan(record_prefix_bytes)};
  audit_entry entry;
  entry.index = from.number<std::uint64_t>();
  entry.time_us = from.number<std::uint64_t>();
  entry.kind = static_cast<audit_kind>(from.number<std::uint8_t>());
  entry.payload = from.bytes(record.size() - record_bytes_of(0));
  return entry.index == at.next_index && hash_of(at.hash, entry) == fixed_from<digest>(from);
}

/// A length that points past the end has two possible causes: the write was interrupted, or somebody edited the length.
/// An edited length leaves a complete record behind. That record ends where the bytes end, or where another record with
/// the next index begins.
bool has_other_length(byte_span bytes, const chain_position& at) {
  if (is_whole(bytes, at)) return true;
  byte_writer to;
  const auto next_index = to.number(at.next_index + 1).take();
  auto begin = bytes.begin();
  while (true) {
    const auto found = std::search(begin, bytes.end(), next_index.begin(), next_index.end());
    if (found == bytes.end()) return false;
    const auto end = static_cast<std::size_t>(found - bytes.begin());
    if (end >= record_prefix_bytes && is_whole(bytes.first(end - record_prefix_bytes), at)) return true;
    begin = found + 1;
  }
}

byte_vector seal_content(const trail_owner& owner, const chain_position& at, std::uint64_t time_us,
                         sequence_number checkpoint) {
  byte_writer to;
  to.number(owner.self.value).number(at.next_index).bytes(at.hash.view()).number(time_us).number(checkpoint.value);
  return to.take();
}

bool is_signed(const trail_owner& owner, const authenticator& keys, audit_statement kind, byte_span content,
               const signature& by) {
  return keys.verify(principal::of(owner.self), audit_signing_input(owner.context, kind, content), by);
}

byte_vector head_content(const trail_head& head, const trail_owner& owner) {
  byte_writer to;
  to.bytes(as_byte_span(head_magic)).number(owner.self.value).number(head.turn).number(head.first_segment);
  to.number(head.segment).number(head.sealed.next_index).bytes(head.sealed.hash.view());
  to.number(static_cast<std::uint8_t>(head.closed));
  return to.take();
}

}  // namespace

chain_position chain_start(const trail_owner& owner) {
  hasher hash{origin_domain};
  hash.add(owner.context.cluster.view()).add(std::uint64_t{owner.context.epoch.value});
  return {0, hash.add(std::uint64_t{owner.self.value}).finish()};
}

void append_record(byte_vector& out, chain_position& at, std::uint64_t time_us, audit_kind kind, byte_span payload) {
  require(payload.size() <= audit_payload_bytes_max, "a payload is within its bound");
  const audit_entry entry{at.next_index, time_us, kind, payload, {}};
  at.hash = hash_of(at.hash, entry);
  ++at.next_index;
  byte_writer to{record_bytes_of(payload.size())};
  to.number(static_cast<std::uint32_t>(record_fixed_bytes + payload.size())).number(entry.index).number(time_us);
  to.number(static_cast<std::uint8_t>(kind)).bytes(payload).bytes(at.hash.view());
  const auto record = to.take();
  require(record.size() == record_bytes_of(payload.size()), "a record has the size that was counted");
  out.insert(out.end(), record.begin(), record.end());
}

record_reading read_record(byte_span bytes, const chain_position& at) {
  record_reading out;
  byte_reader prefix{bytes};
  const std::size_t length = prefix.number<std::uint32_t>();
  if (prefix.failed()) return {record_fault::unfinished, {}, bytes.size()};
  if (length < record_fixed_bytes || length > record_bytes_max - record_prefix_bytes) {
    return {record_fault::impossible_length, {}, bytes.size()};
  }
  byte_reader from{prefix.bytes(length)};
  if (prefix.failed()) {
    return {has_other_length(bytes, at) ? record_fault::wrong_length : record_fault::unfinished, {}, bytes.size()};
  }
  out.bytes = record_prefix_bytes + length;
  out.entry.index = from.number<std::uint64_t>();
  out.entry.time_us = from.number<std::uint64_t>();
  out.entry.kind = static_cast<audit_kind>(from.number<std::uint8_t>());
  out.entry.payload = from.bytes(length - record_fixed_bytes);
  out.entry.hash = fixed_from<digest>(from);
  require(from.is_complete(), "a record consists of its fields");
  if (hash_of(at.hash, out.entry) != out.entry.hash) out.fault = record_fault::wrong_hash;
  if (out.entry.index != at.next_index) out.fault = record_fault::wrong_index;
  return out;
}

byte_vector make_seal(const trail_owner& owner, const authenticator& keys, const chain_position& at,
                      std::uint64_t time_us, sequence_number checkpoint) {
  const auto content = seal_content(owner, at, time_us, checkpoint);
  const auto by = keys.sign(audit_signing_input(owner.context, audit_statement::seal, content));
  return encode_audit_payload(trail_seal{checkpoint, by});
}

bool verify_seal(const trail_owner& owner, const authenticator& keys, const chain_position& before,
                 std::uint64_t time_us, const trail_seal& seal) {
  const auto content = seal_content(owner, before, time_us, seal.checkpoint);
  return is_signed(owner, keys, audit_statement::seal, content, seal.by);
}

std::array<std::byte, segment_header_bytes> encode_header(const segment_header& header, const authenticator& keys) {
  byte_writer to{segment_header_bytes};
  to.bytes(as_byte_span(segment_magic)).bytes(header.owner.context.cluster.view());
  to.number(header.owner.context.epoch.value).number(header.owner.self.value).number(header.segment);
  to.number(header.start.next_index).bytes(header.start.hash.view());
  auto content = to.take();
  const auto by = keys.sign(audit_signing_input(header.owner.context, audit_statement::segment, content));
  std::array<std::byte, segment_header_bytes> out;
  require(content.size() + signature::size == out.size(), "a header has the declared size");
  std::ranges::copy(by.bytes, std::ranges::copy(content, out.begin()).out);
  return out;
}

or_reason<segment_header> decode_header(byte_span bytes) {
  if (bytes.size() < segment_header_bytes) return invalid("the segment ends inside its header");
  byte_reader from{bytes.first(segment_header_bytes)};
  if (as_text(from.bytes(segment_magic.size())) != segment_magic) {
    return invalid("the file is not an audit segment, or it has a newer format");
  }
  segment_header header;
  header.owner.context.cluster = fixed_from<cluster_id>(from);
  header.owner.context.epoch = epoch_number{from.number<std::uint32_t>()};
  header.owner.self = replica_id{from.number<std::uint32_t>()};
  header.segment = from.number<std::uint64_t>();
  header.start.next_index = from.number<std::uint64_t>();
  header.start.hash = fixed_from<digest>(from);
  return header;
}

bool is_genuine_header(byte_span bytes, const segment_header& header, const authenticator& keys) {
  require(bytes.size() >= segment_header_bytes, "a header was decoded from its bytes");
  const auto content = bytes.first(segment_header_bytes - signature::size);
  byte_reader from{bytes.subspan(content.size())};
  return is_signed(header.owner, keys, audit_statement::segment, content, fixed_from<signature>(from));
}

std::array<std::byte, head_sector_bytes> encode_head(const trail_head& head, const trail_owner& owner,
                                                     const authenticator& keys) {
  const auto content = head_content(head, owner);
  const auto by = keys.sign(audit_signing_input(owner.context, audit_statement::head, content));
  std::array<std::byte, head_sector_bytes> out{};
  require(content.size() + signature::size <= out.size(), "a head fits into its sector");
  std::ranges::copy(by.bytes, std::ranges::copy(content, out.begin()).out);
  return out;
}

std::optional<trail_head> decode_head(byte_span sector, const trail_owner& owner, const authenticator& keys) {
  trail_head head;
  byte_reader from{sector};
  (void)from.bytes(head_magic.size());
  (void)from.number<std::uint32_t>();
  head.turn = from.number<std::uint64_t>();
  head.first_segment = from.number<std::uint64_t>();
  head.segment = from.number<std::uint64_t>();
  head.sealed.next_index = from.number<std::uint64_t>();
  head.sealed.hash = fixed_from<digest>(from);
  head.closed = from.number<std::uint8_t>() == 1;
  const auto by = fixed_from<signature>(from);
  const auto rest = from.rest();
  const bool is_padding = std::ranges::all_of(rest, [](std::byte each) { return each == std::byte{0}; });
  // Magic, owner and flag have only one valid form. So the function encodes the decoded fields again and compares the
  // bytes.
  const auto content = head_content(head, owner);
  if (from.failed() || sector.size() != head_sector_bytes || !is_padding) return std::nullopt;
  if (!std::ranges::equal(sector.first(content.size()), content)) return std::nullopt;
  return is_signed(owner, keys, audit_statement::head, content, by) ? std::optional{head} : std::nullopt;
}

}  // namespace hypermesh::audit
