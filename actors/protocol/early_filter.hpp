#pragma once

#include <array>
#include <map>
#include <optional>

#include "actors/protocol/cluster.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// Where the replica stands, as far as the way in needs to know.
struct replica_position {
  view_number view;
  /// Whether the view is entered.
  bool active = true;
  /// Everything through here is stable, or committed in the view.
  sequence_number decided;
  sequence_number stable;
  /// H.
  sequence_number high;
  /// How often its state was wrong and has been repaired: what it was given meanwhile it has dropped (attack 27).
  std::uint64_t repairs = 0;

  friend bool operator==(const replica_position&, const replica_position&) = default;
};

/// How many VIEW-CHANGEs and NEW-VIEWs of one sender are verified: one can cost as much as a thousand votes, and all
/// replicas share one way in (attack 33). Who really changes views twice in one moment is heard by a later STATUS.
/// Cases of the guard have a share of their own: a faulty primary makes several at once, and its successor must not
/// wait for that. Pure. Memory: two counts for each sender.
class costly_quota {
 public:
  static constexpr std::uint64_t burst = 4;
  static constexpr microseconds_t period_us = 250'000;
  static constexpr std::uint64_t case_burst = 16;
  static constexpr microseconds_t case_period_us = 50'000;

  [[nodiscard]] bool admit(principal sender, const message& value, microseconds_t now);
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

/// Refuses what the replica would refuse anyway, before its signatures are checked: late, foreign to the view, far
/// outside the watermarks, or known already (attack 33: a PRE-PREPARE may cost a thousand checks). Pure. Decides
/// nothing: what it lets through the cores judge, and what it refuses they would have refused, so retransmission still
/// repairs everything. Memory: for each sequence inside the window one statement and 2n digests, and one signature for
/// each replica.
class early_filter {
 public:
  explicit early_filter(const cluster_parameters& cluster);

  /// To a message on the link of `sender`.
  [[nodiscard]] std::optional<rejection> objection_to(principal sender, const message& value) const;

  /// A message was verified and handed on.
  void note_passed(const message& value);

  void on_position(const replica_position& at);

 private:
  [[nodiscard]] std::optional<rejection> objection_to_place(const statement& content) const;
  [[nodiscard]] std::optional<rejection> objection_to_view(view_number wanted) const;
  [[nodiscard]] std::optional<rejection> objection_to_vote(principal sender, message_kind kind,
                                                           const statement& content) const;
  [[nodiscard]] bool is_kept(const statement& content) const;

  /// What the replica has of a sequence for sure: of its view, inside its window, first of its kind.
  struct accepted {
    std::optional<statement> header;
    /// PREPAREs and COMMITs.
    std::array<std::map<replica_id, digest>, 2> votes;

    [[nodiscard]] auto& votes_of(message_kind kind) { return votes[kind == message_kind::commit ? 1 : 0]; }
    [[nodiscard]] const auto& votes_of(message_kind kind) const { return votes[kind == message_kind::commit ? 1 : 0]; }
  };

  std::uint32_t window_;
  replica_position at_;
  /// The VIEW-CHANGE of the highest view of each replica, by its signature.
  std::map<replica_id, std::pair<view_number, signature>> changes_;
  std::map<sequence_number, accepted> accepted_;
};

}  // namespace hypermesh
