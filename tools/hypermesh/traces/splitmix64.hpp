#pragma once

#include <cstdint>

namespace hypermesh::cli {

/// A sequence of pseudorandom numbers that is the same on every machine and compiler (Steele, Lea and Flood, "Fast
/// Splittable Pseudorandom Number Generators", 2014). It is for synthetic workloads, and never for keys.
class splitmix64 {
 public:
  explicit splitmix64(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    auto mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31U);
  }

  /// A number from 0 to `bound` - 1. `bound` is at least 1 and far below 2⁶⁴, so the bias
  /// of the remainder is negligible.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace hypermesh::cli
