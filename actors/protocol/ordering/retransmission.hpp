#pragma once

#include <optional>
#include <vector>

#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/ordering/slot_log.hpp"

namespace hypermesh::protocol {

/// The progress of the slots after `last_decided`, as a STATUS reports it.
[[nodiscard]] std::vector<slot_progress> progress_after(const slot_log& log, group_size group,
                                                        sequence_number last_decided);

/// TOCS '02 §5.2: sends again to a replica of the same view what its STATUS shows to be missing. Pure. It reads the log
/// at the time of the call, and stores the frames that it encodes in the log.
class retransmission {
 public:
  /// `relay_turn` selects the sequence numbers whose bodies this replica sends. In each turn one backup sends a body,
  /// and in the next turn another backup does. Without a `relay_turn` this replica sends all bodies; the primary does
  /// this, and also a backup that answers the primary.
  retransmission(slot_log& log, group_size group, replica_id self, std::optional<std::uint64_t> relay_turn)
      : log_(&log), group_(group), self_(self), relay_turn_(relay_turn) {}

  void answer(const status& asked, std::vector<outgoing_message>& sends) const;

 private:
  std::size_t send(replica_id to, sequence_number sequence, slot_progress has,
                   std::vector<outgoing_message>& sends) const;
  [[nodiscard]] bool relays(sequence_number sequence) const;

  slot_log* log_;
  group_size group_;
  replica_id self_;
  std::optional<std::uint64_t> relay_turn_;
};

}  // namespace hypermesh::protocol
