#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "messages/values.hpp"

namespace hypermesh {

/// A replica has entered its view and takes part in the three phases (§4.2). The members belong to this view alone and
/// end with it.
struct active_view {
  /// The NEW-VIEW that opened the view; null in view 0.
  frame_ptr opened_by;
  /// No proposal is accepted at or below `min_s`. `min_s_proof` certifies it.
  sequence_number min_s;
  std::shared_ptr<const checkpoint_certificate> min_s_proof;
  /// The batches that O names are proposed as named.
  std::map<sequence_number, signed_statement> reproposals;
  /// Batches that wait for a sequence number inside the window.
  std::deque<std::shared_ptr<const batch>> waiting;
  /// Null requests that were proposed and not executed.
  std::deque<sequence_number> null_requests;
  /// The last STATUS of each replica that asked this primary while it lacked a body that O names.
  std::map<replica_id, status> unanswered;
};

/// A replica has left its view and waits for the NEW-VIEW of a later one. §4.4: it "accepts no messages (other than
/// checkpoint, view-change, and new-view messages)".
struct changing_view {
  /// The own VIEW-CHANGE; null while it is being made, and when a NEW-VIEW took this replica along.
  frame_ptr own_change;
  std::uint64_t left_at_tick = 0;
};

/// The status of a replica: its view, and one of three statuses. Pure; the only writer of both. A status holds its own
/// members, so what belongs to one cannot be read or changed in another.
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
/// A diverged replica knows that its state is wrong and takes no part (attack 27). That excludes the other two statuses
/// while it lasts, but it does not undo them: the replica keeps its view, its votes and the batches that wait, and goes
/// on from there after the repair. A new view cannot be entered or left meanwhile.
///
/// What a replica may sign is another question, because a replica without its disk passes through all three statuses
/// (`signing_rights`).
class replica_status {
 public:
  [[nodiscard]] view_number view() const { return view_; }
  /// Null unless the view is entered and the state is right.
  [[nodiscard]] active_view* active() { return std::get_if<active_view>(&now_); }
  [[nodiscard]] const active_view* active() const { return std::get_if<active_view>(&now_); }
  /// Null unless this replica waits for the NEW-VIEW and its state is right.
  [[nodiscard]] const changing_view* changing() const { return std::get_if<changing_view>(&now_); }
  [[nodiscard]] bool is_diverged() const { return std::holds_alternative<diverged>(now_); }
  /// Whether the view is entered. A divergence changes nothing about it.
  [[nodiscard]] bool has_entered() const;
  /// How many wrong states were replaced.
  [[nodiscard]] std::uint64_t repairs() const { return repairs_; }

  /// §4.4: leaves the present view for `to`.
  void leave(view_number to, std::uint64_t tick);
  /// The own VIEW-CHANGE for the view that this replica waits for.
  void keep_view_change(frame_ptr own);
  /// The NEW-VIEW of the view that this replica waits for is accepted.
  void enter(active_view entered);

  /// The own state after `since` is wrong.
  void diverge(sequence_number since);
  /// The certified state after `sequence` is installed and on disk. False if the replica diverged later than that:
  /// news from the disk may be older than the divergence.
  bool repair(sequence_number sequence);

  /// A batch to be proposed in the present view, which waits also while the state is wrong, because the batcher does
  /// not know of that. False if the view is not entered.
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

}  // namespace hypermesh
