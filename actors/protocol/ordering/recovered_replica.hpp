#pragma once

#include <memory>
#include <vector>

#include "actors/protocol/views/new_view.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The promises that a replica read back from its disk, and its other knowledge of the last run. The replica must not
/// contradict these promises (attack 9). The statements are for sequence numbers above the stable checkpoint.
struct recovered_replica {
  view_number view;
  /// The VIEW-CHANGE of this replica if it had left its view and waited for the NEW-VIEW of `view`; the NEW-VIEW if it
  /// had entered a view after view 0.
  std::shared_ptr<const view_change> own_change;
  std::shared_ptr<const planned_new_view> opened;
  std::shared_ptr<const checkpoint_certificate> stable;
  sequence_number last_executed;
  /// The earlier statements of the replica are not known, for example because it lost its disk (see `probation`).
  bool on_probation = false;
  /// Only on probation: the data directory is new, so perhaps there are no earlier statements (see `first_start`).
  bool may_be_new = false;
  /// The replica was on probation once, and has been a full member since.
  bool readmitted = false;
  /// The PRE-PREPAREs that this replica accepted or proposed, in any view.
  std::vector<pre_prepare> proposals;
  std::vector<signed_statement> own_prepares;
  std::vector<signed_statement> own_commits;
  std::vector<prepared_certificate> prepared;
  std::vector<commit_certificate> committed;
};

}  // namespace hypermesh::protocol
