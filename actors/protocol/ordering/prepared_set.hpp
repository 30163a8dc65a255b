#pragma once

#include <map>
#include <vector>

#include "actors/protocol/ordering/slot_log.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// P of §4.4: for each sequence number above h the prepared certificate of the highest view that this replica holds. It
/// outlives views: a batch that prepared in view 1 and was not proposed in view 2 must still be in the VIEW-CHANGE for
/// view 3. Pure. Memory: one certificate of a quorum for each of L sequence numbers.
class prepared_set {
 public:
  explicit prepared_set(group_size group) : group_(group) {}

  /// Adds the certificates of all prepared slots of the view that is left.
  void collect(const slot_log& log);
  /// Adds a certificate that was kept on disk.
  void restore(prepared_certificate certificate);
  void cut_through(sequence_number stable);

  /// In the order of sequence numbers.
  [[nodiscard]] std::vector<prepared_certificate> certificates() const;

 private:
  void keep(prepared_certificate certificate);

  group_size group_;
  std::map<sequence_number, prepared_certificate> by_sequence_;
};

/// The certificate of a slot in which `is_prepared` holds.
[[nodiscard]] prepared_certificate certificate_of(const slot& prepared, group_size group);

/// The bodies above h that this replica has accepted in any view. A NEW-VIEW names only digests, and the replicas that
/// prepared a batch are the only ones that surely hold its body (attack 17). Pure. Memory: for each of L sequence
/// numbers the batches of the views since the last stable checkpoint; each further batch costs its primary a view.
class body_store {
 public:
  void collect(const slot_log& log);
  void keep(sequence_number sequence, const digest& value, std::shared_ptr<const batch> body);
  void cut_through(sequence_number stable);

  /// Null if the body is not held. The body of the null request is always held.
  [[nodiscard]] std::shared_ptr<const batch> find(sequence_number sequence, const digest& value) const;

 private:
  std::map<sequence_number, std::map<digest, std::shared_ptr<const batch>>> bodies_;
};

}  // namespace hypermesh
