#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hypermesh/expected.hpp>
#include <hypermesh/state_machine.hpp>
#include <hypermesh/types.hpp>

/// Receipts: proofs that a cluster executed an operation. A third party checks them with the genesis file alone,
/// without a connection to the cluster.
namespace hypermesh {

/// What the signatures of a genuine receipt show.
enum class receipt_strength : std::uint8_t {
  /// At most f replicas signed. All of them may be faulty, so the receipt proves nothing about the operation.
  insufficient = 0,
  /// f + 1 replicas signed. One of them is correct if at most f replicas are faulty, so the operation was executed.
  sufficient = 1,
  /// A quorum signed. In addition, any second quorum receipt that contradicts this one convicts f + 1 replicas, however
  /// many are faulty: two quorums share f + 1 replicas, and each of these signed both receipts.
  quorum = 2,
};
inline constexpr auto receipt_strength_last = receipt_strength::quorum;

/// The name in snake_case, for example "quorum".
[[nodiscard]] std::string_view to_string(receipt_strength what);

/// How two genuine receipts contradict each other.
enum class receipt_contradiction : std::uint8_t {
  none = 0,
  /// Two statements for one sequence number. A correct replica executes each sequence number once.
  two_statements = 1,
  /// One request at two places, or with two contents. A correct replica executes each request once.
  executed_twice = 2,
  /// A later sequence number has an earlier ordered time. At a correct replica the time never falls.
  time_fell = 3,
};
inline constexpr auto receipt_contradiction_last = receipt_contradiction::time_fell;

/// The name in snake_case, for example "two_statements".
[[nodiscard]] std::string_view to_string(receipt_contradiction what);

/// The outcome of an operation, with its receipt.
struct receipted_outcome {
  submit_outcome outcome;
  /// The receipt as a file. Empty if the operation has no result, or if fewer than f + 1 replicas signed in time.
  byte_vector receipt = {};
  receipt_strength strength = receipt_strength::insufficient;
};

/// What a genuine receipt proves, to the degree of its strength.
struct receipt_report {
  receipt_strength strength = receipt_strength::insufficient;
  std::vector<replica_id> signers;
  /// The client that signed the request, the session and timestamp of the request, and the number of the operation in
  /// it.
  client_id client;
  session_id session;
  timestamp when;
  std::uint32_t index = 0;
  /// The batch that contains the request, as in the COMMITs of an audit trail, and the ordered time after it.
  sequence_number sequence;
  digest batch;
  std::chrono::sys_time<std::chrono::milliseconds> ordered_time{};
  byte_vector operation;
  operation_result result;
};

/// The comparison of two genuine receipts.
struct receipt_judgement {
  receipt_contradiction what = receipt_contradiction::none;
  /// The replicas that contradicted themselves, in ascending order. Each of them is faulty, whatever the number of
  /// faulty replicas is. If both receipts have a quorum and contradict each other, at least f + 1 replicas are named.
  std::vector<replica_id> culprits = {};
};

/// Checks all signatures of a receipt. `receipt` may be any bytes. Returns an error if the genesis file is wrong or the
/// receipt is not genuine. A genuine receipt proves the operation only if its strength is at least `sufficient`.
[[nodiscard]] or_error<receipt_report> verify_receipt(byte_span receipt, const std::string& genesis_file);

/// Compares two receipts, which may be any bytes. Returns an error if one of them is not genuine.
[[nodiscard]] or_error<receipt_judgement> judge_receipts(byte_span one, byte_span other,
                                                         const std::string& genesis_file);

}  // namespace hypermesh
