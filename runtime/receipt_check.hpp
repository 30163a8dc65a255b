#pragma once

#include <hypermesh/receipt.hpp>

#include "runtime/genesis.hpp"

/// Checks receipts against a genesis that was read before. `hypermesh/receipt.hpp` has the same functions for hosts.
namespace hypermesh::runtime {

/// Checks all signatures of a receipt. The bytes may be anything. The error says why the receipt is not genuine.
[[nodiscard]] or_error<receipt_report> check_receipt(byte_span bytes, const genesis& cluster);

/// Compares two receipts. The error says which of them is not genuine, and why.
[[nodiscard]] or_error<receipt_judgement> compare_receipts(byte_span one, byte_span other, const genesis& cluster);

}  // namespace hypermesh::runtime
