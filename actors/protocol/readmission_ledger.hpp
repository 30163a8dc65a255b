#pragma once

#include <utility>
#include <vector>

#include "actors/protocol/accusation.hpp"
#include "actors/protocol/effects.hpp"
#include "messages/byte_codec.hpp"

namespace hypermesh {

/// What all replicas agree to do so that a replica that lost its disk becomes a full member again, and when they leave
/// a view although nobody suspects its primary.
struct agreed_moves {
  /// Sequences through here are to be ordered, with null requests if nothing else waits; the end of a checkpoint
  /// period. 0: none. A hand-over needs the end of its own period: a view that is left at a stable checkpoint has
  /// nothing to prove and to propose again, so the next one serves clients at once.
  sequence_number advance_through;
  /// Views before this one are to be left.
  view_number least_view;
  /// For each replica: what it asked for is paid off at this sequence.
  std::vector<sequence_number> paid_off_at;

  friend bool operator==(const agreed_moves&, const agreed_moves&) = default;
};

/// The agreed moves of the group: a pure function of the committed sequence, and part of the checkpointed state.
///
/// After TOCS '02 §4.3.2: a recovering replica sends a recovery request, which is ordered like any other, and is
/// recovered when the checkpoint at its recovery point is stable; the primary proposes null requests meanwhile, so that
/// this comes about in an idle system. Here a READMISSION says through where, and a HAND-OVER which views the group
/// leaves, because a replica without memory commits only in a view for which it cannot have sent a VIEW-CHANGE
/// (`probation`).
///
/// A state knows no view, so it cannot tell an absurd view from a sensible one: f+1 replicas have to say the same, so a
/// correct one has found it sensible. What one replica has others do for it is counted: `burst` requests at once, and
/// one more for each `interval`. A readmission has the group order at most `reach` sequences, less than half an
/// interval, so in an idle group even a replica that asks for ever comes to an end. Hand-overs for operators cost
/// nobody's share: nobody but f+1 operators makes them. Nor does one by which a primary steps down: it costs the group
/// less than a checkpoint period, and the primary its view.
/// Memory: 8 bytes for each replica.
class readmission_ledger {
 public:
  static constexpr std::uint64_t burst = 8;
  /// Of a replica's requests, in windows L.
  static constexpr std::uint64_t interval_windows = 16;
  /// How far a READMISSION may lead, in windows: the floor is two windows above a proven h, which may lead what was
  /// executed elsewhere by one; and the period that it falls into.
  static constexpr std::uint64_t reach_windows = 4;
  static_assert(2 * reach_windows <= interval_windows, "an idle group comes to rest");

  explicit readmission_ledger(const cluster_parameters& cluster);

  /// Whether a request of `about` that is ordered after `after` will be granted.
  [[nodiscard]] static bool may_ask(const agreed_moves& moves, replica_id about, sequence_number after,
                                    const cluster_parameters& cluster);

  /// The end of the checkpoint period that `floor` falls into: h reaches the floor with the first checkpoint that is
  /// not below it.
  [[nodiscard]] static sequence_number period_end(sequence_number floor, const cluster_parameters& cluster);

  /// Whether it changed anything. The ballot was verified before it was ordered.
  bool apply(const ballot& wanted, sequence_number sequence);

  [[nodiscard]] const agreed_moves& moves() const { return moves_; }
  /// What was granted since this was asked last.
  [[nodiscard]] std::vector<move_agreed> take_events() { return std::exchange(events_, {}); }

  void write(byte_writer& out) const;
  /// False when these are not the bytes of a ledger of this group; it is unchanged then.
  [[nodiscard]] bool read(byte_reader& in);

 private:
  bool readmit(const ballot& wanted, sequence_number sequence);
  bool hand_over(const ballot& wanted, sequence_number sequence);
  bool charge(replica_id about, sequence_number sequence);

  cluster_parameters cluster_;
  agreed_moves moves_;
  std::vector<move_agreed> events_;
};

}  // namespace hypermesh
