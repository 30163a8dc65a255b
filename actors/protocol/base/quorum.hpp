#pragma once

#include <cstdint>

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// The sizes of quorums for any n, on which the safety of PBFT rests. All quorum arithmetic is in this class.
class group_size {
 public:
  explicit constexpr group_size(std::uint32_t replicas) : replicas_(replicas) {}

  /// |R| = n.
  [[nodiscard]] constexpr std::uint32_t replicas() const { return replicas_; }

  /// f: the largest number with n ≥ 3f + 1.
  [[nodiscard]] constexpr std::uint32_t faulty_max() const { return replicas_ == 0 ? 0 : (replicas_ - 1) / 3; }

  /// ⌈(n + f + 1) / 2⌉: any two quorums share f + 1 replicas, and so at least one correct replica. For n = 3f + 1 this
  /// is the paper's 2f + 1. For other n, 2f + 1 is too small: with n = 6 and f = 1, two sets of three replicas can be
  /// disjoint (attack 4).
  [[nodiscard]] constexpr std::uint32_t quorum() const { return (replicas_ + faulty_max() + 2) / 2; }

  /// f + 1: of any f + 1 replicas, at least one is correct.
  [[nodiscard]] constexpr std::uint32_t weak_quorum() const { return faulty_max() + 1; }

  /// §4: "The primary of a view is replica p such that p = v mod |R|".
  [[nodiscard]] constexpr replica_id primary_of(view_number view) const {
    return replica_id{static_cast<std::uint32_t>(view.value % replicas_)};
  }

  [[nodiscard]] constexpr bool contains(replica_id id) const { return id.value < replicas_; }

 private:
  std::uint32_t replicas_;
};

}  // namespace hypermesh::protocol
