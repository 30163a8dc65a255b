#pragma once

#include <optional>
#include <vector>

#include "actors/protocol/effects.hpp"
#include "actors/protocol/slot_log.hpp"

namespace hypermesh {

/// What a STATUS says about the slots after `last_decided`.
[[nodiscard]] std::vector<slot_progress> progress_after(const slot_log& log, group_size group,
                                                        sequence_number last_decided);

/// TOCS '02 §5.2: sends again to a replica of the same view what its STATUS says it lacks. Pure; reads the log of the
/// moment, and keeps in it the frames that it makes.
class slot_repair {
 public:
  /// `relay_turn` chooses the sequences whose bodies a backup sends, another backup's each turn; the primary has none
  /// and sends all.
  slot_repair(slot_log& log, group_size group, replica_id self, std::optional<std::uint64_t> relay_turn)
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

}  // namespace hypermesh
