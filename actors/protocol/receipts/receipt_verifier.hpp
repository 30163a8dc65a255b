#pragma once

#include <cstddef>

#include <hypermesh/receipt.hpp>

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/receipts/receipt.hpp"

namespace hypermesh::protocol {

/// Whether all signatures of the receipt are genuine signatures of replicas of this cluster over this operation at this
/// place. One wrong signature refuses the receipt. Otherwise the result says how much the receipt proves. Pure; needs
/// no secret, no connection and no other file than the genesis. The receipt may be hostile. Time: a signature check for
/// each signer, of which there are at most n.
[[nodiscard]] or_reason<receipt_strength> verify_receipt(const receipt& shown, const cluster_parameters& cluster,
                                                         const authenticator& members);

/// The strength of a receipt that this many replicas of the group signed.
[[nodiscard]] receipt_strength strength_of(std::size_t signers, group_size group);

/// Whether the replica signed the statement of this place. The collector and the verifier both use this function.
[[nodiscard]] bool is_signed(const signing_context& context, sequence_number sequence, const digest& value,
                             const receipt_signature& shown, const authenticator& members);

}  // namespace hypermesh::protocol
