#pragma once

#include <cstdint>

namespace hypermesh::cli {

/// What cryptography costs one core of this machine, in microseconds of processor time. Times of other processes are
/// not part of it.
struct crypto_costs {
  double sign_us = 0;
  double verify_us = 0;
  /// Sealing and opening a frame: a part for each frame, and a part for each KiB of it.
  double seal_us = 0;
  double seal_us_per_kib = 0;
  double hash_us = 0;
  double hash_us_per_kib = 0;
};

/// Measures the costs in about half a second: Ed25519 with inputs of 256 bytes, XChaCha20-Poly1305 as the links use it,
/// and BLAKE2b. Each is the fastest of several rounds.
[[nodiscard]] crypto_costs measure_crypto();

/// The shape of the work of which the floor is computed.
struct floor_shape {
  std::uint32_t replicas = 4;
  std::uint32_t quorum = 3;
  double requests_per_batch = 1;
  double operations_per_request = 1;
  double operation_bytes = 0;
  /// Frames that the replicas sent and received for an operation, and their KiB; 0 if unknown.
  double frames_per_operation = 0;
  double kib_per_operation = 0;
  /// The share of the operations that are ordered. Committed reads need no signature.
  double ordered_share = 1;
  /// Whether clients sign their requests. Otherwise the seals of the frames authenticate them.
  bool requests_are_signed = true;
};

/// The processor time without which no implementation can agree in this way, for one operation, in microseconds.
struct crypto_floor {
  double signatures = 0;
  double verifications = 0;
  /// All replicas together.
  double signing_us = 0;
  double verifying_us = 0;
  double hashing_us = 0;
  double sealing_us = 0;

  [[nodiscard]] double replicas_us() const { return signing_us + verifying_us + hashing_us + sealing_us; }
};

/// The floor of all replicas together without faults (§4.2), for n replicas with quorums of q, r requests in a batch
/// and k operations in a request. A batch needs
///
/// - n · r verifications, because each replica verifies the client's signature of each request, if there is one;
/// - 1 signed PRE-PREPARE and n - 1 verifications of it;
/// - n - 1 signed PREPAREs. The primary needs q - 1 of them, and a backup q - 2 besides its own;
/// - n signed COMMITs, of which each replica needs q - 1 besides its own;
/// - a digest of each request and of the batch at each replica, and a hash over the bytes of each request, which is a
///   part of the verification of its signature.
///
/// Replies have no signatures. An ordered operation has 1 / (r · k) of the costs of a batch, and every
/// operation has the seals of its frames.
[[nodiscard]] crypto_floor floor_of(const crypto_costs& costs, const floor_shape& shape);

}  // namespace hypermesh::cli
