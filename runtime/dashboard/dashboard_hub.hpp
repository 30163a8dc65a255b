#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "runtime/dashboard/activity.hpp"
#include "runtime/dashboard/batch_history.hpp"
#include "runtime/dashboard/proof_list.hpp"
#include "runtime/dashboard/replica_claims.hpp"
#include "runtime/dashboard/standing_history.hpp"

namespace hypermesh::runtime {

/// An event with its sentence, for people.
struct taped_event {
  wall_time at{};
  std::string name;
  std::string level;
  std::string text;
};

/// The facts of the page that a running node collects from its start on. Thread-safe: the monitor and the links write,
/// the sampler and the HTTP server read. The lock is held for one observation or for one copy of at most 300 KiB, so no
/// actor waits longer than a fraction of a millisecond.
class dashboard_hub {
 public:
  /// The events that a page shows when it opens. Each has a sentence of at most 1 KiB.
  static constexpr std::size_t events_max = 64;

  dashboard_hub(replica_id self, const cluster_parameters& cluster);

  void note(const observation& what, moment now, wall_time wall_now);
  void on_link(replica_id to, bool is_up);
  void on_event(const taped_event& what);
  /// Once a second. `reputations` may be missing if the tracker was late.
  void close_second(const std::optional<std::vector<reputation>>& reputations, wall_time now);

  /// What changes all the time.
  struct present {
    std::vector<replica_claim> claims;
    std::vector<shown_batch> batches;
    std::optional<activity_sample> last_second;
    std::size_t proofs = 0;
    /// The sequence numbers at which the proofs were ordered, added up, so that a page sees that a proof changed.
    std::uint64_t proofs_turn = 0;
  };
  [[nodiscard]] present now() const;

  /// What a page reads once.
  struct past {
    std::deque<activity_sample> samples;
    std::deque<standing_point> standings;
    std::deque<taped_event> events;
  };
  [[nodiscard]] past before() const;
  [[nodiscard]] std::vector<shown_batch> batches() const;
  [[nodiscard]] std::deque<shown_proof> proofs() const;
  [[nodiscard]] const cluster_parameters& cluster() const { return cluster_; }

 private:
  cluster_parameters cluster_;
  mutable std::mutex guard_;
  replica_claims claims_;
  batch_history batches_;
  activity activity_;
  standing_history standings_;
  proof_list proofs_;
  std::deque<taped_event> events_;
};

}  // namespace hypermesh::runtime
