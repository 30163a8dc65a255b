#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "runtime/trace/trace_settings.hpp"

/// The way of the last requests through the phases of PBFT at one node.
namespace hypermesh::runtime {

/// A batch with the moments at which it reached its phases here; `moment{}` for one that is unknown.
struct traced_batch {
  sequence_number sequence;
  view_number view;
  phase_times times;
  moment executed;
  moment replied;
  /// The requests of the batch, or the first of them.
  std::vector<request_id> requests;
  std::uint64_t requests_total = 0;

  /// Both the certificate and the execution were observed.
  [[nodiscard]] bool is_complete() const { return times.committed != moment{} && executed != moment{}; }
};

/// The last batches of a node. Nothing is stored for a request on its way: the observations that end the agreement on a
/// batch and its execution have all moments. Pure.
///
/// Memory: for each of `batches` 120 bytes, and at most `requests_max` ids of 24 bytes.
class trace_ring {
 public:
  /// Requests of a batch beyond this number are only counted, because a client may bundle as many as it likes.
  static constexpr std::size_t requests_max = 256;

  explicit trace_ring(std::uint32_t batches) : entries_(batches) {}

  void note(const observation& what);

  /// The complete batches in the order of their sequence numbers: the newest ones whose text may fit into this number
  /// of bytes. The bound keeps the copy small, which is made while the ring is locked.
  [[nodiscard]] std::vector<traced_batch> batches(std::size_t text_bytes_max) const;

 private:
  /// The entry of this sequence; null if a later batch has its place.
  [[nodiscard]] traced_batch* entry_of(sequence_number sequence);

  /// The entry of sequence n is at n mod `batches`.
  std::vector<traced_batch> entries_;
};

static_assert(sizeof(request_id) <= 24 && sizeof(traced_batch) <= 128);
static_assert(trace_batches_max * (sizeof(traced_batch) + trace_ring::requests_max * sizeof(request_id)) <=
                  std::size_t{104} * 1'024 * 1'024,
              "the largest trace takes about 100 MiB");

/// The ring of a running node. Thread-safe: the monitor writes, the HTTP server reads. The lock is held for one batch,
/// or while the newest of them are copied, which takes some milliseconds.
class trace_hub {
 public:
  explicit trace_hub(std::uint32_t batches) : ring_(batches) {}

  void note(const observation& what) {
    const std::scoped_lock lock{guard_};
    ring_.note(what);
  }
  [[nodiscard]] std::vector<traced_batch> batches(std::size_t text_bytes_max) const {
    const std::scoped_lock lock{guard_};
    return ring_.batches(text_bytes_max);
  }

 private:
  mutable std::mutex guard_;
  trace_ring ring_;
};

}  // namespace hypermesh::runtime
