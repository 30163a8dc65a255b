#include "actors/protocol/reputation/reputation_ledger.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// Whether the evidence contains a VIEW-CHANGE or NEW-VIEW. Such a case is remembered by its name, because a document
/// has no sequence number.
bool is_of_document(misbehaviour_kind what) {
  return what == misbehaviour_kind::conflicting_view_changes || what == misbehaviour_kind::conflicting_new_views ||
         what == misbehaviour_kind::unlawful_view_change || what == misbehaviour_kind::unlawful_new_view ||
         what == misbehaviour_kind::hidden_certificate;
}

}  // namespace

std::vector<client_id> rate_limited_in(const client_standings& clients) {
  std::vector<client_id> all;
  for (const auto& [client, standing] : clients) {
    if (standing.is_rate_limited()) all.push_back(client);
  }
  return all;
}

reputation_ledger::reputation_ledger(const cluster_parameters& cluster)
    : cluster_(cluster), replicas_(cluster.replicas) {}

bool reputation_ledger::apply(const system_claim& about, sequence_number sequence) {
  if (const auto* accused = std::get_if<misbehaviour>(&about)) {
    return accused->accused.is_client() ? convict_client(*accused, sequence) : convict(*accused, sequence);
  }
  const auto& wanted = std::get<group_request>(about);
  // `replicated_state::judge` gives READMISSION and HAND-OVER to the readmission ledger.
  return wanted.kind == message_kind::release ? release(wanted, sequence) : complain(wanted, sequence);
}

void reputation_ledger::note(standing_changed::what happened, principal about, std::uint8_t reason,
                             sequence_number sequence, sequence_number until) {
  events_.push_back({happened, about, reason, sequence, until});
}

// --- Convictions -----------------------------------------------------------------

bool reputation_ledger::is_settled(const replica_standing& standing, const misbehaviour& about) {
  // Sequence 0 is always settled. No batch has it, so votes for it do no harm.
  if (!is_of_document(about.what)) return about.sequence <= standing.settled_through;
  return std::ranges::find(standing.settled_documents, case_name_of(about)) != standing.settled_documents.end();
}

bool reputation_ledger::is_settled(const client_standing& standing, const misbehaviour& about) {
  // A client signs conflicting requests at no cost. One conviction for each term keeps it from filling batches with
  // evidence against itself (attack 33).
  return standing.is_rate_limited() ||
         std::ranges::find(standing.settled, case_name_of(about)) != standing.settled.end();
}

/// Marks the misbehaviour as punished. False when it was settled before, or is too far ahead to be judged.
bool reputation_ledger::settle(const misbehaviour& about, sequence_number sequence) {
  require(about.accused.is_replica() && about.accused.number < replicas_.size(), "a replica is accused");
  auto& standing = replicas_[about.accused.number];
  if (is_settled(standing, about)) return false;
  if (is_of_document(about.what)) {
    // A fixed number of names, the newest first, so that misbehaviour cannot make the state grow (I12).
    auto& settled = standing.settled_documents;
    std::shift_right(settled.begin(), settled.end(), 1);
    settled.front() = case_name_of(about);
  } else {
    // Votes beyond the window are not punished, because a conviction for them would settle all earlier votes of the
    // signer in advance. Example with L = 256: replica 3 signs two votes for sequence 10,000 and has them ordered at
    // sequence 100. If they counted, replica 3 could equivocate through 10,000 without a further punishment.
    if (about.sequence > sequence.plus(cluster_.watermark_window)) return false;
    standing.settled_through = std::max(standing.settled_through, about.sequence);
  }
  // One conviction also settles all votes for sequences before it. Otherwise evidence that was held back could convict
  // the replica again, once for each sequence, after its release.
  standing.settled_through = std::max(standing.settled_through, sequence);
  require(is_settled(standing, about), "a misbehaviour is punished once");
  return true;
}

bool reputation_ledger::convict(const misbehaviour& about, sequence_number sequence) {
  if (about.accused.number >= replicas_.size() || !settle(about, sequence)) return false;
  auto& standing = replicas_[about.accused.number];
  ++standing.convictions;
  // Evidence proves the misbehaviour, so the replica loses its whole score at once. The score recovers with time.
  standing.score = 0;
  standing.last_misbehaviour = static_cast<std::uint8_t>(about.what);
  standing.convicted_at = sequence;
  note(standing_changed::what::convicted, about.accused, standing.last_misbehaviour, sequence);
  // The present term is not prolonged. The next one will be longer, because `convictions` was counted.
  if (standing.is_quarantined()) return true;
  // Attack 39: at most f replicas are in quarantine, because without more than f of them the others may have no quorum.
  standing.awaits_quarantine = quarantined() >= cluster_.group().faulty_max();
  if (!standing.awaits_quarantine) quarantine(replica_id{about.accused.number}, sequence);
  require(standing.is_quarantined() != standing.awaits_quarantine, "a convicted replica has a place, or waits for one");
  return true;
}

