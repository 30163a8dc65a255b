#pragma once

#include <map>
#include <vector>

#include "actors/protocol/slot_log.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// P of §4.4: for each sequence above h the prepared certificate of the highest view that this replica holds. It
/// outlives views: what prepared in view 1 and was not proposed in view 2 must still be in the VIEW-CHANGE for view 3.
/// Pure. Memory: one certificate of a quorum for each of L sequences.
class prepared_set {
 public:
  explicit prepared_set(group_size group) : group_(group) {}

  /// Takes over what prepared in the view that is left.
  void collect(const slot_log& log);
  /// A certificate that was kept on disk.
  void restore(prepared_certificate certificate);
  void cut_through(sequence_number stable);

  /// In the order of sequences.
  [[nodiscard]] std::vector<prepared_certificate> certificates() const;

 private:
  void keep(prepared_certificate certificate);

  group_size group_;
  std::map<sequence_number, prepared_certificate> by_sequence_;
};

/// The certificate that a slot in which `is_prepared` holds proves.
[[nodiscard]] prepared_certificate certificate_of(const slot& prepared, group_size group);

/// The bodies above h that this replica has accepted in any view, so that a NEW-VIEW that names only digests finds
/// them (attack 17): the replicas that prepared a batch are the only ones that surely hold it. Pure. Memory: for each
/// of L sequences the batches of the views since the last stable checkpoint; each costs its primary a view.
class body_store {
 public:
  void collect(const slot_log& log);
  void keep(sequence_number sequence, const digest& value, std::shared_ptr<const batch> body);
  void cut_through(sequence_number stable);

  /// Nothing when the body is not held. The null request's is always held.
  [[nodiscard]] std::shared_ptr<const batch> find(sequence_number sequence, const digest& value) const;

 private:
  std::map<sequence_number, std::map<digest, std::shared_ptr<const batch>>> bodies_;
};

}  // namespace hypermesh
