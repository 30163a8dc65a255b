#include "messages/signing.hpp"

namespace hypermesh {

namespace {

constexpr std::string_view signing_domain = "hypermesh-consensus";
constexpr std::byte signing_version{1};

}  // namespace

byte_vector signing_input(const signing_context& context, message_kind kind, byte_span content) {
  byte_vector input;
  input.reserve(signing_domain.size() + 1 + cluster_id::size + 4 + 1 + content.size());
  const auto append = [&input](byte_span bytes) { input.insert(input.end(), bytes.begin(), bytes.end()); };
  append(as_byte_span(signing_domain));
  input.push_back(signing_version);
  append(context.cluster.view());
  for (unsigned shift = 0; shift < 32; shift += 8) {
    input.push_back(static_cast<std::byte>((context.epoch.value >> shift) & 0xffU));
  }
  input.push_back(static_cast<std::byte>(kind));
  append(content);
  return input;
}

}  // namespace hypermesh
