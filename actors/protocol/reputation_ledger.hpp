#pragma once

#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/accusation.hpp"
#include "actors/protocol/effects.hpp"
#include "messages/byte_codec.hpp"

namespace hypermesh {

/// What all replicas agree on about one of them. Scores are from 0 to `reputation_ledger::score_max`.
struct replica_standing {
  std::uint32_t score = 1'000;
  /// Ever.
  std::uint32_t convictions = 0;
  std::uint32_t complaints = 0;
  /// Of the last conviction; with the sequence it names it.
  std::uint8_t last_offence = 0;
  sequence_number convicted_at;
  /// Where its quarantine ends; 0: it is not in quarantine.
  sequence_number quarantined_until;
  /// It was convicted while as many as the group can miss were in quarantine already.
  bool awaits_quarantine = false;
  /// Votes for sequences through here were punished, or came before what was punished.
  sequence_number settled_through;
  /// Names of the documents that were punished last, the newest first.
  std::array<timestamp, 16> settled_documents{};
  /// For each grievance the last period that counted.
  std::array<sequence_number, grievance_last + 1> complained_in{};

  [[nodiscard]] bool is_quarantined() const { return quarantined_until > sequence_number{0}; }
  friend bool operator==(const replica_standing&, const replica_standing&) = default;
};

/// What all replicas agree on about a client that was convicted.
struct client_standing {
  /// Ever.
  std::uint32_t convictions = 0;
  /// The last one.
  sequence_number convicted_at;
  /// Until then it has one request under way at a time; 0: it is over.
  sequence_number restrained_until;
  /// Names of the deeds that were punished last, the newest first.
  std::array<timestamp, 4> settled{};

  [[nodiscard]] bool is_restrained() const { return restrained_until > sequence_number{0}; }
  friend bool operator==(const client_standing&, const client_standing&) = default;
};
using client_standings = std::map<client_id, client_standing>;

/// In ascending order.
[[nodiscard]] std::vector<client_id> restrained_in(const client_standings& clients);

/// The agreed reputation of the replicas: a pure function of the committed sequence, and part of the checkpointed state
/// (attack 38). Convictions come from evidence alone, and only they lead to quarantine; complaints of f+1 replicas
/// lower the score, never below `complained_score_min`, and so throttle. At most f are in quarantine (attack 39). A
/// convicted client is restrained for as long as a replica would be away. Time is counted in checkpoints: no clock is
/// agreed.
///
/// What f colluding replicas can do to an honest one: nothing. A conviction needs two words with its own signature, a
/// complaint an honest complainer. What they can do for themselves: have their score grow back by committed batches, as
/// slowly as everybody's; a vote that excludes another counts no more once a later one was punished.
/// Memory: 240 bytes for each replica, and 120 for each of the `clients_max` clients that were convicted last.
class reputation_ledger {
 public:
  static constexpr std::uint32_t score_max = 1'000;
  static constexpr std::uint32_t complaint_cost = 50;
  static constexpr std::uint32_t complained_score_min = 300;
  /// What one starts from after a quarantine.
  static constexpr std::uint32_t released_score = 250;
  /// For each checkpoint in which nothing was held against it.
  static constexpr std::uint32_t recovery = 10;
  /// Below this a replica is throttled.
  static constexpr std::uint32_t throttled_below = 600;
  /// Checkpoints of a first quarantine or restraint; each later one is twice as long, six times.
  static constexpr std::uint64_t quarantine_periods = 8;
  static constexpr std::uint32_t doublings_max = 6;
  static constexpr std::size_t clients_max = 256;

  explicit reputation_ledger(const cluster_parameters& cluster);

  /// Whether the deed was punished before, or came before what was.
  [[nodiscard]] static bool is_settled(const replica_standing& standing, const accusation& about);
  /// The same of a client's. Of one that is restrained every deed is: it could make proofs against itself without end
  /// (attack 33).
  [[nodiscard]] static bool is_settled(const client_standing& standing, const accusation& about);

  /// Whether it changed anything. The case was verified before it was ordered.
  bool apply(const guard_case& about, sequence_number sequence);
  /// Everything of `sequence` was applied.
  void end_of(sequence_number sequence);

  [[nodiscard]] const std::vector<replica_standing>& replicas() const { return replicas_; }
  /// Of those that were ever convicted.
  [[nodiscard]] const client_standings& clients() const { return clients_; }
  [[nodiscard]] std::uint32_t quarantined() const;
  /// What happened since this was asked last.
  [[nodiscard]] std::vector<standing_changed> take_events() { return std::exchange(events_, {}); }

  void write(byte_writer& out) const;
  /// False when these are not the bytes of a ledger of this group; it is unchanged then.
  [[nodiscard]] bool read(byte_reader& in);

 private:
  bool convict(const accusation& about, sequence_number sequence);
  bool settle(const accusation& about, sequence_number sequence);
  bool convict_client(const accusation& about, sequence_number sequence);
  bool complain(const ballot& about, sequence_number sequence);
  bool release(const ballot& about, sequence_number sequence);
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
