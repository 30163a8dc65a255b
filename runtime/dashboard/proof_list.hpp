#pragma once

#include <deque>
#include <vector>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/observations.hpp"

/// The evidence behind convictions, for people who want to see it.
namespace hypermesh::runtime {

/// One signed message in a proof.
struct shown_item {
  message_kind kind = message_kind::commit;
  replica_id signer;
  /// The bytes that were signed after the signing context (`messages/signing.hpp`): 56 bytes of a statement, or the
  /// buffer of a document. Empty if they are longer than `proof_list::content_bytes_max`.
  byte_vector content;
  /// The length of the signed bytes.
  std::size_t content_bytes = 0;
  signature by;
};

/// A misbehaviour of a replica with the messages that prove it. All signatures were verified by this node before it
/// observed the proof.
struct shown_proof {
  misbehaviour about;
  wall_time seen{};
  /// The sequence number of the batch that convicts; 0 while this node only found the evidence itself.
  sequence_number ordered_at;
  std::vector<shown_item> items;
};

/// The last proofs against replicas. Evidence against clients is left out, because it contains their operations. A
/// misbehaviour appears once, whoever found it. Pure: the caller gives the time.
///
/// Memory: `proofs_max` proofs of `items_max` items of at most `content_bytes_max` and 150 bytes, 270 KiB in all. A
/// faulty replica can push out earlier proofs, but each new proof convicts it too.
class proof_list {
 public:
  static constexpr std::size_t proofs_max = 16;
  static constexpr std::size_t items_max = 4;
  static constexpr std::size_t content_bytes_max = std::size_t{4} * 1'024;

  explicit proof_list(const cluster_parameters& cluster) : cluster_(cluster) {}

  void note(const observation& what, wall_time now);

  /// The oldest first.
  [[nodiscard]] const std::deque<shown_proof>& proofs() const { return proofs_; }

 private:
  void add(const evidence& shown, sequence_number ordered_at, wall_time now);

  cluster_parameters cluster_;
  std::deque<shown_proof> proofs_;
};

}  // namespace hypermesh::runtime
