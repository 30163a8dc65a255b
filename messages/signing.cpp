#include "messages/signing.hpp"

#include <algorithm>

#include "messages/digest.hpp"

namespace hypermesh::messages {

namespace {

constexpr std::string_view signing_domain = "hypermesh-consensus";
constexpr std::string_view audit_domain = "hypermesh-audit";
constexpr std::string_view secret_domain = "hypermesh-secret";
constexpr std::byte signing_version{1};
static_assert(!signing_domain.starts_with(audit_domain) && !signing_domain.starts_with(secret_domain) &&
                  !secret_domain.starts_with(audit_domain),
              "no input of one domain is one of another");

byte_vector input_of(std::string_view domain, const signing_context& context, std::uint8_t kind, byte_span content) {
  byte_vector input;
  input.reserve(domain.size() + 1 + cluster_id::size + 4 + 1 + content.size());
  const auto append = [&input](byte_span bytes) { input.insert(input.end(), bytes.begin(), bytes.end()); };
  append(as_byte_span(domain));
  input.push_back(signing_version);
  append(context.cluster.view());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    input.push_back(static_cast<std::byte>((context.epoch.value >> shift) & 0xffU));
  }
  input.push_back(static_cast<std::byte>(kind));
  append(content);
  return input;
}

}  // namespace

byte_vector signing_input(const signing_context& context, message_kind kind, byte_span content) {
  return input_of(signing_domain, context, static_cast<std::uint8_t>(kind), content);
}

signature request_checksum(const signing_context& context, byte_span buffer) {
  signature out;
  const auto sum = digest_of("hypermesh request checksum", signing_input(context, message_kind::request, buffer));
  std::ranges::copy(sum.bytes, out.bytes.begin());
  return out;
}

byte_vector audit_signing_input(const signing_context& context, audit_statement kind, byte_span content) {
  return input_of(audit_domain, context, static_cast<std::uint8_t>(kind), content);
}

byte_vector secret_signing_input(const signing_context& context, std::string_view purpose) {
  return input_of(secret_domain, context, 0, as_byte_span(purpose));
}

}  // namespace hypermesh::messages
