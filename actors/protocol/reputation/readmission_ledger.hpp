#pragma once

#include <utility>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "messages/byte_codec.hpp"

namespace hypermesh {

/// The moves that all replicas agree on: sequences to pass so that a replica that lost its disk becomes a full member
/// again, and views to leave although no replica suspects their primary.
struct agreed_moves {
  /// Sequences through here are to be ordered, with null requests if nothing else waits; the end of a checkpoint
  /// period. 0: none. A hand-over needs the end of the period that it is ordered in, because a view that is left at a
  /// stable checkpoint has nothing to prove and to propose again. So the next view serves clients at once.
  sequence_number advance_through;
  /// All views before this one are to be left.
  view_number least_view;
  /// For each replica: the sequence at which the requests that it was granted are paid off.
  std::vector<sequence_number> paid_off_at;

  friend bool operator==(const agreed_moves&, const agreed_moves&) = default;
};

/// The agreed moves of the group: a pure function of the committed sequence, and part of the checkpointed state.
///
/// After TOCS '02 §4.3.2: a recovering replica sends a recovery request, which is ordered like any other request. The
/// replica is recovered when the checkpoint at its recovery point is stable. Meanwhile the primary proposes null
/// requests, so that an idle system reaches that checkpoint too. Here a READMISSION names the sequence to order
/// through, and a HAND-OVER names the views to leave, because a replica without memory commits only in a view for which
/// it cannot have sent a VIEW-CHANGE (`probation`).
///
/// A replicated state knows no view, so it cannot tell an absurd view from a possible one. Therefore f+1 replicas sign
/// the same request, and at least one correct replica has found it possible. The requests that are granted to one
/// replica are counted: `burst` at once, and one more for each interval. A READMISSION makes the group order
/// at most `reach_windows` windows and the rest of a checkpoint period. Those of f replicas together are half an
/// interval. So an idle group comes to rest even if f replicas ask for ever. Hand-overs for operators are not counted,
/// because only f+1 operators together can make them. A step-down is not counted either, because it costs the group
/// less than a checkpoint period, and the primary its view.
/// Memory: 8 bytes for each replica.
class readmission_ledger {
 public:
  /// Requests of one replica that are granted at once.
  static constexpr std::uint64_t burst = 8;
  /// Sequences that pay off one request.
  [[nodiscard]] static std::uint64_t interval_of(const cluster_parameters& cluster);
  /// The interval of a small group, in windows L.
  static constexpr std::uint64_t interval_windows_min = 16;
  /// How far above the present sequence a READMISSION may lead, in windows: the floor is two windows above a proven h,
  /// h may be one window above what was executed elsewhere, and one is for the period that the floor falls into.
  static constexpr std::uint64_t reach_windows = 4;

  explicit readmission_ledger(const cluster_parameters& cluster);

  /// Whether a request of `about` that is ordered after `after` will be granted.
  [[nodiscard]] static bool may_ask(const agreed_moves& moves, replica_id about, sequence_number after,
                                    const cluster_parameters& cluster);

  /// The end of the checkpoint period that `floor` falls into, because h reaches the floor with the first checkpoint
  /// that is not below it.
  [[nodiscard]] static sequence_number period_end(sequence_number floor, const cluster_parameters& cluster);

  /// Applies a READMISSION or HAND-OVER that was ordered at `sequence`; its votes were verified before that. Returns
  /// whether it was granted.
  bool apply(const group_request& wanted, sequence_number sequence);

  [[nodiscard]] const agreed_moves& moves() const { return moves_; }
  /// The moves that were granted since the last call.
  [[nodiscard]] std::vector<move_agreed> take_events() { return std::exchange(events_, {}); }

  void write(byte_writer& out) const;
  /// False when these are not the bytes of a ledger of this group; the ledger is unchanged then.
  [[nodiscard]] bool read(byte_reader& in);

 private:
  bool readmit(const group_request& wanted, sequence_number sequence);
  bool hand_over(const group_request& wanted, sequence_number sequence);
  bool charge(replica_id about, sequence_number sequence);

  cluster_parameters cluster_;
  agreed_moves moves_;
  std::vector<move_agreed> events_;
};

}  // namespace hypermesh
