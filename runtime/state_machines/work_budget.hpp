#pragma once

#include <algorithm>
#include <cstddef>

namespace hypermesh::machines::scheduler {

/// The cost of the steps of an operation. A unit is about 50 ns. The costs depend only on the state. Measured times and
/// the counts of the placement index differ between replicas, and the budget decides which tasks are placed.
namespace work_costs {

/// A waiting task that is compared with one node.
inline constexpr std::size_t examination = 1;
/// A record that is read because its task names GPU models.
inline constexpr std::size_t record = 32;
/// A task that is released, evicted, placed, or begins to wait: its record, its event and the tables change.
inline constexpr std::size_t move = 64;

/// A search of all nodes for the best fit, with its record. Most searches read few nodes, but clients can register
/// nodes of which a search reads every one, at about 1 ns each (placement_index.hpp).
[[nodiscard]] constexpr std::size_t search(std::size_t nodes) { return 32 + nodes / 128; }
[[nodiscard]] constexpr std::size_t eviction(std::size_t nodes) { return move + search(nodes) + move; }

}  // namespace work_costs

/// The rest of the work that one operation may do. Everything that depends on how many leases are over, how many tasks
/// wait and how many tasks a node has spends from it, so that no operation delays the others for long. Pure.
class work_budget {
 public:
  explicit work_budget(std::size_t units) : left_(units) {}

  [[nodiscard]] bool affords(std::size_t units) const { return left_ >= units; }
  /// A step that is always done, such as the placement of the task that an operation names, may cost more than is left.
  void spend(std::size_t units) { left_ -= std::min(left_, units); }

  /// Takes a part of at most `units` out of this budget.
  [[nodiscard]] work_budget part(std::size_t units) {
    const auto taken = std::min(left_, units);
    left_ -= taken;
    return work_budget{taken};
  }
  /// Adds what a part has not spent.
  void put_back(const work_budget& part) { left_ += part.left_; }

 private:
  std::size_t left_;
};

}  // namespace hypermesh::machines::scheduler
