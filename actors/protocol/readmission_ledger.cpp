#include "actors/protocol/readmission_ledger.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh {

readmission_ledger::readmission_ledger(const cluster_parameters& cluster) : cluster_(cluster) {
  moves_.paid_off_at.resize(cluster.replicas);
}

bool readmission_ledger::may_ask(const agreed_moves& moves, replica_id about, sequence_number after,
                                 const cluster_parameters& cluster) {
  const auto interval = interval_windows * cluster.watermark_window;
  // Before the first word of the executor nobody has asked for anything.
  return about.value >= moves.paid_off_at.size() ||
         moves.paid_off_at[about.value] <= after.plus((burst - 1) * interval);
}

sequence_number readmission_ledger::period_end(sequence_number floor, const cluster_parameters& cluster) {
  const auto period = cluster.checkpoint_period;
  return sequence_number{(floor.value + period - 1) / period * period};
}

/// A leaky bucket that leaks with the sequence: no clock is agreed.
bool readmission_ledger::charge(replica_id about, sequence_number sequence) {
  if (!may_ask(moves_, about, sequence, cluster_)) return false;
  auto& paid_off_at = moves_.paid_off_at[about.value];
  paid_off_at = std::max(paid_off_at, sequence).plus(interval_windows * cluster_.watermark_window);
  return true;
}

bool readmission_ledger::apply(const ballot& wanted, sequence_number sequence) {
  require(wanted.kind == message_kind::readmission || wanted.kind == message_kind::hand_over,
          "complaints and pardons are for the reputation ledger");
  return wanted.kind == message_kind::readmission ? readmit(wanted, sequence) : hand_over(wanted, sequence);
}

bool readmission_ledger::readmit(const ballot& wanted, sequence_number sequence) {
  const auto through = period_end(wanted.sequence, cluster_);
  if (wanted.sequence > sequence.plus(reach_windows * cluster_.watermark_window)) return false;
  // Nothing to do, and nothing to pay: two replicas may have asked for the same.
  if (through <= std::max(moves_.advance_through, sequence)) return false;
  if (!charge(wanted.about, sequence)) return false;
  moves_.advance_through = through;
  events_.push_back({wanted, sequence, through});
  return true;
}

bool readmission_ledger::hand_over(const ballot& wanted, sequence_number sequence) {
  // One that steps down says nothing about any other view, and is done when the view is over, so nothing is kept.
  const bool alone = wanted.cause == hand_over_cause::step_down;
  if (!alone && wanted.to <= moves_.least_view) return false;
  if (wanted.cause == hand_over_cause::readmission && !charge(wanted.about, sequence)) return false;
  if (!alone) moves_.least_view = wanted.to;
  moves_.advance_through = std::max(moves_.advance_through, period_end(sequence, cluster_));
  events_.push_back({wanted, sequence, {}});
  return true;
}

// --- As part of the state --------------------------------------------------------

void readmission_ledger::write(byte_writer& out) const {
  out.number<std::uint64_t>(moves_.advance_through.value);
  out.number<std::uint64_t>(moves_.least_view.value);
  for (const auto& each : moves_.paid_off_at)
    out.number<std::uint64_t>(each.value);
}

bool readmission_ledger::read(byte_reader& in) {
  agreed_moves moves;
  moves.advance_through = sequence_number{in.number<std::uint64_t>()};
  moves.least_view = view_number{in.number<std::uint64_t>()};
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number)
    moves.paid_off_at.push_back(sequence_number{in.number<std::uint64_t>()});
  if (in.failed()) return false;
  moves_ = std::move(moves);
  return true;
}

}  // namespace hypermesh
