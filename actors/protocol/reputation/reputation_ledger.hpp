#pragma once

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "messages/byte_codec.hpp"

namespace hypermesh {

/// The agreed standing of one replica. Scores are from 0 to `reputation_ledger::score_max`.
struct replica_standing {
  std::uint32_t score = 1'000;
  /// Convictions and counted complaints since the genesis.
  std::uint32_t convictions = 0;
  std::uint32_t complaints = 0;
  /// The `misbehaviour_kind` and the sequence of the last conviction.
  std::uint8_t last_misbehaviour = 0;
  sequence_number convicted_at;
  /// The first checkpoint from here on ends the quarantine. 0: it is not in quarantine.
  sequence_number quarantined_until;
  /// It was convicted while f replicas were in quarantine already.
  bool awaits_quarantine = false;
  /// Votes for sequences through here convict no more: they were punished, or are not later than what was punished.
  sequence_number settled_through;
  /// Names of the cases about documents that were punished last, the newest first.
  std::array<case_name, 16> settled_documents{};
  /// For each complaint reason, the last period that counted.
  std::array<sequence_number, complaint_reason_last + 1> complained_in{};

  [[nodiscard]] bool is_quarantined() const { return quarantined_until > sequence_number{0}; }
  friend bool operator==(const replica_standing&, const replica_standing&) = default;
};

/// The agreed standing of a client that was convicted.
struct client_standing {
  /// Convictions since the client is remembered.
  std::uint32_t convictions = 0;
  /// The sequence of the last conviction.
  sequence_number convicted_at;
  /// The first checkpoint from here on ends the rate limit. Until then the client has one request under way at a time.
  /// 0: no limit.
  sequence_number rate_limited_until;
  /// Names of the cases that were punished last, the newest first.
  std::array<case_name, 4> settled{};

  [[nodiscard]] bool is_rate_limited() const { return rate_limited_until > sequence_number{0}; }
  friend bool operator==(const client_standing&, const client_standing&) = default;
};
using client_standings = std::map<client_id, client_standing>;

/// The rate-limited clients in ascending order.
[[nodiscard]] std::vector<client_id> rate_limited_in(const client_standings& clients);

/// The agreed reputation of the replicas: a pure function of the committed sequence, and part of the checkpointed state
/// (attack 38). Only evidence convicts, and only a conviction leads to quarantine. Complaints of f+1 replicas lower the
/// score, never below `complained_score_min`, and so lead to throttling. At most f replicas are in quarantine
/// (attack 39). A convicted client is rate-limited for the term of a quarantine. Time is counted in checkpoints,
/// because no clock is agreed.
///
/// f colluding replicas cannot lower the score of a correct replica. A conviction needs signatures of the accused: two
/// conflicting messages, or one message that no correct replica signs. A complaint that counts has a correct
/// complainer. For themselves they gain little: their scores grow back with committed batches, as slowly as all others,
/// and conflicting votes that they show late convict no more once a later conviction was executed.
/// Memory: 240 bytes for each replica, and 120 for each of the `clients_max` clients that were convicted last.
class reputation_ledger {
 public:
  static constexpr std::uint32_t score_max = 1'000;
  static constexpr std::uint32_t complaint_cost = 50;
  static constexpr std::uint32_t complained_score_min = 300;
  /// The score when a quarantine ends.
  static constexpr std::uint32_t released_score = 250;
  /// Added at each checkpoint to the score of each replica that is neither in quarantine nor waits for a place there.
  static constexpr std::uint32_t recovery = 10;
  /// Below this a replica is throttled.
  static constexpr std::uint32_t throttled_below = 600;
  /// Checkpoint periods of a first quarantine or rate limit. Each later term is twice as long, for at most
  /// `doublings_max` doublings.
  static constexpr std::uint64_t quarantine_periods = 8;
  static constexpr std::uint32_t doublings_max = 6;
  static constexpr std::size_t clients_max = 256;

  explicit reputation_ledger(const cluster_parameters& cluster);

  /// Whether the misbehaviour was punished before, or is a vote that is not later than what was punished.
  [[nodiscard]] static bool is_settled(const replica_standing& standing, const misbehaviour& about);
  /// The same for a client. While a client is rate-limited, each of its misbehaviours counts as settled, because it
  /// could make evidence against itself without end (attack 33).
  [[nodiscard]] static bool is_settled(const client_standing& standing, const misbehaviour& about);

  /// Applies a misbehaviour, COMPLAINT or RELEASE that was ordered at `sequence`; its evidence was verified before
  /// that. Returns whether it changed anything.
  bool apply(const system_claim& about, sequence_number sequence);
  /// The whole batch of `sequence` was applied. At a checkpoint terms end and scores recover.
  void end_of(sequence_number sequence);

  [[nodiscard]] const std::vector<replica_standing>& replicas() const { return replicas_; }
  /// The clients that were convicted last, at most `clients_max`.
  [[nodiscard]] const client_standings& clients() const { return clients_; }
  [[nodiscard]] std::uint32_t quarantined() const;
  /// The changes since the last call.
  [[nodiscard]] std::vector<standing_changed> take_events() { return std::exchange(events_, {}); }

  void write(byte_writer& out) const;
  /// False when these are not the bytes of a ledger of this group; the ledger is unchanged then.
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

}  // namespace hypermesh
