#pragma once

#include <utility>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "messages/byte_codec.hpp"

namespace hypermesh::protocol {

/// The moves that all replicas agree on: sequence numbers to order so that a replica that lost its disk can become a
/// full member again, and views to leave although no replica suspects their primary.
struct agreed_moves {
  /// All sequence numbers up to this one have to be ordered, with null requests if no request is pending. It is the end
  /// of a checkpoint period, or 0 if there is no such move. A hand-over sets it to the end of the period in which it is
  /// ordered: at a stable checkpoint, VIEW-CHANGEs prove no batches and the new view proposes none again, so it serves
  /// clients at once.
  sequence_number advance_through;
  /// The group leaves all views before this one.
  view_number least_view;
  /// For each replica, the sequence number at which its granted requests no longer count against `burst`.
  std::vector<sequence_number> paid_off_at;

  friend bool operator==(const agreed_moves&, const agreed_moves&) = default;
};

/// The agreed moves of the group: a pure function of the committed sequence, and part of the checkpointed state.
///
/// After TOCS '02 §4.3.2: a recovering replica sends a recovery request, which is ordered like any other request. The
/// replica is recovered when the checkpoint at its recovery point is stable. Until then the primary proposes null
/// requests, so that an idle system reaches that checkpoint too. Here a READMISSION gives the sequence number up to
/// which the group has to order. A HAND-OVER gives the views to leave, because a replica that lost its disk may commit
/// only in a view for which it cannot have sent a VIEW-CHANGE (`probation`).
///
/// The replicated state does not contain the view, so it cannot check whether a requested view is plausible. Therefore
/// f+1 replicas have to sign the same request, and at least one correct replica among them has checked it. Each replica
/// has a limit on granted requests: `burst` at once, and one more for each interval. A READMISSION makes the group
/// order at most `reach_windows` windows and the rest of a checkpoint period. For f replicas together this is half an
/// interval. So an idle group becomes idle again, even if f replicas repeat their requests for ever. Hand-overs for
/// operators are not counted, because only f+1 operators together can make them. A step-down is not counted either: it
/// costs the group less than a checkpoint period, and the primary loses its view. Memory: 8 bytes for each replica.
class readmission_ledger {
 public:
  /// Requests of one replica that are granted at once.
  static constexpr std::uint64_t burst = 8;
  /// The number of sequence numbers after which one more request is granted.
  [[nodiscard]] static std::uint64_t interval_of(const cluster_parameters& cluster);
  /// The interval of a small group, in windows L.
  static constexpr std::uint64_t interval_windows_min = 16;
  /// How far above the present sequence number the floor of a READMISSION may be, in windows. The floor is two windows
  /// above a proven h, and that h may be one window above the last executed sequence number of another replica. The
  /// fourth window covers the rest of the checkpoint period that contains the floor.
  static constexpr std::uint64_t reach_windows = 4;

  explicit readmission_ledger(const cluster_parameters& cluster);

  /// Whether a request for `about` will be granted if it is ordered after `after`.
  [[nodiscard]] static bool may_ask(const agreed_moves& moves, replica_id about, sequence_number after,
                                    const cluster_parameters& cluster);

  /// The end of the checkpoint period that contains `floor`: the first checkpoint at which h is not below the floor.
  [[nodiscard]] static sequence_number period_end(sequence_number floor, const cluster_parameters& cluster);

  /// Applies a READMISSION or HAND-OVER that was ordered at `sequence`; its votes were verified before that. Returns
  /// whether it was granted.
  bool apply(const group_request& wanted, sequence_number sequence);

  [[nodiscard]] const agreed_moves& moves() const { return moves_; }
  /// The moves that were granted since the last call.
  [[nodiscard]] std::vector<move_agreed> take_events() { return std::exchange(events_, {}); }

  void write(byte_writer& out) const;
  /// Returns false if the bytes are not a ledger of this group. The ledger is then unchanged.
  [[nodiscard]] bool read(byte_reader& in);

 private:
  bool readmit(const group_request& wanted, sequence_number sequence);
  bool hand_over(const group_request& wanted, sequence_number sequence);
  bool charge(replica_id about, sequence_number sequence);

  cluster_parameters cluster_;
  agreed_moves moves_;
  std::vector<move_agreed> events_;
};

}  // namespace hypermesh::protocol
