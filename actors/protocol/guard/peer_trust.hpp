#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/reputation/readmission_ledger.hpp"
#include "actors/protocol/reputation/reputation_ledger.hpp"

namespace hypermesh::protocol {

/// The agreed reputation after a sequence, and the events that led to it.
struct agreed_reputation {
  sequence_number after;
  std::vector<replica_standing> replicas;
  std::vector<standing_changed> events;
  /// Names of the system requests that were executed.
  std::vector<case_name> settled;
  /// The standing of each convicted client.
  client_standings clients = {};
  agreed_moves moves = {};
  /// Whether the reputation came with a transferred state. In that case it is unknown which system requests were
  /// executed before that state.
  bool is_transferred = false;
};

/// Evidence against a replica was verified, and it is not ordered yet.
struct proven_misbehaviour {
  replica_id accused;
  case_name name;

  friend bool operator==(const proven_misbehaviour&, const proven_misbehaviour&) = default;
};

/// The trust of this node in the other replicas. It is advice: no quorum and no safety decision depends on it.
struct trust {
  /// Replicas that this node does not follow as primary, in ascending order: replicas in quarantine first, then
  /// replicas with unordered evidence against them. There are at most f of them together.
  std::vector<replica_id> avoided_as_primary;
  /// Replicas that this node serves less: replicas in quarantine, replicas with unordered evidence against them, and
  /// replicas with a low agreed or local score.
  std::vector<replica_id> throttled;

  friend bool operator==(const trust&, const trust&) = default;
};

/// The reputation of one replica, as reports show it.
struct reputation {
  replica_standing agreed;
  /// This node's own impression, from 0 to `reputation_ledger::score_max`.
  std::uint32_t local_score = reputation_ledger::score_max;
  bool is_avoided_as_primary = false;
  bool is_throttled = false;
};

/// A misbehaviour of a replica that this node observed and cannot prove to others.
struct observed_misbehaviour {
  replica_id who;
  complaint_reason why = complaint_reason::garbage;

  friend bool operator==(const observed_misbehaviour&, const observed_misbehaviour&) = default;
};
/// The misbehaviour that an observation shows; nothing if it may have an innocent cause.
[[nodiscard]] std::optional<observed_misbehaviour> observed_misbehaviour_in(const observation& what, group_size group);

/// The reputation tracker: combines the agreed reputation with the observations of this node (R13). The local score
/// falls with each observed misbehaviour and grows with time. A low local score never convicts a replica. Pure.
///
/// Memory: 250 bytes for each replica, and 64 names of settled cases.
class peer_trust {
 public:
  /// The loss of score for each misbehaviour, by complaint reason (index 0 is unused), and the recovery of the local
  /// score.
  static constexpr std::array<std::uint32_t, complaint_reason_last + 1> costs = {0, 20, 2, 100, 50};
  static_assert(costs.back() > 0, "a cost for each complaint reason");
  static constexpr std::uint32_t recovery_per_second = 10;

  explicit peer_trust(const cluster_parameters& cluster);

  void on_agreed(const agreed_reputation& agreed);
  /// This node verified evidence, and the conviction is not ordered yet.
  void on_proven(const proven_misbehaviour& what);
  /// Lowers the local score.
  void on_misbehaved(const observed_misbehaviour& seen);
  void on_tick(moment now);

  [[nodiscard]] trust current() const;
  [[nodiscard]] std::vector<reputation> all() const;
  /// Number of clients that are rate-limited according to the agreed reputation.
  [[nodiscard]] std::size_t clients_rate_limited() const { return clients_rate_limited_; }

 private:
  [[nodiscard]] bool is_throttled(std::size_t number) const;

  cluster_parameters cluster_;
  std::vector<replica_standing> agreed_;
  std::vector<std::uint32_t> local_;
  std::size_t clients_rate_limited_ = 0;
  /// Names of the cases that were settled last. The report of evidence may arrive after the report that its case is
  /// settled.
  std::deque<case_name> settled_;
  /// For each replica, the last case against it that is not settled yet.
  std::vector<std::optional<case_name>> proven_;
  std::optional<moment> recovered_at_;
};

}  // namespace hypermesh::protocol
