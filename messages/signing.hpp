#pragma once

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

}  // namespace hypermesh
