#pragma once

#include "actors/protocol/ordering/prepared_set.hpp"
#include "actors/protocol/ordering/recovered_replica.hpp"
#include "actors/protocol/ordering/replica_status.hpp"
#include "actors/protocol/ordering/slot_log.hpp"

namespace hypermesh::protocol {

/// Called after a restart in the view `here`, which the replica had entered. Puts the statements that `self` signed in
/// this view back into their slots, so that the replica can only repeat them (attack 9). Also restores the
/// certificates. `log` has the watermarks of the stable checkpoint, `bodies` the batches of the last run.
void restore_slots(const recovered_replica& past, replica_id self, const active_view& here, const body_store& bodies,
                   slot_log& log);

/// The last sequence number with a proposal, or h.
[[nodiscard]] sequence_number last_proposal(const slot_log& log);

}  // namespace hypermesh::protocol
