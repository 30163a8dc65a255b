#include "messages/values.hpp"

#include <algorithm>
#include <cstring>

#include "messages/byte_codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"
#include "schemas/common_generated.h"

namespace hypermesh::messages {

namespace {

/// Part `index` of `bytes`, cut at `ends`. Without ends, all of `bytes` is the only part.
byte_span part_of(byte_span bytes, const std::vector<std::uint32_t>& ends, std::size_t index) {
  if (ends.empty()) {
    require(index == 0, "an undivided value has one part");
    return bytes;
  }
  require(index < ends.size(), "the part exists");
  const auto begin = index == 0 ? 0 : ends[index - 1];
  return bytes.subspan(begin, ends[index] - begin);
}

}  // namespace

byte_span request::operation(std::size_t index) const { return part_of(operations, ends, index); }

byte_span request_outcome::result(std::size_t index) const { return part_of(results, ends, index); }

void request_outcome::append(std::uint8_t operation_status, byte_span payload) {
  results.insert(results.end(), payload.begin(), payload.end());
  statuses.push_back(operation_status);
  ends.push_back(static_cast<std::uint32_t>(results.size()));
}

digest digest_of_request(const signature& client_signature) {
  return hasher{"hypermesh request"}.add(client_signature.view()).finish();
}

byte_vector operation_of(const session_opening& opening) {
  return byte_writer{}.number(static_cast<std::uint8_t>(opening.mode)).bytes(opening.nonce).take();
}

std::optional<session_opening> opening_in(const request& value) {
  if (!value.id.opens_session() || value.operation_count() != 1) return std::nullopt;
  byte_reader in{value.operation(0)};
  const auto mode = in.number<std::uint8_t>();
  session_opening opening;
  const auto nonce = in.bytes(opening.nonce.size());
  if (!in.is_complete() || mode > static_cast<std::uint8_t>(session_mode_last)) return std::nullopt;
  opening.mode = static_cast<session_mode>(mode);
  std::ranges::copy(nonce, opening.nonce.begin());
  return opening;
}

std::array<std::byte, 56> statement_bytes(const statement& content) {
  const auto* value = reinterpret_cast<const wire::Digest*>(content.value.bytes.data());
  const wire::Statement encoded{content.view.value, content.sequence.value, *value, content.replica.value,
                                content.epoch.value};
  static_assert(sizeof(encoded) == 56, "a statement has no padding, so its layout is canonical");
  std::array<std::byte, 56> bytes;
  std::memcpy(bytes.data(), &encoded, sizeof(encoded));
  return bytes;
}

const blob& document_of(const evidence_item& shown) {
  require(!shown.is_statement(), "a document is asked for its bytes");
  if (const auto* asked = document_in<request>(shown)) return asked->raw;
  if (const auto* change = document_in<view_change>(shown)) return change->raw;
  return document_in<new_view>(shown)->raw;
}

bool is_valid_time(const batch& content) {
  const auto ms = content.proposed_time.time_since_epoch().count();
  // The digest covers the time. A null request with a time would not have the digest d^null.
  return content.is_null() ? ms == 0 : ms >= 0 && static_cast<std::uint64_t>(ms) <= limits::proposed_time_ms_max;
}

digest digest_of_batch(const batch& content) {
  hasher hash{"hypermesh batch"};
  hash.add(content.requests.size());
  for (const auto& each : content.requests)
    hash.add(each.raw.view.size()).add(each.raw.view);
  hash.add(content.system_requests.size());
  for (const auto& each : content.system_requests)
    hash.add(each.raw.view.size()).add(each.raw.view);
  hash.add(static_cast<std::uint64_t>(content.proposed_time.time_since_epoch().count()));
  return hash.finish();
}

const digest& null_request_digest() {
  static const digest value = digest_of_batch(batch{});
  return value;
}

std::uint64_t state_pages_of(std::uint64_t chunk_count) {
  return chunk_count / limits::state_page_leaves + (chunk_count % limits::state_page_leaves == 0 ? 0 : 1);
}

std::size_t state_page_size(std::uint64_t chunk_count, std::uint64_t page) {
  if (page >= state_pages_of(chunk_count)) return 0;
  return std::min<std::uint64_t>(limits::state_page_leaves, chunk_count - page * limits::state_page_leaves);
}

}  // namespace hypermesh::messages