bool reputation_ledger::convict_client(const misbehaviour& about, sequence_number sequence) {
  require(about.accused.is_client(), "a client is accused");
  auto& standing = clients_[client_id{about.accused.number}];
  if (is_settled(standing, about)) return false;
  std::shift_right(standing.settled.begin(), standing.settled.end(), 1);
  standing.settled.front() = case_name_of(about);
  ++standing.convictions;
  standing.convicted_at = sequence;
  // Clients are never in quarantine, because they cannot harm safety and the number of faulty clients is not bounded by
  // f.
  standing.rate_limited_until = end_of_term(standing.convictions, sequence);
  note(standing_changed::what::convicted, about.accused, static_cast<std::uint8_t>(about.what), sequence,
       standing.rate_limited_until);
  // The client whose last conviction is the oldest is forgotten, so that faulty clients cannot make the state grow.
  if (clients_.size() > clients_max) {
    clients_.erase(std::ranges::min_element(clients_, {}, [](const auto& each) { return each.second.convicted_at; }));
  }
  require(clients_.size() <= clients_max, "faulty clients cannot make the state grow");
  return true;
}

std::uint32_t reputation_ledger::quarantined() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(replicas_, &replica_standing::is_quarantined));
}

sequence_number reputation_ledger::end_of_term(std::uint32_t convictions, sequence_number since) const {
  // Example with K = 128: 8 periods are 1,024 sequences for the first conviction. From the seventh conviction on a term
  // has 8 * 64 = 512 periods, 65,536 sequences.
  require(convictions > 0, "a term follows a conviction");
  const auto doublings = std::min(convictions - 1, doublings_max);
  return since.plus((quarantine_periods << doublings) * cluster_.checkpoint_period);
}

void reputation_ledger::quarantine(replica_id replica, sequence_number sequence) {
  auto& standing = replicas_[replica.value];
  require(!standing.is_quarantined(), "a term that runs is not prolonged");
  standing.awaits_quarantine = false;
  standing.quarantined_until = end_of_term(standing.convictions, sequence);
  note(standing_changed::what::quarantined, principal::of(replica), standing.last_misbehaviour, sequence,
       standing.quarantined_until);
  // Attack 39.
  require(quarantined() <= cluster_.group().faulty_max(), "at most f replicas are in quarantine");
}

void reputation_ledger::free(replica_id replica, sequence_number sequence) {
  auto& standing = replicas_[replica.value];
  standing.quarantined_until = {};
  standing.score = released_score;
  note(standing_changed::what::released, principal::of(replica), 0, sequence);
}

// --- Complaints, releases and time ------------------------------------------------

bool reputation_ledger::complain(const group_request& about, sequence_number sequence) {
  require(about.about.value < replicas_.size(), "a complaint is about a replica");
  auto& standing = replicas_[about.about.value];
  require(static_cast<std::size_t>(about.why) < standing.complained_in.size(), "each reason has a place");
  auto& last = standing.complained_in[static_cast<std::size_t>(about.why)];
  // A period counts once for each reason, so complaints for one reason cost at most 50 points a period. A period that
  // is far ahead is refused, because it would block all complaints for this reason until then.
  if (about.sequence <= last || about.sequence > sequence.plus(2 * cluster_.watermark_window)) return false;
  // A period that ended long ago is refused, so that votes for it cannot be saved up and completed later.
  if (about.sequence.plus(2 * cluster_.watermark_window) < sequence) return false;
  last = about.sequence;
  ++standing.complaints;
  // Complaints prove nothing, so they never lower a score to 0. A score that a conviction has put below the minimum
  // stays there.
  if (standing.score > complained_score_min) {
    standing.score = std::max(complained_score_min, standing.score - complaint_cost);
  }
  note(standing_changed::what::complained, principal::of(about.about), static_cast<std::uint8_t>(about.why), sequence);
  return true;
}

bool reputation_ledger::release(const group_request& about, sequence_number sequence) {
  require(about.about.value < replicas_.size(), "a release is about a replica");
  auto& standing = replicas_[about.about.value];
  // A RELEASE contains the sequence number of the conviction, so that old votes cannot release the replica after its
  // next conviction.
  if (about.sequence != standing.convicted_at || (!standing.is_quarantined() && !standing.awaits_quarantine)) {
    return false;
  }
  standing.awaits_quarantine = false;
  free(about.about, sequence);
  require(!standing.is_quarantined() && !standing.awaits_quarantine, "a released replica is free");
  return true;
}

