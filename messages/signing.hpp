#pragma once

#include <string_view>

#include "messages/kinds.hpp"
#include "messages/types.hpp"

namespace hypermesh::messages {

/// The values that bind a signature to one cluster and one membership.
struct signing_context {
  cluster_id cluster;
  epoch_number epoch;

  friend bool operator==(const signing_context&, const signing_context&) = default;
};

/// `domain ‖ version ‖ cluster ‖ epoch ‖ kind ‖ content`: the only bytes that the signature of a message covers.
/// A signature for one kind, cluster, epoch or product never verifies for another (attack 2).
[[nodiscard]] byte_vector signing_input(const signing_context& context, message_kind kind, byte_span content);

/// The 64 bytes that follow the buffer of a request whose client does not sign it: the digest of the bytes that the
/// signature of the client would cover, and 32 zero bytes. So the last 64 bytes identify such a request as a signature
/// does, although they prove nothing.
[[nodiscard]] signature request_checksum(const signing_context& context, byte_span buffer);

/// The kinds of content that a replica signs in its audit trail. They are never on the wire. A number is never reused.
enum class audit_statement : std::uint8_t {
  /// The header of a segment of the trail.
  segment = 1,
  /// The digest chain of all entries before the seal.
  seal = 2,
  /// The last entry of the trail at the time of the signature.
  head = 3,
};
inline constexpr auto audit_statement_last = audit_statement::head;

/// The bytes that a signature in the audit trail covers, in the same layout with another domain. Neither domain is a
/// prefix of the other, so a signature in an audit trail never verifies as a message, nor the signature of a message in
/// an audit trail (attack 2).
[[nodiscard]] byte_vector audit_signing_input(const signing_context& context, audit_statement kind, byte_span content);

/// The bytes of a signature that is used as a secret, in the same layout with a third domain. A signature over these
/// bytes is never sent, so only its signer knows it. `purpose` separates secrets for different uses.
[[nodiscard]] byte_vector secret_signing_input(const signing_context& context, std::string_view purpose);

}  // namespace hypermesh::messages
