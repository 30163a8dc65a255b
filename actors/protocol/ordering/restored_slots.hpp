#pragma once

#include "actors/protocol/ordering/prepared_set.hpp"
#include "actors/protocol/ordering/recovered_replica.hpp"
#include "actors/protocol/ordering/replica_status.hpp"
#include "actors/protocol/ordering/slot_log.hpp"

namespace hypermesh {

/// After a restart in the entered view `here`: puts the statements of `self` in this view back into their slots, so
/// that it can only repeat them (attack 9), and the certificates with them. `log` has the watermarks of the stable
/// checkpoint, `bodies` the batches of the last run.
void restore_slots(const recovered_replica& past, replica_id self, const active_view& here, const body_store& bodies,
                   slot_log& log);

/// The last sequence number with a proposal, or h.
[[nodiscard]] sequence_number last_proposal(const slot_log& log);

}  // namespace hypermesh
