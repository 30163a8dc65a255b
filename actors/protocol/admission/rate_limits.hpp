#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "actors/protocol/admission/token_bucket.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"

/// Limits on the work that one sender can cause at a node before its messages are verified (attack 33).
namespace hypermesh::protocol {

/// Limits the VIEW-CHANGEs and NEW-VIEWs of one sender that are verified. One such message can cost as much as a
/// thousand votes, and one actor verifies the messages of all replicas (attack 33). If a correct replica exceeds the
/// limit because it changes views often in a short time, its message is verified later, when it is sent again after a
/// STATUS.
///
/// When this replica itself moves on to a later view, each replica earns two messages, because a correct replica sends
/// at most two of these messages for one view. So the limit does not disturb a hand-over, in which the group leaves
/// several views at once and needs every VIEW-CHANGE.
///
/// System requests have a separate limit: a faulty primary may cause several cases at once, and they must not delay the
/// messages of the view change that replaces it. Pure. Memory: two counts for each replica.
class costly_message_limit {
 public:
  /// The number of VIEW-CHANGEs and NEW-VIEWs that may come at once, and the time in which one more is earned.
  static constexpr std::uint64_t burst = 8;
  static constexpr duration period = 250ms;
  /// Messages that a replica earns with each new view: one VIEW-CHANGE, and the NEW-VIEW if it is the primary.
  static constexpr std::uint64_t earned_by_view = 2;
  /// The same for system requests.
  static constexpr std::uint64_t case_burst = 16;
  static constexpr duration case_period = 50ms;

  [[nodiscard]] bool admit(principal sender, const message& value, moment now);
  /// This replica has entered `view`, or waits for its NEW-VIEW.
  void on_view(view_number view);
  /// The sender sent a system request that proves nothing, which no correct replica does. For 5 s none of its system
  /// requests is verified.
  void on_unproven(principal sender, moment now) { cases_[sender].pause(now + unproven_pause); }
  static constexpr duration unproven_pause = 5s;

 private:
  std::map<principal, token_bucket> changes_;
  std::map<principal, token_bucket> cases_;
  view_number view_;
};

/// Limits how many frames of a replica are handled. The limit is far above what any correct replica sends. A throttled
/// replica has a tenth of the limit, and its votes still count (attacks 33 and 39). Pure. Memory: one count for each
/// replica.
class frame_rate_limit {
 public:
  /// Frames in a second, and also the largest number at once. A donor of a state with tiny chunks sends more frames
  /// than any other correct replica, and stays below this rate.
  static constexpr std::uint64_t usual_rate = 100'000;
  static constexpr std::uint64_t throttled_part = 10;

  explicit frame_rate_limit(std::uint64_t frames_per_second = usual_rate) : rate_(frames_per_second) {}

  [[nodiscard]] bool admit(principal sender, moment now);
  /// `replicas` must be in ascending order.
  void throttle(std::vector<replica_id> replicas) { throttled_ = std::move(replicas); }

 private:
  std::uint64_t rate_;
  std::map<replica_id, token_bucket> buckets_;
  std::vector<replica_id> throttled_;
};

/// Limits the signature checks that one replica may cost. Without a limit, a faulty replica could send validly signed
/// messages again and again, which costs the receivers more than the sender (attack 33).
///
/// Each replica earns checks in two ways. f faulty replicas cannot increase either of them:
///
/// - With each period, it earns 1.5 times the (f + 1)-th highest number of checks that a replica cost in the previous
///   period. So the budget follows the load.
/// - With each sequence that this replica decides, it earns some checks in advance, because the load may rise within a
///   period. Example: an idle group gets 60 requests within 60 ms and decides 60 sequences. Each replica sends 140
///   votes in this one period, which are more than the burst of a small window. Without this rule all votes after the
///   burst would be lost, and the group would stand still until the next STATUS.
///
/// When a replica comes back after a pause, it sends fewer messages at once than the burst allows.
///
/// These messages are not counted: the primary's own proposals; parts of states; VIEW-CHANGEs, NEW-VIEWs and system
/// requests, which `costly_message_limit` bounds. REQUESTs and VOUCHes have separate budgets, so that they do not cost
/// a replica its votes. Pure. Memory: three shares for each replica.
class verification_budget {
 public:
  static constexpr duration period = 100ms;
  /// Checks in each period that every replica may cost.
  static constexpr std::uint64_t base = 50;
  /// Checks for each sequence that is decided here: a PREPARE, a COMMIT and at most one CHECKPOINT.
  static constexpr std::uint64_t earned_by_sequence = 3;
  /// The number of REQUESTs that may arrive at once, because backups forward all pending requests to a new primary.
  static constexpr std::uint64_t requests_burst = 4'096;

  /// VOUCHes that may arrive at once, in checks: those for all requests that may be pending.
  static constexpr std::uint64_t vouches_burst = 2'048;
  /// A VOUCH has no signature, but this many of its requests cost as much time as a check.
  static constexpr std::uint64_t vouched_for_a_check = 64;

  explicit verification_budget(const cluster_parameters& cluster);

  /// Whether the sender has checks left for a message of this kind.
  [[nodiscard]] bool admits(principal sender, const message& value, moment now);
  /// This replica has decided all sequences through this one.
  void on_decided(sequence_number decided);
  /// The message has cost this many checks.
  void spend(principal sender, const message& value, std::uint64_t checks);

 private:
  /// The checks that a replica has left, and the checks that it has used since the last refill.
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
  shares vouches_;
  moment period_began_{};
  /// The highest sequence that was decided. A new view may decide some sequences a second time; nothing is earned for
  /// them.
  sequence_number decided_;
  /// The checks that each replica has earned with the sequences of this period.
  std::uint64_t in_advance_ = 0;
};

/// Clients that exceeded their quota of pending requests. For 10 ms after that, none of their requests is verified
/// (attack 33). Pure. Memory: one time for each client that exceeded its quota within 10 ms.
class client_pauses {
 public:
  static constexpr duration pause = 10ms;

  /// A verified request of the client exceeded its quota.
  void on_excess(client_id client, moment now);
  [[nodiscard]] bool is_paused(client_id client, moment now) const;

 private:
  std::map<client_id, moment> until_;
};

}  // namespace hypermesh::protocol
