// Certificates as they are kept on disk: lists of signed statements.
#include <cstring>
#include <span>

#include "messages/codec.hpp"
#include "messages/wire_values.hpp"

namespace hypermesh {

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

}  // namespace hypermesh
