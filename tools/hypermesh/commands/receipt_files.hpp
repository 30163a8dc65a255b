#pragma once

#include <filesystem>
#include <string>

#include <hypermesh/receipt.hpp>

#include "tools/hypermesh/client/cluster_session.hpp"

/// The parts that `submit --receipt`, `get --proof`, `verify` and `judge` share.
namespace hypermesh::cli {

/// Returns an error if the file of a new receipt exists. A receipt is never overwritten, because it may be the only
/// proof of an operation. Called before the operation is submitted.
[[nodiscard]] or_error<void> check_new_receipt(const std::filesystem::path& file);

/// Submits the operation, prints the answer of the machine, and writes the receipt to `file`.
[[nodiscard]] exit_code submit_for_receipt_file(cluster_session& session, const byte_vector& operation,
                                                const std::filesystem::path& file, bool as_json);

/// The bytes of a receipt file, which may be hostile. A file that is longer than any receipt is an error.
[[nodiscard]] or_error<byte_vector> read_receipt_file(const std::filesystem::path& file);

/// "3 of 4 replicas, a quorum", "2 of 4 replicas, which is f + 1", or "1 of 4 replicas, too few to prove anything".
[[nodiscard]] std::string strength_text(receipt_strength strength, std::size_t signers, const genesis& cluster);

}  // namespace hypermesh::cli
