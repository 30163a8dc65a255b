#include "actors/protocol/execution/checkpoint_parts.hpp"

#include <utility>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

checkpoint_parts::checkpoint_parts(sequence_number sequence, byte_vector layout_head, byte_vector layout_tail,
                                   std::shared_ptr<frozen_state> machine, state_snapshot clients)
    : sequence_(sequence),
      layout_head_(std::move(layout_head)),
      layout_tail_(std::move(layout_tail)),
      machine_(std::move(machine)),
      clients_(std::move(clients)) {
  require(machine_ != nullptr, "a state has a machine");
}

state_snapshot checkpoint_parts::assemble() const {
  const auto& machine = machine_->finish();
  byte_writer layout{layout_head_.size() + sizeof(std::uint64_t) + layout_tail_.size()};
  layout.bytes(layout_head_).number<std::uint64_t>(machine.size()).bytes(layout_tail_);
  auto bytes = layout.take();
  // The order is fixed, because the root is over the chunks in their order: layout, machine, clients.
  state_snapshot all;
  all.reserve(1 + machine.size() + clients_.size());
  const auto leaf = state_chunk_digest(bytes);
  all.push_back({std::make_shared<const byte_vector>(std::move(bytes)), leaf});
  all.insert(all.end(), machine.begin(), machine.end());
  all.insert(all.end(), clients_.begin(), clients_.end());
  return all;
}

std::shared_ptr<frozen_state> freeze(state_machine& machine) {
  if (auto* freezable = dynamic_cast<freezable_state*>(&machine)) {
    auto frozen = freezable->freeze();
    require(frozen != nullptr, "a machine freezes to a state");
    return frozen;
  }
  return std::make_shared<known_state>(machine.snapshot());
}

}  // namespace hypermesh::protocol
