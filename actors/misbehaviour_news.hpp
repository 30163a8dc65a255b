#pragma once

#include "actors/interfaces.hpp"

namespace hypermesh {

/// Tells the guard what an observation holds against a replica, if it does.
template <class Self>
void tell_misbehaviour(Self* self, const neighbours& with, const observation& what, group_size group) {
  const auto seen = misbehaviour_in(what, group);
  if (!seen) return;
  self->send(with.fault_detector, misbehaved{*seen});
  self->send(with.reputation_tracker, misbehaved{*seen});
}

}  // namespace hypermesh
