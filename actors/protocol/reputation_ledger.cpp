#include "actors/protocol/reputation_ledger.hpp"

#include <algorithm>

namespace hypermesh {

namespace {

/// Whether the deed has a name instead of a place in the sequence.
bool is_of_document(offence what) {
  return what == offence::conflicting_view_changes || what == offence::conflicting_new_views ||
         what == offence::unlawful_view_change || what == offence::unlawful_new_view ||
         what == offence::hidden_certificate;
}

}  // namespace

std::vector<client_id> restrained_in(const client_standings& clients) {
  std::vector<client_id> all;
  for (const auto& [client, standing] : clients) {
    if (standing.is_restrained()) all.push_back(client);
  }
  return all;
}

reputation_ledger::reputation_ledger(const cluster_parameters& cluster)
    : cluster_(cluster), replicas_(cluster.replicas) {}

bool reputation_ledger::apply(const guard_case& about, sequence_number sequence) {
  if (const auto* accused = std::get_if<accusation>(&about)) {
    return accused->accused.is_client() ? convict_client(*accused, sequence) : convict(*accused, sequence);
  }
  const auto& wanted = std::get<ballot>(about);
  return wanted.kind == message_kind::pardon ? release(wanted, sequence) : complain(wanted, sequence);
}

void reputation_ledger::note(standing_changed::what happened, principal about, std::uint8_t reason,
                             sequence_number sequence, sequence_number until) {
  events_.push_back({happened, about, reason, sequence, until});
}

// --- Convictions -----------------------------------------------------------------

bool reputation_ledger::is_settled(const replica_standing& standing, const accusation& about) {
  if (!is_of_document(about.what)) return about.sequence <= standing.settled_through;
  return std::ranges::find(standing.settled_documents, name_of(about).when) != standing.settled_documents.end();
}

bool reputation_ledger::is_settled(const client_standing& standing, const accusation& about) {
  return standing.is_restrained() || std::ranges::find(standing.settled, name_of(about).when) != standing.settled.end();
}

/// Whether the deed is a new one; it is none from then on.
bool reputation_ledger::settle(const accusation& about, sequence_number sequence) {
  auto& standing = replicas_[about.accused.number];
  if (is_settled(standing, about)) return false;
  if (is_of_document(about.what)) {
    auto& settled = standing.settled_documents;
    std::shift_right(settled.begin(), settled.end(), 1);
    settled.front() = name_of(about).when;
  } else {
    // Nobody takes votes from beyond the window; one that counted there would settle all that its signer does until
    // then.
    if (about.sequence > sequence.plus(cluster_.watermark_window)) return false;
    standing.settled_through = std::max(standing.settled_through, about.sequence);
  }
  standing.settled_through = std::max(standing.settled_through, sequence);
  return true;
}

bool reputation_ledger::convict(const accusation& about, sequence_number sequence) {
  if (about.accused.number >= replicas_.size() || !settle(about, sequence)) return false;
  auto& standing = replicas_[about.accused.number];
  ++standing.convictions;
  standing.score = 0;
  standing.last_offence = static_cast<std::uint8_t>(about.what);
  standing.convicted_at = sequence;
  note(standing_changed::what::convicted, about.accused, standing.last_offence, sequence);
  if (standing.is_quarantined()) return true;
  // Attack 39: with more than f away the others could decide nothing without them.
  standing.awaits_quarantine = quarantined() >= cluster_.group().faulty_max();
  if (!standing.awaits_quarantine) quarantine(replica_id{about.accused.number}, sequence);
  return true;
}

bool reputation_ledger::convict_client(const accusation& about, sequence_number sequence) {
  auto& standing = clients_[client_id{about.accused.number}];
  if (is_settled(standing, about)) return false;
  std::shift_right(standing.settled.begin(), standing.settled.end(), 1);
  standing.settled.front() = name_of(about).when;
  ++standing.convictions;
  standing.convicted_at = sequence;
  standing.restrained_until = end_of_term(standing.convictions, sequence);
  note(standing_changed::what::convicted, about.accused, static_cast<std::uint8_t>(about.what), sequence,
       standing.restrained_until);
  if (clients_.size() > clients_max) {
    clients_.erase(std::ranges::min_element(clients_, {}, [](const auto& each) { return each.second.convicted_at; }));
  }
  return true;
}

std::uint32_t reputation_ledger::quarantined() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(replicas_, &replica_standing::is_quarantined));
}

sequence_number reputation_ledger::end_of_term(std::uint32_t convictions, sequence_number since) const {
  const auto doublings = std::min(convictions - 1, doublings_max);
  return since.plus((quarantine_periods << doublings) * cluster_.checkpoint_period);
}

