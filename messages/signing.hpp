#pragma once

#include <string_view>

#include "messages/kinds.hpp"
#include "messages/types.hpp"

namespace hypermesh {

/// What binds a signature to one cluster and one membership.
struct signing_context {
  cluster_id cluster;
  epoch_number epoch;

  friend bool operator==(const signing_context&, const signing_context&) = default;
};

/// `domain ‖ version ‖ cluster ‖ epoch ‖ kind ‖ content`: the only bytes that are ever signed.
/// A signature for one kind, cluster, epoch or product never verifies for another (attack 2).
[[nodiscard]] byte_vector signing_input(const signing_context& context, message_kind kind, byte_span content);

/// What a replica signs in its audit trail. Never on the wire, and a number is never reused.
enum class audit_statement : std::uint8_t {
  /// The first bytes of a segment.
  segment = 1,
  /// The chain up to here.
  seal = 2,
  /// How far the trail reaches.
  head = 3,
};
inline constexpr auto audit_statement_last = audit_statement::head;

/// The same form under a domain of its own, which differs from the other one before either ends: a signature in an
/// audit trail never verifies as a message, nor the other way round (attack 2).
[[nodiscard]] byte_vector audit_signing_input(const signing_context& context, audit_statement kind, byte_span content);

/// The same form under a third domain: a signature over this is shown to nobody, and so a secret of its signer for
/// `purpose`.
[[nodiscard]] byte_vector secret_signing_input(const signing_context& context, std::string_view purpose);

}  // namespace hypermesh
