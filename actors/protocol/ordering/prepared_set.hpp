#pragma once

#include <map>
#include <vector>

#include "actors/protocol/ordering/slot_log.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// P of §4.4: for each sequence number above h the prepared certificate of the highest view that this replica holds.
/// The set is kept when the view changes: a batch that prepared in view 1 and was not proposed in view 2 must still be
/// in the VIEW-CHANGE for view 3. Pure. Memory: one certificate of a quorum for each of L sequence numbers.
class prepared_set {
 public:
  explicit prepared_set(group_size group) : group_(group) {}

  /// Adds the certificates of all prepared slots of the view that is left.
  void collect(const slot_log& log);
  /// Adds a certificate that was kept on disk.
  void restore(prepared_certificate certificate);
  void cut_through(sequence_number stable);

  /// All certificates, in the order of their sequence numbers.
  [[nodiscard]] std::vector<prepared_certificate> certificates() const;

 private:
  void keep(prepared_certificate certificate);

  group_size group_;
  std::map<sequence_number, prepared_certificate> by_sequence_;
};

/// The certificate of a slot in which `is_prepared` holds.
[[nodiscard]] prepared_certificate certificate_of(const slot& prepared, group_size group);

/// The bodies above h that this replica has accepted in any view. They are kept because a NEW-VIEW contains only
/// digests, and only the replicas that prepared a batch certainly have its body (attack 17). Pure. Memory: for each of
/// L sequence numbers the batches of the views since the last stable checkpoint; a faulty primary can add only one
/// batch for each sequence number and view.
class body_store {
 public:
  void collect(const slot_log& log);
  void keep(sequence_number sequence, const digest& value, std::shared_ptr<const batch> body);
  void cut_through(sequence_number stable);

  /// The body with this digest; null if it is missing. The body of the null request is always there.
  [[nodiscard]] std::shared_ptr<const batch> find(sequence_number sequence, const digest& value) const;

 private:
  std::map<sequence_number, std::map<digest, std::shared_ptr<const batch>>> bodies_;
};

}  // namespace hypermesh::protocol
