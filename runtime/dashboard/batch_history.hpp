#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "actors/protocol/base/observations.hpp"

namespace hypermesh::runtime {

/// A batch with the moments of its phases and of the votes for it at this node; `moment{}` for one that is unknown.
struct shown_batch {
  sequence_number sequence;
  view_number view;
  phase_times times;
  moment executed;
  moment replied;
  std::uint64_t requests = 0;
  /// The votes of other replicas that had arrived when the batch was committed, at most two of each replica.
  std::vector<vote_arrival> votes;

  /// Both the certificate and the execution were observed.
  [[nodiscard]] bool is_complete() const { return times.committed != moment{} && executed != moment{}; }
  /// The first known moment: when the primary received the oldest request, or else the first later phase or vote.
  [[nodiscard]] moment begin() const;
};

/// The last batches of a node with their votes, without the ids of requests. `trace_ring` (`../trace`) has the ids and
/// is off by default; this history is small enough to be always on. Pure.
///
/// Memory: `batches_max` batches of at most 5 KiB, which is the size with 100 replicas.
class batch_history {
 public:
  static constexpr std::size_t batches_max = 32;

  /// Returns the batch that this observation completes; null if it completes none. The pointer is valid until the next
  /// call.
  const shown_batch* note(const observation& what);

  /// The complete batches in the order of their sequence numbers.
  [[nodiscard]] std::vector<shown_batch> batches() const;

 private:
  /// The entry of this sequence; null if a later batch has its place.
  [[nodiscard]] shown_batch* entry_of(sequence_number sequence);

  /// The entry of sequence n is at n mod `batches_max`.
  std::array<shown_batch, batches_max> entries_;
};

}  // namespace hypermesh::runtime
