#pragma once

#include <string_view>

#include "messages/kinds.hpp"
#include "messages/types.hpp"

namespace hypermesh {

/// The values that bind a signature to one cluster and one membership.
struct signing_context {
  cluster_id cluster;
  epoch_number epoch;

  friend bool operator==(const signing_context&, const signing_context&) = default;
};

/// `domain ‖ version ‖ cluster ‖ epoch ‖ kind ‖ content`: the only bytes that the signature of a message covers.
/// A signature for one kind, cluster, epoch or product never verifies for another (attack 2).
[[nodiscard]] byte_vector signing_input(const signing_context& context, message_kind kind, byte_span content);

/// The kinds of content that a replica signs in its audit trail. They are never on the wire. A number is never reused.
enum class audit_statement : std::uint8_t {
  /// The header of a segment.
  segment = 1,
  /// The chain of entries up to the seal.
  seal = 2,
  /// How far the trail reaches.
  head = 3,
};
inline constexpr auto audit_statement_last = audit_statement::head;

/// The same layout under a domain of its own. Neither domain is a prefix of the other, so a signature in an audit trail
/// never verifies as a message, nor the signature of a message in an audit trail (attack 2).
[[nodiscard]] byte_vector audit_signing_input(const signing_context& context, audit_statement kind, byte_span content);

/// The same layout under a third domain. A signature over these bytes is never sent, so it is a secret of its signer
/// for `purpose`.
[[nodiscard]] byte_vector secret_signing_input(const signing_context& context, std::string_view purpose);

}  // namespace hypermesh
