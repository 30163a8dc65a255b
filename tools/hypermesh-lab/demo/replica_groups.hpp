#pragma once

#include <cstdint>
#include <map>

namespace hypermesh::lab {

/// A partition of the network: replicas reach each other only within a group. Pure. Memory: an entry for each replica
/// that is not in group 0.
class replica_groups {
 public:
  /// All replicas in one group.
  replica_groups() = default;

  /// One replica alone, and all others together.
  [[nodiscard]] static replica_groups without(std::uint32_t replica) {
    replica_groups groups;
    groups.group_of_[replica] = 1;
    return groups;
  }
  /// The replicas with smaller numbers in one group, the others in the other group.
  [[nodiscard]] static replica_groups halves(std::uint32_t replicas) {
    replica_groups groups;
    for (auto number = replicas / 2; number < replicas; ++number)
      groups.group_of_[number] = 1;
    return groups;
  }

  /// Whether no byte passes between these replicas.
  [[nodiscard]] bool separate(std::uint32_t left, std::uint32_t right) const { return of(left) != of(right); }

 private:
  [[nodiscard]] std::uint32_t of(std::uint32_t replica) const {
    const auto found = group_of_.find(replica);
    return found == group_of_.end() ? 0 : found->second;
  }

  std::map<std::uint32_t, std::uint32_t> group_of_;
};

}  // namespace hypermesh::lab
