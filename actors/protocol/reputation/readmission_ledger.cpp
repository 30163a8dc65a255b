#include "actors/protocol/reputation/readmission_ledger.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

readmission_ledger::readmission_ledger(const cluster_parameters& cluster) : cluster_(cluster) {
  moves_.paid_off_at.resize(cluster.replicas);
}

std::uint64_t readmission_ledger::interval_of(const cluster_parameters& cluster) {
  // Example with f = 6 and L = 256: six replicas ask in turn, and each request moves the group by 1,024 sequences. With
  // an interval of 16 windows, each round would earn the next six requests, so the group would never become idle.
  // Therefore the interval is 48 windows.
  const std::uint64_t windows = 2 * reach_windows * cluster.group().faulty_max();
  return std::max(interval_windows_min, windows) * cluster.watermark_window;
}

bool readmission_ledger::may_ask(const agreed_moves& moves, replica_id about, sequence_number after,
                                 const cluster_parameters& cluster) {
  const auto interval = interval_of(cluster);
  // `moves` is empty until the executor has reported once; in that case no request was granted yet. Example with L =
  // 256: an interval is 4,096 sequences. Eight requests at sequence 100 are paid off at 32,868. A ninth one is granted
  // from 32,868 - 7 * 4,096 = 4,196 on.
  return about.value >= moves.paid_off_at.size() ||
         moves.paid_off_at[about.value] <= after.plus((burst - 1) * interval);
}

sequence_number readmission_ledger::period_end(sequence_number floor, const cluster_parameters& cluster) {
  const auto period = cluster.checkpoint_period;
  return sequence_number{(floor.value + period - 1) / period * period};
}

/// A leaky bucket that drains with the sequence number, because the replicas do not agree on a clock.
bool readmission_ledger::charge(replica_id about, sequence_number sequence) {
  require(about.value < moves_.paid_off_at.size(), "each replica has an account");
  if (!may_ask(moves_, about, sequence, cluster_)) return false;
  auto& paid_off_at = moves_.paid_off_at[about.value];
  paid_off_at = std::max(paid_off_at, sequence).plus(interval_of(cluster_));
  require(paid_off_at > sequence, "a request is paid off later");
  return true;
}

bool readmission_ledger::apply(const group_request& wanted, sequence_number sequence) {
  require(wanted.kind == message_kind::readmission || wanted.kind == message_kind::hand_over,
          "complaints and releases are for the reputation ledger");
  return wanted.kind == message_kind::readmission ? readmit(wanted, sequence) : hand_over(wanted, sequence);
}

bool readmission_ledger::readmit(const group_request& wanted, sequence_number sequence) {
  const auto through = period_end(wanted.sequence, cluster_);
  // f + 1 replicas checked the floor before it was ordered. The ledger compares it with the present sequence number
  // again. This check bounds the null requests of one READMISSION.
  if (wanted.sequence > sequence.plus(reach_windows * cluster_.watermark_window)) return false;
  // These sequence numbers are ordered or agreed on already, for example because two replicas made the same request.
  // Nothing is granted, so the request is not counted.
  if (through <= std::max(moves_.advance_through, sequence)) return false;
  if (!charge(wanted.about, sequence)) return false;
  require(through >= wanted.sequence && cluster_.is_checkpoint(through), "a period ends with a checkpoint");
  require(through > moves_.advance_through, "no granted sequence is taken back");
  moves_.advance_through = through;
  events_.push_back({wanted, sequence, through});
  return true;
}

bool readmission_ledger::hand_over(const group_request& wanted, sequence_number sequence) {
  // A step-down is about one view only and is over when that view is left, so the ledger keeps nothing of it. The
  // event tells the coordinator which view to leave.
  require(wanted.to > view_number{0}, "no view is before view 0");
  const bool alone = wanted.cause == hand_over_cause::step_down;
  if (!alone && wanted.to <= moves_.least_view) return false;
  // Only requests for a readmission are counted, because one replica can repeat them and correct replicas support them.
  if (wanted.cause == hand_over_cause::readmission && !charge(wanted.about, sequence)) return false;
  if (!alone) moves_.least_view = wanted.to;
  // The view is left at the end of this checkpoint period, so that the VIEW-CHANGEs have nothing to prove.
  moves_.advance_through = std::max(moves_.advance_through, period_end(sequence, cluster_));
  require(moves_.advance_through >= sequence, "a view is left after the batch that asks for it");
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
  // The bytes are parsed into a copy first, so that truncated bytes leave the ledger unchanged.
  agreed_moves moves;
  moves.advance_through = sequence_number{in.number<std::uint64_t>()};
  moves.least_view = view_number{in.number<std::uint64_t>()};
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number)
    moves.paid_off_at.push_back(sequence_number{in.number<std::uint64_t>()});
  if (in.failed()) return false;
  moves_ = std::move(moves);
  return true;
}

}  // namespace hypermesh::protocol
