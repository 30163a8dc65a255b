#pragma once

#include <chrono>
#include <cstdint>

#include "actors/protocol/base/quorum.hpp"

namespace hypermesh::runtime {

/// Says when a drain waits in vain, because too few replicas are left to agree with: for `alone_max` there were fewer
/// open links than a quorum needs. A link that closes for a moment does not count. Pure.
class group_watch {
 public:
  static constexpr std::chrono::milliseconds alone_max{1'000};

  group_watch(group_size group, std::chrono::steady_clock::time_point now) : group_(group), together_at_(now) {}

  /// `linked` is the number of other replicas with an open link at `now`. Once the group is gone, it stays so, because
  /// the wait has ended.
  bool is_gone(std::uint32_t linked, std::chrono::steady_clock::time_point now) {
    if (linked + 1 >= group_.quorum()) together_at_ = now;
    was_gone_ = was_gone_ || now >= together_at_ + alone_max;
    return was_gone_;
  }
  [[nodiscard]] bool was_gone() const { return was_gone_; }

 private:
  group_size group_;
  /// The last time at which enough replicas were linked, or the beginning.
  std::chrono::steady_clock::time_point together_at_;
  bool was_gone_ = false;
};

}  // namespace hypermesh::runtime
