#include "tests/byzantine/forgery.hpp"

#include <algorithm>
#include <string>

#include "messages/codec.hpp"
#include "messages/require.hpp"
#include "messages/signing.hpp"
#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::testing {

signed_statement signed_statement_of(adversary_hands& hands, message_kind kind, const statement& content) {
  return {content, hands.keys().sign(signing_input(hands.cluster().signing, kind, statement_bytes(content)))};
}

statement own_statement(const adversary_hands& hands, view_number view, sequence_number sequence, const digest& value) {
  return {view, sequence, value, hands.replica(), hands.cluster().signing.epoch};
}

frame_ptr forged_vote(adversary_hands& hands, message_kind kind, const statement& content) {
  return encode_vote(kind, signed_statement_of(hands, kind, content));
}

frame_ptr forged_proposal(adversary_hands& hands, view_number view, sequence_number sequence, const batch& body) {
  const auto content = own_statement(hands, view, sequence, digest_of_batch(body));
  return encode_pre_prepare(signed_statement_of(hands, message_kind::pre_prepare, content), body);
}

frame_ptr moved_proposal(adversary_hands& hands, const pre_prepare& original, view_number view,
                         sequence_number sequence) {
  return forged_proposal(hands, view, sequence, *original.body);
}

batch batch_of(std::vector<request> requests) {
  batch content;
  for (const auto& each : requests)
    content.bytes += each.raw.view.size();
  content.requests = std::move(requests);
  return content;
}

batch with_requests(const batch& original, std::vector<request> requests) {
  auto content = batch_of(std::move(requests));
  for (const auto& each : original.system_requests)
    content.bytes += each.raw.view.size();
  content.system_requests = original.system_requests;
  content.proposed_time = original.proposed_time;
  return content;
}

batch with_time(const batch& original, wall_time proposed) {
  auto content = original;
  content.proposed_time = proposed;
  return content;
}

std::optional<batch> other_batch(const adversary_hands& hands, const batch& original) {
  if (original.requests.size() > 1) {
    return with_requests(original, {original.requests.begin(), original.requests.end() - 1});
  }
  for (const auto& each : hands.known().requests()) {
    if (!original.requests.empty() && each.id == original.requests.front().id) continue;
    auto content = batch_of({each});
    content.proposed_time = original.proposed_time;
    return content;
  }
  return std::nullopt;
}

request forged_request(adversary_hands& hands, request_id id, byte_span operation) {
  const auto opening = operation_of(session_opening{});
  if (id.opens_session()) operation = opening;
  auto buffer = request_buffer(id, {operation});
  const auto& cluster = hands.cluster();
  const bool is_signed = cluster.requests_by == request_authentication::signature;
  const auto sum = request_checksum(cluster.signing, buffer);
  const auto frame = is_signed ? sealed(hands, message_kind::request, std::move(buffer))
                               : seal(message_kind::request, std::move(buffer), sum);
  auto decoded = decode_request({frame, body_of(*frame)});
  require(decoded.has_value(), "what was encoded decodes");
  return std::move(*decoded);
}

byte_vector marked_operation(std::uint64_t number) {
  const auto text = std::to_string(number);
  return key_value::encode(key_value::put{as_byte_span("byzantine"), as_byte_span(text)});
}

frame_ptr sealed(adversary_hands& hands, message_kind kind, byte_vector buffer) {
  const auto by = hands.keys().sign(signing_input(hands.cluster().signing, kind, buffer));
  buffer.insert(buffer.end(), by.bytes.begin(), by.bytes.end());
  buffer.push_back(static_cast<std::byte>(kind));
  return frame_of_bytes(std::move(buffer));
}

frame_ptr sealed(adversary_hands& hands, const view_change& value) {
  return sealed(hands, message_kind::view_change, view_change_buffer(value));
}

frame_ptr sealed(adversary_hands& hands, const new_view& value) {
  return sealed(hands, message_kind::new_view, new_view_buffer(value));
}

frame_ptr sealed(adversary_hands& hands, const status& value) {
  return sealed(hands, message_kind::status, status_buffer(value));
}

view_change empty_view_change(const adversary_hands& hands, view_number view) {
  view_change value;
  value.new_view = view;
  value.replica = hands.replica();
  return value;
}

digest nonsense_digest(adversary_hands& hands) {
  digest value;
  std::ranges::copy(nonsense_bytes(hands, digest::size), value.bytes.begin());
  return value;
}

frame_ptr frame_of_bytes(byte_vector bytes) { return std::make_shared<const byte_vector>(std::move(bytes)); }

byte_vector nonsense_bytes(adversary_hands& hands, std::size_t size) {
  byte_vector bytes;
  bytes.reserve(size);
  while (bytes.size() < size)
    bytes.push_back(static_cast<std::byte>(hands.chance().below(256)));
  return bytes;
}

}  // namespace hypermesh::testing
