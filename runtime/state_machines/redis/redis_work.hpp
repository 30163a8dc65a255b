#pragma once

#include <algorithm>
#include <cstddef>

namespace hypermesh::machines::redis {

/// The cost of the steps of a command, in units of about 1 µs in a database with a million elements. The costs depend
/// only on the state, because they decide which commands are refused.
namespace work_costs {

/// The next name of an index.
inline constexpr std::size_t step = 1;
/// An element that is looked up by its name or position.
inline constexpr std::size_t read = 2;
/// An element that is added, replaced or removed.
inline constexpr std::size_t change = 4;
/// The same in a sorted set, which has two indexes.
inline constexpr std::size_t scored_change = 6;
/// The bytes of an element that is copied.
[[nodiscard]] constexpr std::size_t copy(std::size_t bytes) { return bytes / 64; }

}  // namespace work_costs

/// The rest of the work that one operation may do. The replicas execute one operation after another, so an operation
/// that moves a million elements would delay all clients. Pure.
class work_budget {
 public:
  /// 100,000 names, 50,000 reads or 25,000 changes: about 100 ms.
  static constexpr std::size_t units_max_default = 100'000;

  /// All operations of a batch together: ten of the largest.
  static constexpr std::size_t batch_units_max = 10 * units_max_default;
  /// What each operation may do even if the operations before it in its batch have used up the work: a request of 1,024
  /// operations cannot spend more than another batch in this way.
  static constexpr std::size_t units_min = 1'000;

  explicit work_budget(std::size_t units) : left_(units) {}

  /// Takes `units` out of the budget, or returns false and takes nothing if fewer are left.
  [[nodiscard]] bool spend(std::size_t units) {
    if (units > left_) return false;
    left_ -= units;
    return true;
  }
  /// For commands that compute their cost and can stop when it is beyond what is left.
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  std::size_t left_;
};

}  // namespace hypermesh::machines::redis
