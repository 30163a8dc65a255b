#pragma once

#include <optional>
#include <variant>

#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/ordering/first_start.hpp"
#include "actors/protocol/ordering/probation.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Decides which statements a replica may sign. Pure. Memory: the same as `probation` and `first_start`.
///
/// | | full member | on probation |
/// |---|---|---|
/// | PRE-PREPARE, PREPARE | yes | once h is at the floor |
/// | CHECKPOINT | yes | for sequences above the floor, once the floor is known (`checkpoint_votes`) |
/// | COMMIT | yes | no |
/// | VIEW-CHANGE | yes | once h is at the floor, for the first view and later views |
/// | begins | at the start with a disk | at the start without a disk, or with a new directory |
/// | ends | never | once h is at the floor and the first view, or a later one, is entered; or by `first_start` |
///
/// A full member never returns to probation in the same run. Signing rights and the status of the replica
/// (`replica_status`) are independent: a replica on probation also enters views, may wait in a later view than the
/// others, and may find that its state is wrong.
class signing_rights {
 public:
  signing_rights(const cluster_parameters& cluster, replica_id self) : cluster_(cluster), self_(self) {}

  /// The replica does not know its earlier votes: it lost its disk, or `may_be_new` because its directory is new.
  /// Called at the start.
  void start_probation(bool may_be_new = false);

  [[nodiscard]] bool is_full() const { return std::holds_alternative<full_member>(now_); }
  /// Whether PRE-PREPARE and PREPARE contradict no forgotten statement. `low` is this replica's h.
  [[nodiscard]] bool may_prepare(sequence_number low) const;
  /// Whether a VIEW-CHANGE for `view` contradicts no forgotten statement.
  [[nodiscard]] bool may_leave_for(view_number view, sequence_number low) const;

  /// Another replica reports its view and its h. Returns what this replica may sign from now on, if that changed. A
  /// single report is not proven, so only numbers that a quorum reports count.
  [[nodiscard]] std::optional<probation_changed> on_status(const status& value, sequence_number low);
  /// A status period has passed.
  void on_tick();
  /// Says whether this replica has a new directory and still waits for the reports that decide about its start.
  [[nodiscard]] bool awaits_first_start() const { return first_.has_value(); }
  /// Decides about the first start, as soon as that is possible. A proven one makes this replica a full member. Returns
  /// the decision once.
  [[nodiscard]] first_start::finding decide_first_start(view_number view, sequence_number low);
  /// This replica has entered `view`. Returns the end of the probation, if the probation ends with this view.
  [[nodiscard]] std::optional<probation_changed> end(view_number view, sequence_number low);

  /// The floor or the view that this replica on probation needs next: first the floor, then the view. `is_alone` means
  /// that the replica has waited long for a view.
  [[nodiscard]] std::optional<readmission_wish> wish(view_number view, sequence_number low, bool is_alone) const;

 private:
  struct full_member {};

  [[nodiscard]] std::optional<view_number> view_to_ask_for(const probation& on, view_number view, bool is_alone) const;

  cluster_parameters cluster_;
  replica_id self_;
  std::variant<full_member, probation> now_;
  /// Only on probation, and only until the decision.
  std::optional<first_start> first_;
  struct rights_reported {
    sequence_number floor;
    view_number first_view;

    friend bool operator==(const rights_reported&, const rights_reported&) = default;
  };
  /// The last change that `on_status` returned.
  std::optional<rights_reported> reported_;
};

}  // namespace hypermesh::protocol
