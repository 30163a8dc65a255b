#pragma once

#include <map>
#include <optional>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/vote_set.hpp"
#include "actors/protocol/base/watermarks.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The messages of one sequence number in the view of a replica (§4.2). Pure.
struct slot {
  std::optional<pre_prepare> proposal;
  /// As in `committed_batch`.
  std::optional<duration> lateness;
  vote_set prepares;
  vote_set commits;
  /// Whether this replica has sent its own votes.
  bool prepare_sent = false;
  bool commit_sent = false;
  /// Whether the clients have sent the requests of the batch, as far as this replica knows, and whether it has asked.
  bool is_authentic = false;
  bool asked_authentic = false;

  /// §4.2: "prepared(m, v, n, i) is true if and only if replica i has inserted in its log: the request m, a pre-prepare
  /// for m in view v with sequence number n, and 2f prepares from different backups that match the pre-prepare." For
  /// any n, one PREPARE less than a quorum is needed, because the PRE-PREPARE counts as the vote of the primary.
  [[nodiscard]] bool is_prepared(group_size group) const;

  /// §4.2: "committed-local(m, v, n, i) is true if and only if prepared(m, v, n, i) is true and i has accepted
  /// 2f + 1 commits (possibly including its own) from different replicas that match the pre-prepare".
  [[nodiscard]] bool is_committed_local(group_size group) const;
};

/// The slots between the watermarks (§4.3: messages above a stable checkpoint stay in the log). Pure.
/// Memory: L slots of 2n statements and one batch each.
class slot_log {
 public:
  explicit slot_log(const cluster_parameters& cluster) : marks_(cluster.watermark_window) {}

  [[nodiscard]] const watermarks& marks() const { return marks_; }

  /// The slot of a sequence number inside the watermarks. It is created on first use.
  [[nodiscard]] slot& at(sequence_number sequence);
  [[nodiscard]] const slot* find(sequence_number sequence) const;

  /// §4.3: "discards all pre-prepare, prepare, and commit messages with sequence number less than or equal to n".
  void cut_through(sequence_number stable);

  /// §4.4: in a new view the protocol starts again for every sequence number. The watermarks do not change.
  void start_view() { slots_.clear(); }

  [[nodiscard]] const std::map<sequence_number, slot>& slots() const { return slots_; }
  /// The largest sequence number with a slot, or h.
  [[nodiscard]] sequence_number last() const;
  [[nodiscard]] std::size_t size() const { return slots_.size(); }

 private:
  watermarks marks_;
  std::map<sequence_number, slot> slots_;
};

}  // namespace hypermesh::protocol