void reputation_ledger::end_of(sequence_number sequence) {
  if (!cluster_.is_checkpoint(sequence)) return;
  // First the ended quarantines are removed, then the free places are given to waiting replicas, both in the order of
  // the replica numbers. So all replicas compute the same quarantines.
  for (std::uint32_t number = 0; number < replicas_.size(); ++number) {
    auto& standing = replicas_[number];
    if (standing.is_quarantined() && standing.quarantined_until <= sequence) free(replica_id{number}, sequence);
  }
  for (std::uint32_t number = 0; number < replicas_.size(); ++number) {
    auto& standing = replicas_[number];
    if (standing.awaits_quarantine && quarantined() < cluster_.group().faulty_max()) {
      quarantine(replica_id{number}, sequence);
    }
    if (standing.is_quarantined() || standing.awaits_quarantine) continue;
    // This includes a replica whose quarantine ended just above: after this checkpoint its score is 260.
    standing.score = std::min(score_max, standing.score + recovery);
  }
  for (auto& [client, standing] : clients_) {
    if (!standing.is_rate_limited() || standing.rate_limited_until > sequence) continue;
    standing.rate_limited_until = {};
    note(standing_changed::what::released, principal::of(client), 0, sequence);
  }
  // Attack 39.
  require(quarantined() <= cluster_.group().faulty_max(), "at most f replicas are in quarantine");
}

// --- As part of the state --------------------------------------------------------

// The bytes are part of the state root (I10), so every replica must write the same bytes. Replicas are in the order of
// their numbers, clients in that of the map.
void reputation_ledger::write(byte_writer& out) const {
  require(replicas_.size() == cluster_.replicas && clients_.size() <= clients_max, "the ledger respects its bounds");
  out.number<std::uint32_t>(static_cast<std::uint32_t>(replicas_.size()));
  for (const auto& each : replicas_) {
    out.number<std::uint32_t>(each.score);
    out.number<std::uint32_t>(each.convictions);
    out.number<std::uint32_t>(each.complaints);
    out.number<std::uint8_t>(each.last_misbehaviour);
    out.number<std::uint8_t>(each.awaits_quarantine ? 1 : 0);
    for (const auto sequence : {each.convicted_at, each.quarantined_until, each.settled_through})
      out.number<std::uint64_t>(sequence.value);
    for (const auto name : each.settled_documents)
      out.number<std::uint64_t>(name.value);
    for (const auto period : each.complained_in)
      out.number<std::uint64_t>(period.value);
  }
  out.number<std::uint32_t>(static_cast<std::uint32_t>(clients_.size()));
  for (const auto& [client, each] : clients_) {
    out.number<std::uint32_t>(client.value);
    out.number<std::uint32_t>(each.convictions);
    for (const auto sequence : {each.convicted_at, each.rate_limited_until})
      out.number<std::uint64_t>(sequence.value);
    for (const auto name : each.settled)
      out.number<std::uint64_t>(name.value);
  }
}

bool reputation_ledger::read(byte_reader& in) {
  if (in.number<std::uint32_t>() != replicas_.size()) return false;
  // The bytes are parsed into copies first, so that truncated bytes leave the ledger unchanged.
  std::vector<replica_standing> replicas(replicas_.size());
  for (auto& each : replicas) {
    each.score = in.number<std::uint32_t>();
    each.convictions = in.number<std::uint32_t>();
    each.complaints = in.number<std::uint32_t>();
    each.last_misbehaviour = in.number<std::uint8_t>();
    each.awaits_quarantine = in.number<std::uint8_t>() != 0;
    for (auto* const sequence : {&each.convicted_at, &each.quarantined_until, &each.settled_through})
      *sequence = sequence_number{in.number<std::uint64_t>()};
    for (auto& name : each.settled_documents)
      name = case_name{in.number<std::uint64_t>()};
    for (auto& period : each.complained_in)
      period = sequence_number{in.number<std::uint64_t>()};
  }
  client_standings clients;
  const auto count = in.number<std::uint32_t>();
  if (count > clients_max) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    auto& each = clients[client_id{in.number<std::uint32_t>()}];
    each.convictions = in.number<std::uint32_t>();
    for (auto* const sequence : {&each.convicted_at, &each.rate_limited_until})
      *sequence = sequence_number{in.number<std::uint64_t>()};
    for (auto& name : each.settled)
      name = case_name{in.number<std::uint64_t>()};
  }
  if (in.failed()) return false;
  replicas_ = std::move(replicas);
  clients_ = std::move(clients);
  return true;
}

}  // namespace hypermesh::protocol
