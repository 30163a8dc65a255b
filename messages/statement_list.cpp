// Encodes certificates as lists of signed statements for the disk, and reads the header of a PRE-PREPARE without
// decoding the rest.
#include <cstring>
#include <span>

#include "messages/codec.hpp"
#include "messages/verify.hpp"
#include "messages/wire_values.hpp"
#include "schemas/ordering_generated.h"

namespace hypermesh::messages {

frame_ptr encode_statements(const std::vector<signed_statement>& statements) {
  byte_vector bytes;
  bytes.reserve(statements.size() * sizeof(wire::SignedStatement));
  for (const auto& each : statements) {
    const auto encoded = to_wire(each);
    const auto view = std::as_bytes(std::span{&encoded, 1});
    bytes.insert(bytes.end(), view.begin(), view.end());
  }
  return std::make_shared<const byte_vector>(std::move(bytes));
}

frame_ptr encode_statements(const prepared_certificate& certificate) {
  auto statements = certificate.prepares;
  statements.insert(statements.begin(), certificate.pre_prepare);
  return encode_statements(statements);
}

std::optional<std::vector<signed_statement>> decode_statements(byte_span bytes) {
  if (bytes.size() % sizeof(wire::SignedStatement) != 0) return std::nullopt;
  std::vector<signed_statement> statements;
  statements.reserve(bytes.size() / sizeof(wire::SignedStatement));
  for (; !bytes.empty(); bytes = bytes.subspan(sizeof(wire::SignedStatement))) {
    wire::SignedStatement encoded;
    std::memcpy(static_cast<void*>(&encoded), bytes.data(), sizeof(encoded));
    statements.push_back(from_wire(encoded));
  }
  return statements;
}

std::optional<signed_statement> header_of_pre_prepare(byte_span frame) {
  if (kind_of(frame) != message_kind::pre_prepare) return std::nullopt;
  const auto* encoded = verified_root<wire::PrePrepare>(body_of(frame));
  if (encoded == nullptr || encoded->header() == nullptr) return std::nullopt;
  return from_wire(*encoded->header());
}

}  // namespace hypermesh::messages
