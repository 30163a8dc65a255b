#pragma once

#include "actors/interfaces.hpp"

namespace hypermesh::actors {

/// If an observation shows a misbehaviour, reports it to the fault detector and the reputation tracker.
template <class Self>
void tell_misbehaviour(Self* self, const node_actors& with, const observation& what, group_size group) {
  const auto seen = observed_misbehaviour_in(what, group);
  if (!seen) return;
  self->send(with.fault_detector, misbehaved{*seen});
  self->send(with.reputation_tracker, misbehaved{*seen});
}

}  // namespace hypermesh::actors
