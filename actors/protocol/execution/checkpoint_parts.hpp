#pragma once

#include <memory>

#include <hypermesh/large_state.hpp>

#include "actors/ports.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The state after a checkpoint's sequence number, as the parts from which a snapshot is made. Execution continues as
/// soon as it has these parts; the chunks are hashed afterwards, by the actor that needs them first. Pure: equal states
/// give equal snapshots, whenever `assemble` is called. Memory: the layout of some KiB; the chunks are shared with the
/// machine and the client table.
class checkpoint_parts {
 public:
  /// `layout_head` and `layout_tail` are the content of the first chunk before and behind the number of chunks of the
  /// machine, which is known once `machine` is finished.
  checkpoint_parts(sequence_number sequence, byte_vector layout_head, byte_vector layout_tail,
                   std::shared_ptr<frozen_state> machine, state_snapshot clients);

  [[nodiscard]] sequence_number sequence() const { return sequence_; }

  /// The layout, the chunks of the machine and those of the client table, in this order.
  [[nodiscard]] state_snapshot assemble() const;

 private:
  sequence_number sequence_;
  byte_vector layout_head_;
  byte_vector layout_tail_;
  std::shared_ptr<frozen_state> machine_;
  state_snapshot clients_;
};

/// The present state of a machine. A machine that is not freezable makes its snapshot now.
[[nodiscard]] std::shared_ptr<frozen_state> freeze(state_machine& machine);

}  // namespace hypermesh::protocol
