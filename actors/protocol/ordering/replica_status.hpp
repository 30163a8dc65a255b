#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "messages/values.hpp"

namespace hypermesh::protocol {

/// A replica has entered its view and takes part in the three phases (§4.2). The members are only valid in this view.
struct active_view {
  /// The NEW-VIEW that opened the view; null in view 0.
  frame_ptr opened_by;
  /// No proposal is accepted at or below `min_s`. `min_s_proof` certifies it.
  sequence_number min_s;
  std::shared_ptr<const checkpoint_certificate> min_s_proof;
  /// O: for each sequence number in it, only this proposal is accepted.
  std::map<sequence_number, signed_statement> reproposals;
  /// The group leaves this view at this checkpoint, so nothing is proposed after it. Nothing if the view has no known
  /// end.
  std::optional<sequence_number> last_sequence;
  /// Batches that wait for a sequence number inside the window.
  std::deque<std::shared_ptr<const batch>> waiting;
  /// Sequence numbers of null requests that were proposed and are not executed yet.
  std::deque<sequence_number> null_requests;
  /// The last STATUS of each replica that asked this primary while it lacked a body that O names.
  std::map<replica_id, status> unanswered;
};

/// A replica has left its view and waits for the NEW-VIEW of a later one. §4.4: it "accepts no messages (other than
/// checkpoint, view-change, and new-view messages)".
struct changing_view {
  /// The VIEW-CHANGE of this replica. Null while it is being made, and if the replica moved to the view because of a
  /// NEW-VIEW.
  frame_ptr own_change;
  std::uint64_t left_at_tick = 0;
};

/// The view of a replica, and one of three statuses. Pure. No other class changes them. Each status has its own
/// members, so code cannot read or change a member of a status that does not apply.
///
/// ```
///            leave(w)                        leave(w)
///          ┌─────────────────────────────┐   ┌─────┐
///          │                             v   v     │
///   active in v                    changing to w ──┘       w is above the present view
///     ^    ^                             │  │
///     │    └─────────────────────────────┘  │
///     │             enter                   │
///     │                                     │
///     ├──── diverge ──> diverged <── diverge┤
///     └──── repair ─────────┴────── repair ─┘              back to where it was
/// ```
///
/// A diverged replica knows that its state is wrong and takes no part in the protocol (attack 27). The previous status
/// is kept during a divergence: the replica keeps its view, its votes and the waiting batches, and continues with them
/// after the repair. It cannot enter or leave a view meanwhile.
///
/// `signing_rights` decides separately which statements a replica may sign, because a replica that lost its disk can
/// have any of the three statuses.
class replica_status {
 public:
  [[nodiscard]] view_number view() const { return view_; }
  /// Null unless the replica has entered the view and its state is not known to be wrong.
  [[nodiscard]] active_view* active() { return std::get_if<active_view>(&now_); }
  [[nodiscard]] const active_view* active() const { return std::get_if<active_view>(&now_); }
  /// Null unless the replica waits for the NEW-VIEW and its state is not known to be wrong.
  [[nodiscard]] const changing_view* changing() const { return std::get_if<changing_view>(&now_); }
  [[nodiscard]] bool is_diverged() const { return std::holds_alternative<diverged>(now_); }
  /// Whether the replica has entered the view. A divergence does not change this.
  [[nodiscard]] bool has_entered() const;
  /// How many wrong states were replaced.
  [[nodiscard]] std::uint64_t repairs() const { return repairs_; }

  /// §4.4: leaves the present view for `to`.
  void leave(view_number to, std::uint64_t tick);
  /// The VIEW-CHANGE of this replica for the view that it waits for.
  void keep_view_change(frame_ptr own);
  /// The NEW-VIEW of the view that this replica waits for is accepted.
  void enter(active_view entered);

  /// The state of this replica after `since` is wrong.
  void diverge(sequence_number since);
  /// The certified state after `sequence` is installed and on disk. Returns false if the replica diverged at a later
  /// sequence number, because a report from the journal may be older than the divergence.
  bool repair(sequence_number sequence);

  /// Keeps a batch that has to be proposed in the present view. The batch also waits while the state is wrong, because
  /// the batcher is not informed of a divergence. Returns false if the replica has not entered the view.
  bool hold(std::shared_ptr<const batch> content);

 private:
  using place = std::variant<active_view, changing_view>;
  struct diverged {
    /// The newest sequence number after which the state is known to be wrong.
    sequence_number since;
    place interrupted;
  };

  view_number view_;
  std::variant<active_view, changing_view, diverged> now_;
  std::uint64_t repairs_ = 0;
};

}  // namespace hypermesh::protocol
