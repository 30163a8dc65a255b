#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "actors/protocol/guard/peer_trust.hpp"
#include "messages/time.hpp"

namespace hypermesh::runtime {

/// The reputation of one replica from this time on.
struct standing_point {
  wall_time at{};
  replica_id replica;
  std::uint32_t score = 0;
  std::uint32_t local_score = 0;
  std::uint32_t convictions = 0;
  sequence_number quarantined_until;

  /// Whether anything but the time differs.
  [[nodiscard]] bool differs_from(const standing_point& other) const;
};

/// The history of the reputations: a point for each replica at first, and one for each later change. Pure: the caller
/// gives the time. Memory: 48 bytes for each of `points_max` points, and for each replica.
class standing_history {
 public:
  static constexpr std::size_t points_max = 512;

  void note(const std::vector<reputation>& all, wall_time now);

  /// The oldest first.
  [[nodiscard]] const std::deque<standing_point>& points() const { return points_; }

 private:
  std::vector<std::optional<standing_point>> last_;
  std::deque<standing_point> points_;
};

}  // namespace hypermesh::runtime
