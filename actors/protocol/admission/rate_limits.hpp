#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "actors/protocol/admission/token_bucket.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"

/// Bounds on the cost of one sender for a node, before any of its messages is verified (attack 33).
namespace hypermesh {

/// Limits the VIEW-CHANGEs and NEW-VIEWs of one sender that are verified. One of them can cost as much as a thousand
/// votes, and all replicas share one way in (attack 33). A replica that really changes the view more often in a short
/// time gets its message verified when it sends it again by STATUS.
///
/// Each view that this replica itself goes on to gives back the two messages that each replica may send for a view. A
/// group that hands over leaves several views at once, and needs every VIEW-CHANGE of that.
///
/// System requests have a limit of their own: a faulty primary causes several cases at once, and its successor must not
/// wait for them. Pure. Memory: two counts for each replica.
class costly_message_limit {
 public:
  /// VIEW-CHANGEs and NEW-VIEWs at once, and the time in which one more is earned.
  static constexpr std::uint64_t burst = 8;
  static constexpr microseconds_t period_us = 250'000;
  /// One VIEW-CHANGE, and the NEW-VIEW of the primary.
  static constexpr std::uint64_t earned_by_view = 2;
  /// The same for system requests.
  static constexpr std::uint64_t case_burst = 16;
  static constexpr microseconds_t case_period_us = 50'000;

  [[nodiscard]] bool admit(principal sender, const message& value, microseconds_t now);
  /// This replica has entered `view`, or waits for its NEW-VIEW.
  void on_view(view_number view);
  /// The sender sent a system request that proves nothing, as no correct replica does. For 5 s none of its system
  /// requests is verified.
  void on_unproven(principal sender, microseconds_t now) { cases_[sender].pause(now + unproven_pause_us); }
  static constexpr microseconds_t unproven_pause_us = 5'000'000;

 private:
  std::map<principal, token_bucket> changes_;
  std::map<principal, token_bucket> cases_;
  view_number view_;
};

/// Limits the frames of a replica that are handled: far more than any correct replica sends. A throttled replica has a
/// tenth of it; its votes still count (attacks 33 and 39). Pure. Memory: one count for each replica.
class frame_rate_limit {
 public:
  /// Frames in a second, and at most at once. Of all correct replicas, a donor of a state with tiny chunks comes
  /// nearest to it.
  static constexpr std::uint64_t usual_rate = 100'000;
  static constexpr std::uint64_t throttled_part = 10;

  explicit frame_rate_limit(std::uint64_t frames_per_second = usual_rate) : rate_(frames_per_second) {}

  [[nodiscard]] bool admit(principal sender, microseconds_t now);
  /// In ascending order.
  void throttle(std::vector<replica_id> replicas) { throttled_ = std::move(replicas); }

 private:
  std::uint64_t rate_;
  std::map<replica_id, token_bucket> buckets_;
  std::vector<replica_id> throttled_;
};

/// Limits the signature checks that one replica may cost. A faulty replica can send validly signed messages again and
/// again, and each costs its sender less than all the replicas that check it (attack 33).
///
/// Each replica earns checks in two ways, neither of which f faulty replicas can raise:
///
/// - With each period, 1.5 times the (f + 1)-th highest number of checks that a replica cost in the period before. So
///   the budget follows the load.
/// - In advance of that, with each sequence that this replica decides, because the load may rise within a period.
///   Example: an idle group gets 60 requests within 60 ms and decides 60 sequences. Each replica sends 140 votes in
///   this one period, which are more than the burst of a small window. Without this rule all votes after the burst
///   would be lost, and the group would stand still until the next STATUS.
///
/// A replica that was away sends at once fewer messages than the burst.
///
/// Not counted are the primary's own proposals, parts of states, and VIEW-CHANGEs, NEW-VIEWs and system requests, which
/// `costly_message_limit` bounds. REQUESTs have a budget of their own, so that a backup that forwards them loses no
/// vote. Pure. Memory: two shares for each replica.
class verification_budget {
 public:
  static constexpr microseconds_t period_us = 100'000;
  /// Checks in each period that every replica may cost.
  static constexpr std::uint64_t base = 50;
  /// Checks for each sequence that is decided here: a PREPARE, a COMMIT and at most one CHECKPOINT.
  static constexpr std::uint64_t earned_by_sequence = 3;
  /// REQUESTs at once: those that backups forward to a new primary.
  static constexpr std::uint64_t requests_burst = 4'096;

  explicit verification_budget(const cluster_parameters& cluster);

  /// Whether the sender has checks left for a message of this kind.
  [[nodiscard]] bool admits(principal sender, const message& value, microseconds_t now);
  /// This replica has decided all sequences through this one.
  void on_decided(sequence_number decided);
  /// The message has cost this many checks.
  void spend(principal sender, const message& value, std::uint64_t checks);

 private:
  /// Checks that are left, and those used since the last refill.
  struct share {
    std::uint64_t left = 0;
    std::uint64_t used = 0;
  };
  struct shares {
    std::uint64_t burst;
    std::vector<share> of;
  };

  [[nodiscard]] share* share_of(principal sender, const message& value);
  void refill(shares& all, std::uint64_t periods, std::uint64_t in_advance) const;

  group_size group_;
  shares statements_;
  shares requests_;
  microseconds_t period_began_ = 0;
  /// The highest sequence that was decided. A new view decides some sequences again, and nothing is earned for these.
  sequence_number decided_;
  /// What each replica earned with the sequences of this period.
  std::uint64_t in_advance_ = 0;
};

/// Clients that sent more than they may have pending: for 10 ms none of their requests is verified (attack 33). Pure.
/// Memory: one time for each client that exceeded its quota within 10 ms.
class client_pauses {
 public:
  static constexpr microseconds_t pause_us = 10'000;

  /// A verified request of the client exceeded its quota.
  void on_excess(client_id client, microseconds_t now);
  [[nodiscard]] bool is_paused(client_id client, microseconds_t now) const;

 private:
  std::map<client_id, microseconds_t> until_;
};

}  // namespace hypermesh
