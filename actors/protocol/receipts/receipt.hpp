#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <hypermesh/state_machine.hpp>

#include "messages/expected.hpp"
#include "messages/limits.hpp"
#include "messages/signing.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// An operation that was executed, and its result. A receipt proves all fields.
struct executed_operation {
  request_id id;
  /// `digest_of_request` of the request that contains the operation.
  digest request;
  /// The number of the operation in its request.
  std::uint32_t index = 0;
  byte_vector operation;
  operation_status status = operation_status::applied;
  byte_vector result;

  friend bool operator==(const executed_operation&, const executed_operation&) = default;
};

/// A signature of a replica over the RECEIPT statement of a receipt.
struct receipt_signature {
  replica_id replica;
  signature by;

  friend bool operator==(const receipt_signature&, const receipt_signature&) = default;
};

/// The proof that a cluster executed an operation. A third party checks it with the genesis alone. All signatures are
/// over one statement, ⟨RECEIPT, n, D(n)⟩, where D(n) covers the batch with sequence number n, its ordered time, and
/// all operations that it executed with their results. A value of this type may come from a hostile file, so it proves
/// nothing before `verify_receipt`. Memory: at most `receipt_bytes_max`.
struct receipt {
  /// The cluster and epoch of the signatures.
  signing_context context;
  executed_operation what;
  receipt_place place;
  /// In ascending order of the replicas, so that equal receipts have equal bytes.
  std::vector<receipt_signature> signatures;

  friend bool operator==(const receipt&, const receipt&) = default;
};

/// The longest receipt: the largest operation and result, two full paths of 320 bytes, 100 signatures of 68 bytes, and
/// less than 256 bytes of fixed fields.
inline constexpr std::size_t receipt_bytes_max = limits::operation_bytes_max + limits::result_bytes_max +
                                                 2 * limits::receipt_path_max * digest::size +
                                                 limits::replicas_max * 68 + 256;

/// The leaf of an operation in the tree of its request.
[[nodiscard]] digest receipt_leaf_of(byte_span operation, std::uint8_t status, byte_span result);
/// The leaf of a request in the tree of its batch. `operations` is the root over its operations.
[[nodiscard]] digest receipt_leaf_of(const request_id& id, const digest& request, const digest& operations);
/// D(n) of a RECEIPT statement. `executed` is the root over the requests that the batch executed.
[[nodiscard]] digest receipt_value_of(const digest& batch, wall_time ordered_time, const digest& executed);

/// D(n) that puts this operation at this place. Returns nothing if a path has the wrong length or a number is out of
/// its range, so any two values may be given.
[[nodiscard]] std::optional<digest> receipt_value_of(const executed_operation& what, const receipt_place& place);

/// The statement that replica `signer` signs, under the kind RECEIPT-REPLY. As in a CHECKPOINT, the view is 0, because
/// a correct replica makes the same statement in every view.
[[nodiscard]] statement receipt_statement(sequence_number sequence, const digest& value, replica_id signer,
                                          epoch_number epoch);
/// The bytes that the signature over this statement covers.
[[nodiscard]] byte_vector receipt_signing_input(const signing_context& context, sequence_number sequence,
                                                const digest& value, replica_id signer);

/// The file form. There is exactly one for each receipt. `receipts/README.md` has the table of its fields.
[[nodiscard]] byte_vector bytes_of(const receipt& value);
/// Reads the file form; the bytes may be anything. Everything that the bytes alone can show is checked.
[[nodiscard]] or_reason<receipt> read_receipt(byte_span bytes);

}  // namespace hypermesh::protocol
