#include "actors/protocol/ordering/first_start.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

void first_start::on_status(const status& value) {
  require(group_.contains(value.replica), "a verified STATUS comes from a member");
  // Another process with the same key knows nothing about this directory.
  if (value.replica == self_) return;
  const auto [place, is_first] = heard_.try_emplace(value.replica, shows_no_beginning(value));
  if (is_first && place->second) ++quiet_;
}

void first_start::on_tick() {
  if (quiet_is_enough()) ++ticks_waited_;
}

bool first_start::shows_no_beginning(const status& value) const {
  // In a later view the slots of the report say nothing about view 0.
  if (value.view != view_number{0} || value.low_watermark != sequence_number{0}) return false;
  if (value.last_decided != sequence_number{0}) return false;
  // Only this replica can have made a PRE-PREPARE of a view that it leads, so it has proposed before. A backup has at
  // most prepared the same PRE-PREPARE, which it will get again.
  const bool is_own_view = group_.primary_of(view_number{0}) == self_;
  return std::ranges::none_of(value.slots, [is_own_view](const slot_progress& each) {
    return each.prepared || each.committed || (is_own_view && each.has_pre_prepare);
  });
}

first_start::finding first_start::found() const {
  const std::size_t others = group_.replicas() - 1;
  const auto begun = heard_.size() - quiet_;
  if (others - begun < enough()) return finding::refuted;
  const bool is_over = heard_.size() == others || ticks_waited_ >= patience_ticks;
  return quiet_is_enough() && is_over ? finding::proven : finding::open;
}

}  // namespace hypermesh::protocol
