#include <algorithm>
#include <utility>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/ordering/retransmission.hpp"
#include "messages/codec.hpp"

// The retransmission of TOCS '02 §5.2: what a replica does at each tick, and how it answers a STATUS.

namespace hypermesh::protocol {

namespace {

/// Ticks without progress after which a certified state is fetched instead of awaited.
constexpr unsigned ticks_behind_max = 2;

/// A replica that lost its disk repeats its wish every this many ticks, because the message may have been lost.
constexpr std::uint64_t wish_ticks = 2;

/// Ticks between leaving a view and sending this replica's VIEW-CHANGE again, so that the first one has time to arrive.
constexpr std::uint64_t view_change_ticks = 2;

}  // namespace

replica_effects replica_core::on_tick() {
  replica_effects out;
  report_progress(out);
  if (status_.is_diverged()) return out;
  ++ticks_;
  answered_.clear();
  const bool stalled = stall_.on_tick(last_executed_, last_decided_);
  // If h of the other replicas is at or above this H, they have discarded all messages that this replica could accept.
  // So waiting is useless.
  const bool out_of_reach = lacks_state() && ahead_->sequence() >= log_.marks().high();
  if (lacks_state() && stalled && (stall_.count_wait() >= ticks_behind_max || out_of_reach)) out.fetch = ahead_;
  const auto* here = status_.active();
  const bool open = here == nullptr || !here->reproposals.empty() || log_.last() > last_decided_ || ahead_ != nullptr;
  rights_.on_tick();
  const bool asks = (open && stalled) || has_hole() || rights_.awaits_first_start();
  if (asks || ticks_ % idle_status_ticks == 0) send_status(out);
  decide_first_start(out);
  if (ticks_ % wish_ticks == 0) wish(out);
  // The own wall clock may have reached the time of a batch meanwhile.
  if (std::exchange(withholds_, false)) catch_up(out);
  propose_null_requests(out);
  return out;
}

/// Whether a later slot is decided while the next slot is not. The messages of the next slot were sent earlier and were
/// probably lost, so this replica must ask for them.
bool replica_core::has_hole() const {
  if (is_decided(last_decided_.next())) return false;
  return std::ranges::any_of(log_.slots(), [this](const auto& each) {
    return each.first > last_decided_.next() && each.second.is_committed_local(group_);
  });
}

void replica_core::send_status(replica_effects& out) const {
  const status own{
      self_, view(), is_active(),       log_.marks().low(), last_decided_, progress_after(log_, group_, last_decided_),
      {},    {},     !rights_.is_full()};
  auto buffer = status_buffer(own);
  const auto by = keys_->sign(signing_input(cluster_.signing, message_kind::status, buffer));
  out.sends.push_back({std::nullopt, seal(message_kind::status, std::move(buffer), by)});
}

void replica_core::answer_status(const status& value, replica_effects& out) {
  // Each replica gets one answer in a tick, because a STATUS is small and its answer may be large (attack 33).
  if (!answered_.insert(value.replica).second) return reject(value.replica, rejection::duplicate, out);
  // A replica below the stable checkpoint may need the state, whatever its view.
  if (stable_ != nullptr && value.low_watermark < stable_->sequence()) {
    out.sends.push_back({value.replica, encode(checkpoint_proof{*stable_})});
  }
  if (value.view > view()) return reject(value.replica, rejection::other_view, out);
  auto* here = status_.active();
  // Bodies are large: besides the primary only one backup, another one each tick, sends a body again. If the primary
  // itself lacks a body, any backup may be the one that has it.
  const bool sends_all = is_primary() || value.replica == primary();
  retransmission repair{log_, group_, self_, sends_all ? std::nullopt : std::optional{ticks_}};
  if (here != nullptr && value.view == view() && value.active) {
    // A new primary that lacks bodies itself answers the STATUS again when it has them.
    if (is_primary() && lacks_body()) here->unanswered.insert_or_assign(value.replica, value);
    return repair.answer(value, out.sends);
  }
  // A replica that is behind gets the NEW-VIEW of the view that this replica has entered. While this replica still
  // waits for a NEW-VIEW, it sends its VIEW-CHANGE instead, because the other replica may need it (attack 20).
  const auto* waiting = status_.changing();
  const bool fresh = waiting != nullptr && ticks_ - waiting->left_at_tick < view_change_ticks;
  const bool behind = value.view < view() || !value.active;
  const auto& proof = waiting != nullptr ? waiting->own_change : here->opened_by;
  if (behind && !fresh && proof != nullptr) out.sends.push_back({value.replica, proof});
}

}  // namespace hypermesh::protocol
