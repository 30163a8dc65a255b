#pragma once

#include <hypermesh/receipt.hpp>

#include "actors/protocol/receipts/receipt.hpp"

namespace hypermesh::protocol {

/// Compares two receipts of one cluster and names the replicas that the contradiction convicts. Both receipts must have
/// passed `verify_receipt`; their strength does not matter. The judgement is symmetric. If both are quorum receipts, at
/// least f + 1 replicas are named. Otherwise two disjoint groups may have signed, and then nobody is named. Pure.
[[nodiscard]] receipt_judgement judge_receipts(const receipt& one, const receipt& other);

}  // namespace hypermesh::protocol
