#pragma once

#include <algorithm>
#include <cstddef>

namespace hypermesh::machines::redis {

/// The rest of the work that one operation may do. The replicas execute one operation after another, so an operation
/// that reads a million elements would delay all clients. A unit is one element that is read or moved, or 64 bytes of
/// it: 100 … 300 ns. The costs depend only on the state, because they decide which commands are refused. Pure.
class work_budget {
 public:
  /// 100,000 elements: about 20 ms.
  static constexpr std::size_t units_max_default = 100'000;

  explicit work_budget(std::size_t units) : left_(units) {}

  /// Takes `units` out of the budget, or returns false and takes nothing if fewer are left.
  [[nodiscard]] bool spend(std::size_t units) {
    if (units > left_) return false;
    left_ -= units;
    return true;
  }
  [[nodiscard]] std::size_t left() const { return left_; }

  /// The cost of an element with a value of this size.
  [[nodiscard]] static constexpr std::size_t element(std::size_t bytes) { return 1 + bytes / 64; }

 private:
  std::size_t left_;
};

}  // namespace hypermesh::machines::redis
