#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "actors/protocol/cluster.hpp"
#include "messages/values.hpp"

/// What one sender may cost a node before anything of it is verified (attack 33).
namespace hypermesh {

/// How many VIEW-CHANGEs and NEW-VIEWs of one sender are verified: one can cost as much as a thousand votes, and all
/// replicas share one way in (attack 33). Who really changes views twice in one moment is heard by a later STATUS.
/// Each view that this replica itself goes on to gives back what every replica may say about a view: a group that hands
/// over leaves several views at once, and every VIEW-CHANGE of that is needed.
/// Cases of the guard have a share of their own: a faulty primary makes several at once, and its successor must not
/// wait for that. Pure. Memory: two counts for each sender.
class costly_quota {
 public:
  static constexpr std::uint64_t burst = 8;
  static constexpr microseconds_t period_us = 250'000;
  /// A VIEW-CHANGE, and the NEW-VIEW of the primary.
  static constexpr std::uint64_t earned_by_view = 2;
  static constexpr std::uint64_t case_burst = 16;
  static constexpr microseconds_t case_period_us = 50'000;

  [[nodiscard]] bool admit(principal sender, const message& value, microseconds_t now);
  /// This replica is in a view now, or waits for it.
  void on_view(view_number view);
  /// It sent a case that proves nothing, which no correct replica does: it has none left for a while.
  void on_unproven(principal sender, microseconds_t now) { cases_[sender] = {0, now + unproven_pause_us}; }
  static constexpr microseconds_t unproven_pause_us = 5'000'000;

 private:
  struct purse {
    std::uint64_t left = 0;
    microseconds_t since = 0;
  };
  using purses = std::map<principal, purse>;

  [[nodiscard]] static bool spend(purses& from, principal sender, std::uint64_t most, microseconds_t period,
                                  microseconds_t now);

  purses changes_;
  purses cases_;
  view_number view_;
};

/// How many frames of a replica are looked at: far more than any correct one sends, and less of those that are trusted
/// less, whose votes still count (attacks 33 and 39). Pure. Memory: one count for each replica.
class frame_quota {
 public:
  /// Frames in a second, and at once.
  static constexpr std::uint64_t usual_rate = 100'000;
  static constexpr std::uint64_t throttled_rate = 10'000;

  [[nodiscard]] bool admit(principal sender, microseconds_t now);
  /// Sorted.
  void throttle(std::vector<replica_id> replicas) { throttled_ = std::move(replicas); }

 private:
  struct purse {
    std::uint64_t left = 0;
    microseconds_t since = 0;
    bool is_new = true;
  };
  std::map<replica_id, purse> shares_;
  std::vector<replica_id> throttled_;
};

/// How many of a replica's words are verified: validly signed ones cost their sender less than everybody who checks
/// them, and may be sent again and again (attack 33). As many as the busiest correct replica's and half as many more:
/// the level is what the busiest but f had verified in the last period, so it follows the load, and f liars do not lift
/// it. What a replica that was away has to say at once is below the burst. The primary's own proposals, and
/// VIEW-CHANGEs, NEW-VIEWs and cases, which have a quota of their own, do not count. REQUESTs have a share apart, so
/// that what a backup hands on costs it no vote. Pure. Memory: two shares for each replica.
class check_quota {
 public:
  static constexpr microseconds_t period_us = 100'000;
  /// Checks in a period that everybody may cost.
  static constexpr std::uint64_t base = 50;
  /// REQUESTs at once: those that a new primary is handed.
  static constexpr std::uint64_t requests_burst = 4'096;

  explicit check_quota(const cluster_parameters& cluster);

  /// Whether something is left for a message of this kind.
  [[nodiscard]] bool admits(principal sender, const message& value, microseconds_t now);
  /// So many checks were made for the message.
  void spend(principal sender, const message& value, std::uint64_t checks);

 private:
  struct share {
    std::uint64_t left = 0;
    std::uint64_t used = 0;
  };
  struct shares {
    std::uint64_t burst;
    std::vector<share> of;
  };

  [[nodiscard]] share* share_of(principal sender, const message& value);
  void refill(shares& all, std::uint64_t periods) const;

  group_size group_;
  shares words_;
  shares requests_;
  microseconds_t period_began_ = 0;
};

/// Clients that sent more than they may have pending: for a moment nothing of theirs is verified (attack 33). Pure.
/// Memory: one time for each of them that was told of in the last moment.
class client_pauses {
 public:
  static constexpr microseconds_t pause_us = 10'000;

  /// A verified request of it was one too many.
  void on_excess(client_id client, microseconds_t now);
  [[nodiscard]] bool is_paused(client_id client, microseconds_t now) const;

 private:
  std::map<client_id, microseconds_t> until_;
};

}  // namespace hypermesh