void reputation_ledger::quarantine(replica_id replica, sequence_number sequence) {
  auto& standing = replicas_[replica.value];
  standing.awaits_quarantine = false;
  standing.quarantined_until = end_of_term(standing.convictions, sequence);
  note(standing_changed::what::quarantined, principal::of(replica), standing.last_offence, sequence,
       standing.quarantined_until);
}

void reputation_ledger::free(replica_id replica, sequence_number sequence) {
  auto& standing = replicas_[replica.value];
  standing.quarantined_until = {};
  standing.score = released_score;
  note(standing_changed::what::released, principal::of(replica), 0, sequence);
}

// --- Complaints, pardons and time ------------------------------------------------

bool reputation_ledger::complain(const ballot& about, sequence_number sequence) {
  auto& standing = replicas_[about.about.value];
  auto& last = standing.complained_in[static_cast<std::size_t>(about.why)];
  // Of a period that may still be going on, once for each reason.
  if (about.sequence <= last || about.sequence > sequence.plus(2 * cluster_.watermark_window)) return false;
  // Nobody saves up what once was too little to count.
  if (about.sequence.plus(2 * cluster_.watermark_window) < sequence) return false;
  last = about.sequence;
  ++standing.complaints;
  if (standing.score > complained_score_min) {
    standing.score = std::max(complained_score_min, standing.score - complaint_cost);
  }
  note(standing_changed::what::complained, principal::of(about.about), static_cast<std::uint8_t>(about.why), sequence);
  return true;
}

bool reputation_ledger::release(const ballot& about, sequence_number sequence) {
  auto& standing = replicas_[about.about.value];
  // The conviction's sequence names what is forgiven: nobody keeps a pardon for the next time.
  if (about.sequence != standing.convicted_at || (!standing.is_quarantined() && !standing.awaits_quarantine)) {
    return false;
  }
  standing.awaits_quarantine = false;
  free(about.about, sequence);
  return true;
}

void reputation_ledger::end_of(sequence_number sequence) {
  if (!cluster_.is_checkpoint(sequence)) return;
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
    standing.score = std::min(score_max, standing.score + recovery);
  }
  for (auto& [client, standing] : clients_) {
    if (!standing.is_restrained() || standing.restrained_until > sequence) continue;
    standing.restrained_until = {};
    note(standing_changed::what::released, principal::of(client), 0, sequence);
  }
}

// --- As part of the state --------------------------------------------------------

void reputation_ledger::write(byte_writer& out) const {
  out.number<std::uint32_t>(static_cast<std::uint32_t>(replicas_.size()));
  for (const auto& each : replicas_) {
    out.number<std::uint32_t>(each.score);
    out.number<std::uint32_t>(each.convictions);
    out.number<std::uint32_t>(each.complaints);
    out.number<std::uint8_t>(each.last_offence);
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
    for (const auto sequence : {each.convicted_at, each.restrained_until})
      out.number<std::uint64_t>(sequence.value);
    for (const auto name : each.settled)
      out.number<std::uint64_t>(name.value);
  }
}

bool reputation_ledger::read(byte_reader& in) {
  if (in.number<std::uint32_t>() != replicas_.size()) return false;
  std::vector<replica_standing> replicas(replicas_.size());
  for (auto& each : replicas) {
    each.score = in.number<std::uint32_t>();
    each.convictions = in.number<std::uint32_t>();
    each.complaints = in.number<std::uint32_t>();
    each.last_offence = in.number<std::uint8_t>();
    each.awaits_quarantine = in.number<std::uint8_t>() != 0;
    for (auto* const sequence : {&each.convicted_at, &each.quarantined_until, &each.settled_through})
      *sequence = sequence_number{in.number<std::uint64_t>()};
    for (auto& name : each.settled_documents)
      name = timestamp{in.number<std::uint64_t>()};
    for (auto& period : each.complained_in)
      period = sequence_number{in.number<std::uint64_t>()};
  }
  client_standings clients;
  const auto count = in.number<std::uint32_t>();
  if (count > clients_max) return false;
  for (std::uint32_t index = 0; index < count; ++index) {
    auto& each = clients[client_id{in.number<std::uint32_t>()}];
    each.convictions = in.number<std::uint32_t>();
    for (auto* const sequence : {&each.convicted_at, &each.restrained_until})
      *sequence = sequence_number{in.number<std::uint64_t>()};
    for (auto& name : each.settled)
      name = timestamp{in.number<std::uint64_t>()};
  }
  if (in.failed()) return false;
  replicas_ = std::move(replicas);
  clients_ = std::move(clients);
  return true;
}

}  // namespace hypermesh
