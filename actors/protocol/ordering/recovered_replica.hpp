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
  /// The replica lost its disk, and its earlier statements are not known (see `probation`).
  bool on_probation = false;
  /// The replica lost its disk once, and has been a full member again since.
  bool readmitted = false;
  /// The PRE-PREPAREs that this replica accepted or proposed, in any view.
  std::vector<pre_prepare> proposals;
  std::vector<signed_statement> own_prepares;
  std::vector<signed_statement> own_commits;
  std::vector<prepared_certificate> prepared;
  std::vector<commit_certificate> committed;
};

}  // namespace hypermesh::protocol
