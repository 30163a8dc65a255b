#include "actors/protocol/ordering/replica_status.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh::protocol {

bool replica_status::has_entered() const {
  // A diverged replica continues in its view after the repair, so the view counts as entered.
  if (const auto* wrong = std::get_if<diverged>(&now_)) return std::holds_alternative<active_view>(wrong->interrupted);
  return active() != nullptr;
}

void replica_status::leave(view_number to, std::uint64_t tick) {
  require(to > view_, "views only grow");
  require(!is_diverged(), "a diverged replica leaves no view");
  view_ = to;
  // The waiting batches, the null requests and O belong to the old view. They are dropped here, so none of them can be
  // proposed in the new view.
  now_ = changing_view{nullptr, tick};
}

void replica_status::keep_view_change(frame_ptr own) {
  auto* waiting = std::get_if<changing_view>(&now_);
  require(waiting != nullptr && waiting->own_change == nullptr, "one VIEW-CHANGE is made for each view that is left");
  waiting->own_change = std::move(own);
}

void replica_status::enter(active_view entered) {
  // A second NEW-VIEW must not replace O of the first one (attack 13).
  require(changing() != nullptr, "a view is entered once");
  require(entered.opened_by != nullptr, "a view after view 0 has its NEW-VIEW");
  now_ = std::move(entered);
}

void replica_status::diverge(sequence_number since) {
  if (auto* wrong = std::get_if<diverged>(&now_)) {
    // Only a state at or after the newest wrong sequence number ends the divergence. An older certified state is
    // correct too, but the batches between the two may have been removed from the log.
    wrong->since = std::max(wrong->since, since);
  } else if (auto* here = active()) {
    now_ = diverged{since, std::move(*here)};
  } else {
    now_ = diverged{since, std::move(std::get<changing_view>(now_))};
  }
}

bool replica_status::repair(sequence_number sequence) {
  auto* wrong = std::get_if<diverged>(&now_);
  require(wrong != nullptr, "only a diverged replica is repaired");
  if (sequence < wrong->since) return false;
  auto interrupted = std::move(wrong->interrupted);
  std::visit([this](auto& each) { now_ = std::move(each); }, interrupted);
  // The number is published with the position, because this replica has dropped messages during the divergence, and the
  // pre-verification filter has to pass them again (attack 27).
  ++repairs_;
  return true;
}

bool replica_status::hold(std::shared_ptr<const batch> content) {
  auto* here = active();
  // The batch is proposed after the repair. If it were dropped, the batcher would wait for its execution.
  if (auto* wrong = std::get_if<diverged>(&now_)) here = std::get_if<active_view>(&wrong->interrupted);
  if (here == nullptr) return false;
  here->waiting.push_back(std::move(content));
  return true;
}

}  // namespace hypermesh::protocol
