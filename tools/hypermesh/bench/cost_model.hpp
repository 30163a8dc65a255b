#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/hypermesh/bench/crypto_floor.hpp"

namespace hypermesh::cli {

/// The shape of the work whose processor time is predicted. A batch has r requests of k operations.
struct work_shape {
  std::uint32_t replicas = 4;
  std::uint32_t quorum = 3;
  double requests_per_batch = 1;
  double operations_per_request = 1;
  /// Bytes of an operation and of a result.
  double operation_bytes = 0;
  double result_bytes = 0;
  /// Groups of records that a replica writes for a batch; 0 without a disk.
  double writes_per_batch = 0;
};

/// What one operation needs of all replicas together.
struct work_counts {
  /// Frames that replicas send or receive, and their KiB.
  double frames = 0;
  double kib = 0;
  /// Requests and operations that replicas execute: n / k and n.
  double requests = 0;
  double operations = 0;
  /// Groups of records that replicas write.
  double writes = 0;
};

/// The counts follow from the protocol (§4.2). For a batch, the replicas receive r requests, of which one in 16 comes
/// to every replica; they send and receive n - 1 PRE-PREPAREs, (n - 1)² PREPAREs and n (n - 1) COMMITs; and they send
/// n · r replies. CHECKPOINTs and STATUSes are too few to count. Pure.
[[nodiscard]] work_counts counts_of(const work_shape& shape);

/// What the product costs in addition to cryptography, in microseconds of processor time: for a frame on one side of a
/// link (its path through socket, actors and checks), for a KiB of frames, for the execution of a request and of an
/// operation by one replica, and for a write to the disk.
struct unit_costs {
  double frame_us = 0;
  double kib_us = 0;
  double request_us = 0;
  double operation_us = 0;
  double write_us = 0;
};

/// A prediction, in microseconds of processor time of all replicas for one operation.
struct predicted_cost {
  double crypto_us = 0;
  double frames_us = 0;
  double bytes_us = 0;
  double requests_us = 0;
  double operations_us = 0;
  double writes_us = 0;

  [[nodiscard]] double total_us() const {
    return crypto_us + frames_us + bytes_us + requests_us + operations_us + writes_us;
  }
};

/// The cost is that of the cryptography (`floor_of`, with the seals of the frames), and each count times its unit cost.
/// Pure.
[[nodiscard]] predicted_cost predict(const work_shape& shape, const crypto_costs& crypto, const unit_costs& units);

/// A measurement from which unit costs are computed.
struct cost_sample {
  work_shape shape;
  double measured_us = 0;
};

/// The unit costs with the least sum of squared relative errors of the samples, none of them negative. Different
/// samples have to tell the units apart: small and large bundles, small and large operations, with and without a disk.
/// Pure.
[[nodiscard]] unit_costs fit(const std::vector<cost_sample>& samples, const crypto_costs& crypto);

}  // namespace hypermesh::cli
