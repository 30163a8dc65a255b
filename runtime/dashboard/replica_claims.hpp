#pragma once

#include <vector>

#include "actors/protocol/base/observations.hpp"

namespace hypermesh::runtime {

/// What this node knows about another replica: its own link to it, and the last STATUS on that
/// link, which is a claim of the other replica.
struct replica_claim {
  bool is_linked = false;
  /// When the STATUS arrived; `moment{}` if none has arrived on the present link.
  moment heard{};
  view_number view;
  /// Whether the replica says that it has entered `view`.
  bool is_active = false;
  sequence_number last_decided;
  sequence_number low_watermark;
  bool is_on_probation = false;
};

/// The claims of all replicas. Pure: the caller gives the time. Memory: 56 bytes for each replica.
class replica_claims {
 public:
  replica_claims(replica_id self, std::uint32_t replicas) : self_(self), all_(replicas) {}

  void note(const observation& what, moment now);
  /// A STATUS from before a change of the link no longer counts, because the replica may have restarted.
  void on_link(replica_id to, bool is_up);

  /// By replica number. The entry of this node itself is empty.
  [[nodiscard]] const std::vector<replica_claim>& all() const { return all_; }

 private:
  replica_id self_;
  std::vector<replica_claim> all_;
};

}  // namespace hypermesh::runtime
