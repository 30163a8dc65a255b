#pragma once

#include <cstdint>
#include <optional>

#include "tools/hypermesh/bench/load_result.hpp"

namespace hypermesh::cli {

/// What happened to a cluster that was offered more than it carries. Pure.
struct overload_verdict {
  /// The knee, how many times it was offered, and for how long.
  double knee = 0;
  double factor = 0;
  double seconds = 0;
  std::uint64_t intended = 0;
  std::uint64_t answered = 0;
  /// Operations that the client or f + 1 replicas refused. Their callers know that the group is busy.
  std::uint64_t refused = 0;
  /// Operations whose callers do not know what happened to them.
  std::uint64_t unanswered = 0;
  /// Views that the replicas entered from the beginning of the overload to the end of the run after it; nothing if a
  /// replica did not tell.
  std::optional<std::uint64_t> views_entered;
  /// At half of the knee: before the overload, and `pause` after it.
  std::uint64_t p99_before_us = 0;
  std::uint64_t p99_after_us = 0;
  std::uint64_t failed_after = 0;

  /// The time that the cluster gets to recover.
  static constexpr duration pause = 5s;
  /// An operation of the overload that has no result after this time fails. The client's own queue is as long as this
  /// time, so the queue is gone when the recovery is measured.
  static constexpr duration deadline = 2s;

  /// The 99th percentile is normal again up to this bound: twice the one before, or 10 ms more, because the percentile
  /// of a short run varies.
  [[nodiscard]] std::uint64_t p99_max_us() const;
  [[nodiscard]] bool kept_view() const { return views_entered == std::uint64_t{0}; }
  [[nodiscard]] bool has_recovered() const { return failed_after == 0 && p99_after_us <= p99_max_us(); }
  [[nodiscard]] bool is_right() const { return kept_view() && unanswered == 0 && has_recovered(); }
};

/// Fills in what the load of the overload saw.
void note_overload(const load_result& seen, overload_verdict& into);

}  // namespace hypermesh::cli
