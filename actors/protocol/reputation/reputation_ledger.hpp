#pragma once

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "messages/byte_codec.hpp"

namespace hypermesh::protocol {

/// The agreed standing of one replica. Scores are from 0 to `reputation_ledger::score_max`.
struct replica_standing {
  std::uint32_t score = 1'000;
  /// Convictions and counted complaints since the genesis.
  std::uint32_t convictions = 0;
  std::uint32_t complaints = 0;
  /// The `misbehaviour_kind` and the sequence of the last conviction.
  std::uint8_t last_misbehaviour = 0;
  sequence_number convicted_at;
  /// The quarantine ends at the first checkpoint that is not below this sequence number. 0 if the replica is not in
  /// quarantine.
  sequence_number quarantined_until;
  /// Whether the replica was convicted while f other replicas were in quarantine.
  bool awaits_quarantine = false;
  /// Conflicting votes for sequence numbers up to this one do not convict again: they were punished, or are not later
  /// than votes that were punished.
  sequence_number settled_through;
  /// Names of the cases about documents that were punished most recently, the newest first.
  std::array<case_name, 16> settled_documents{};
  /// For each complaint reason, the last checkpoint period in which complaints lowered the score.
  std::array<sequence_number, complaint_reason_last + 1> complained_in{};

  [[nodiscard]] bool is_quarantined() const { return quarantined_until > sequence_number{0}; }
  friend bool operator==(const replica_standing&, const replica_standing&) = default;
};

/// The agreed standing of a client that was convicted.
struct client_standing {
  /// Convictions of the client since it was added to the ledger.
  std::uint32_t convictions = 0;
  /// The sequence of the last conviction.
  sequence_number convicted_at;
  /// The rate limit ends at the first checkpoint that is not below this sequence number. Until then the client may have
  /// one pending request at a time. 0 if there is no limit.
  sequence_number rate_limited_until;
  /// Names of the cases that were punished most recently, the newest first.
  std::array<case_name, 4> settled{};

  [[nodiscard]] bool is_rate_limited() const { return rate_limited_until > sequence_number{0}; }
  friend bool operator==(const client_standing&, const client_standing&) = default;
};
using client_standings = std::map<client_id, client_standing>;

/// The rate-limited clients in ascending order.
[[nodiscard]] std::vector<client_id> rate_limited_in(const client_standings& clients);

/// The agreed reputation of the replicas: a pure function of the committed sequence, and part of the checkpointed state
/// (attack 38). Only evidence convicts, and only a conviction leads to quarantine. Complaints of f+1 replicas lower the
/// score, never below `complained_score_min`, and so lead to throttling. At most f replicas are in quarantine (attack
/// 39). A convicted client is rate-limited for the term of a quarantine. Terms are counted in checkpoints, because the
/// replicas do not agree on a clock.
///
/// f colluding replicas cannot lower the score of a correct replica, because a conviction needs signatures of the
/// accused, and at least one of f+1 replicas that complain is correct. The colluding replicas also gain little for
/// themselves. Their scores recover at checkpoints, as slowly as all others. After a conviction, conflicting votes for
/// earlier sequence numbers do not convict again, so a replica cannot save up evidence against itself. Memory: 240
/// bytes for each replica, and 120 for each of the `clients_max` clients that were convicted last.
class reputation_ledger {
 public:
  static constexpr std::uint32_t score_max = 1'000;
  static constexpr std::uint32_t complaint_cost = 50;
  static constexpr std::uint32_t complained_score_min = 300;
  /// The score of a replica when its quarantine ends.
  static constexpr std::uint32_t released_score = 250;
  /// Added at each checkpoint to the score of each replica that is neither in quarantine nor waiting for a free place
  /// there.
  static constexpr std::uint32_t recovery = 10;
  /// A replica with a score below this is throttled.
  static constexpr std::uint32_t throttled_below = 600;
  /// Checkpoint periods of a first quarantine or rate limit. Each later term is twice as long, for at most
  /// `doublings_max` doublings.
  static constexpr std::uint64_t quarantine_periods = 8;
  static constexpr std::uint32_t doublings_max = 6;
  static constexpr std::size_t clients_max = 256;

  explicit reputation_ledger(const cluster_parameters& cluster);

  /// Whether the misbehaviour was punished before, or is about votes that are not later than votes that were punished.
  [[nodiscard]] static bool is_settled(const replica_standing& standing, const misbehaviour& about);
  /// The same for a client. While a client is rate-limited, each of its misbehaviours counts as settled, because the
  /// client could otherwise make evidence against itself without end (attack 33).
  [[nodiscard]] static bool is_settled(const client_standing& standing, const misbehaviour& about);

  /// Applies a misbehaviour, COMPLAINT or RELEASE that was ordered at `sequence`; its evidence was verified before
  /// that. Returns whether it changed anything.
  bool apply(const system_claim& about, sequence_number sequence);
  /// All system requests of the batch of `sequence` were applied. If the batch ends a checkpoint period, terms end and
  /// scores recover.
  void end_of(sequence_number sequence);

  [[nodiscard]] const std::vector<replica_standing>& replicas() const { return replicas_; }
  /// The clients that were convicted last, at most `clients_max`.
  [[nodiscard]] const client_standings& clients() const { return clients_; }
  [[nodiscard]] std::uint32_t quarantined() const;
  /// The changes since the last call.
  [[nodiscard]] std::vector<standing_changed> take_events() { return std::exchange(events_, {}); }

  void write(byte_writer& out) const;
  /// Returns false if the bytes are not a ledger of this group. The ledger is then unchanged.
  [[nodiscard]] bool read(byte_reader& in);

 private:
  bool convict(const misbehaviour& about, sequence_number sequence);
  bool settle(const misbehaviour& about, sequence_number sequence);
  bool convict_client(const misbehaviour& about, sequence_number sequence);
  bool complain(const group_request& about, sequence_number sequence);
  bool release(const group_request& about, sequence_number sequence);
  [[nodiscard]] sequence_number end_of_term(std::uint32_t convictions, sequence_number since) const;
  void quarantine(replica_id replica, sequence_number sequence);
  void free(replica_id replica, sequence_number sequence);
  void note(standing_changed::what happened, principal about, std::uint8_t reason, sequence_number sequence,
            sequence_number until = {});

  cluster_parameters cluster_;
  std::vector<replica_standing> replicas_;
  client_standings clients_;
  std::vector<standing_changed> events_;
};

}  // namespace hypermesh::protocol
