#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "actors/protocol/effects.hpp"
#include "actors/protocol/readmission_ledger.hpp"
#include "actors/protocol/reputation_ledger.hpp"

namespace hypermesh {

/// The agreed reputation after a sequence, with what led to it.
struct agreed_reputation {
  sequence_number after;
  std::vector<replica_standing> replicas;
  std::vector<standing_changed> events;
  /// Requests of the guard that were executed.
  std::vector<request_id> settled;
  /// Clients that were ever convicted.
  client_standings clients = {};
  agreed_moves moves = {};
  /// It came with a transferred state: what was settled on the way here nobody says.
  bool is_transferred = false;
};

/// Evidence against a replica was verified.
struct proven_case {
  replica_id accused;
  request_id name;

  friend bool operator==(const proven_case&, const proven_case&) = default;
};

/// Whom a node trusts how far: advice, never an input to a quorum or a safety test.
struct trust {
  /// Not to be followed as primaries, in ascending order: in quarantine by agreement, or proven faulty and not judged
  /// yet. At most f.
  std::vector<replica_id> shunned;
  /// Served less: those, and whose agreed or local score is low.
  std::vector<replica_id> throttled;

  friend bool operator==(const trust&, const trust&) = default;
};

/// What others see of one replica.
struct reputation {
  replica_standing agreed;
  /// This node's own impression, from 0 to `reputation_ledger::score_max`.
  std::uint32_t local_score = reputation_ledger::score_max;
  bool is_shunned = false;
  bool is_throttled = false;
};

/// What is held against a replica because of this observation; nothing for what proves nothing of anybody.
struct misdeed {
  replica_id who;
  grievance why = grievance::garbage;

  friend bool operator==(const misdeed&, const misdeed&) = default;
};
[[nodiscard]] std::optional<misdeed> misdeed_in(const observation& what, group_size group);

/// The reputation tracker: joins what all agree on with what this node sees (R13). The local score falls with each
/// misbehaviour and grows back with time; it never convicts. Pure. Memory: 250 bytes for each replica.
class trust_book {
 public:
  /// What each misbehaviour costs, and what a second brings back.
  static constexpr std::array<std::uint32_t, grievance_last + 1> costs = {0, 20, 2, 100, 50};
  static_assert(costs.back() > 0, "a cost for each grievance");
  static constexpr std::uint32_t recovery_per_second = 10;

  explicit trust_book(const cluster_parameters& cluster);

  void on_agreed(const agreed_reputation& agreed);
  /// Agreement comes later.
  void on_proven(const proven_case& what);
  void on_misbehaved(const misdeed& seen);
  void on_tick(microseconds_t now);

  [[nodiscard]] trust current() const;
  [[nodiscard]] std::vector<reputation> all() const;
  /// Clients that may have one request under way, by agreement.
  [[nodiscard]] std::size_t clients_restrained() const { return clients_restrained_; }

 private:
  [[nodiscard]] bool is_throttled(std::size_t number) const;

  cluster_parameters cluster_;
  std::vector<replica_standing> agreed_;
  std::vector<std::uint32_t> local_;
  std::size_t clients_restrained_ = 0;
  /// Cases that were judged last: news of a proof may come after that of its judgement.
  std::deque<request_id> settled_;
  /// The last case against each that is not judged yet.
  std::vector<std::optional<request_id>> proven_;
  std::optional<microseconds_t> recovered_at_;
};

}  // namespace hypermesh
