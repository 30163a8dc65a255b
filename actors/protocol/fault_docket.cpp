#include "actors/protocol/fault_docket.hpp"

#include <algorithm>

#include "messages/codec.hpp"

namespace hypermesh {

namespace {

constexpr std::size_t settled_max = 256;

std::optional<principal> accused_in(const guard_case& about) {
  const auto* accusing = std::get_if<accusation>(&about);
  return accusing == nullptr ? std::nullopt : std::optional{accusing->accused};
}

/// Within one ballot the number that grows: of a HAND-OVER the view, of all others the sequence.
bool is_older(message_kind kind, const statement& one, const statement& other) {
  return kind == message_kind::hand_over ? one.view < other.view : one.sequence < other.sequence;
}

}  // namespace

fault_docket::fault_docket(const cluster_parameters& cluster, replica_id self, const authenticator& keys)
    : cluster_(cluster), self_(self), keys_(&keys) {
  agreed_.replicas.resize(cluster.replicas);
}

// --- Proofs ----------------------------------------------------------------------

docket_effects fault_docket::on_found(const exhibits& proof, microseconds_t now) {
  docket_effects out;
  const auto about = case_of(proof, cluster_);
  // Nothing is copied, kept or noted for what is known: who contradicts itself can do it again for nothing (attack 33).
  if (!about || !is_news(*about, out)) return out;
  if (const auto* accused = std::get_if<accusation>(&*about)) {
    out.observations.emplace_back(fault_proven{accused->accused, static_cast<std::uint8_t>(accused->what),
                                               std::make_shared<const exhibits>(proof)});
  }
  open(*about, guard_request(*about, proof), true, now, out);
  return out;
}

docket_effects fault_docket::on_request(const request& value, microseconds_t now) {
  docket_effects out;
  const auto about = case_of(value, cluster_);
  if (about && is_news(*about, out)) open(*about, reframe(value), false, now, out);
  return out;
}

/// Whether what it asks for is done, or is not for this view.
bool fault_docket::is_over(const ballot& wanted) const {
  if (wanted.kind == message_kind::readmission) {
    // What has passed already would be granted to nobody, and so it would cost a liar nothing (attack 33).
    return readmission_ledger::period_end(wanted.sequence, cluster_) <=
           std::max(agreed_.moves.advance_through, agreed_.after);
  }
  if (wanted.kind != message_kind::hand_over) return false;
  // Anybody may step down from a view that is far away, without end.
  if (wanted.cause == hand_over_cause::step_down) return wanted.to != view_.next();
  return wanted.to <= std::max(view_, agreed_.moves.least_view);
}

/// Whether the order has done with it already.
bool fault_docket::is_settled(const guard_case& about) const {
  if (std::ranges::find(settled_, name_of(about)) != settled_.end()) return true;
  const auto* accused = std::get_if<accusation>(&about);
  if (accused == nullptr) return is_over(std::get<ballot>(about));
  if (accused->accused.is_client()) {
    const auto known = agreed_.clients.find(client_id{accused->accused.number});
    return known != agreed_.clients.end() && reputation_ledger::is_settled(known->second, *accused);
  }
  const auto& standing = agreed_.replicas[accused->accused.number];
  // The ledger would not judge it, and it would take the place of what it judges.
  if (accused->sequence > agreed_.after.plus(2 * cluster_.watermark_window)) return true;
  // Who is in quarantine is not tried once more: it could make proofs against itself without end (attack 33).
  return standing.is_quarantined() || reputation_ledger::is_settled(standing, *accused);
}

bool fault_docket::has_room(const std::optional<principal>& accused) const {
  const auto places = [&](const auto& is_alike) {
    return static_cast<std::size_t>(std::ranges::count_if(open_, [&](const auto& each) {
      const auto other = accused_in(each.second.about);
      return other && is_alike(*other);
    }));
  };
  if (open_.size() >= open_max) return false;
  if (!accused) return true;
  if (places([&](principal other) { return other == *accused; }) >= open_per_accused_max) return false;
  return accused->is_replica() || places([](principal other) { return other.is_client(); }) < open_of_clients_max;
}

bool fault_docket::is_news(const guard_case& about, docket_effects& out) const {
  const auto name = name_of(about);
  if (open_.contains(name) || is_settled(about)) return false;
  // Verified it is, whether there is room for it or not.
  const auto accused = accused_in(about);
  if (accused && accused->is_replica()) out.proven.push_back({replica_id{accused->number}, name});
  return has_room(accused);
}

void fault_docket::open(const guard_case& about, frame_ptr frame, bool tell, microseconds_t now, docket_effects& out) {
  if (tell) out.sends.push_back({std::nullopt, frame});
  out.requests.push_back(frame);
  open_.emplace(name_of(about), open_case{about, std::move(frame), now, tell ? 0U : 1U});
}

void fault_docket::drop_if(const std::function<bool(const open_case&)>& is_over, docket_effects& out) {
  std::erase_if(open_, [&](const auto& each) {
    if (!is_over(each.second)) return false;
    out.dropped.push_back(each.first);
    return true;
  });
}

docket_effects fault_docket::on_agreed(const agreed_reputation& agreed) {
  docket_effects out;
  agreed_ = agreed;
  for (const auto& name : agreed.settled) {
    open_.erase(name);
    settled_.push_back(name);
  }
  while (settled_.size() > settled_max)
    settled_.pop_front();
  // What would not be opened now is not kept: no primary is to be blamed for it. Of ballots only their names tell that
  // they are settled, and after a transfer those are not known; whoever still complains says so again.
  drop_if(
      [&](const open_case& each) {
        return is_settled(each.about) || (agreed.is_transferred && !accused_in(each.about));
      },
      out);
  return out;
}

docket_effects fault_docket::on_tick(microseconds_t now) {
  docket_effects out;
  for (auto& [name, each] : open_) {
    if (now < each.told_at + std::min(repeat_us << each.repeats, repeat_us_max)) continue;
    each.told_at = now;
    if (++each.repeats > repeats_max) continue;
    out.sends.push_back({std::nullopt, each.frame});
    out.requests.push_back(each.frame);
  }
  // Nobody who could order it wants it, or it is of an epoch that is over.
  drop_if([](const open_case& each) { return each.repeats > repeats_max; }, out);
  return out;
}

// --- Complaints and pardons ------------------------------------------------------

docket_effects fault_docket::on_misbehaved(const misdeed& seen, microseconds_t now) {
  docket_effects out;
  if (seen.who == self_ || !cluster_.group().contains(seen.who)) return out;
  auto& counted = tallies_[{seen.who, seen.why}];
  if (now >= counted.since + grievance_window_us) counted = {0, now};
  if (++counted.seen != grievances_until.at(static_cast<std::size_t>(seen.why))) return out;
  vote(message_kind::complaint,
       complaint_of(self_, seen.who, seen.why, period_for(seen.who, seen.why), cluster_.signing.epoch), now, out);
  return out;
}

/// The period that others complain in, so that equal complaints meet; or the present one.
sequence_number fault_docket::period_for(replica_id about, grievance why) const {
  const auto period = cluster_.checkpoint_period;
  const sequence_number own{(agreed_.after.value / period + 1) * period};
  auto chosen = own;
  const auto found = votes_.find({message_kind::complaint, {about, static_cast<std::uint8_t>(why)}});
  if (found == votes_.end()) return own;
  for (const auto& [voter, said] : found->second) {
    const auto theirs = said.content.sequence;
    if (theirs >= own && theirs <= own.plus(2 * period)) chosen = std::max(chosen, theirs);
  }
  return chosen;
}

docket_effects fault_docket::on_pardon_wanted(replica_id replica, microseconds_t now) {
  docket_effects out;
  if (!cluster_.group().contains(replica)) return out;
  const auto convicted_at = agreed_.replicas[replica.value].convicted_at;
  if (convicted_at == sequence_number{0}) return out;
  vote(message_kind::pardon, pardon_of(self_, replica, convicted_at, cluster_.signing.epoch), now, out);
  return out;
}

// --- Readmission and hand-over ---------------------------------------------------

docket_effects fault_docket::on_readmission_wanted(const readmission_wish& wish, microseconds_t now) {
  docket_effects out;
  const auto epoch = cluster_.signing.epoch;
  if (wish.floor) vote(message_kind::readmission, readmission_of(self_, self_, *wish.floor, epoch), now, out);
  if (wish.view) {
    const auto asked = hand_over_of(self_, self_, *wish.view, hand_over_cause::readmission, epoch);
    vote(message_kind::hand_over, asked, now, out);
  }
  return out;
}

docket_effects fault_docket::on_readmission(const signed_statement& said, microseconds_t now) {
  docket_effects out;
  count_vote(message_kind::readmission, said, now, out);
  support(message_kind::readmission, said, now, out);
  return out;
}

docket_effects fault_docket::on_hand_over(const signed_statement& said, microseconds_t now) {
  docket_effects out;
  count_vote(message_kind::hand_over, said, now, out);
  support(message_kind::hand_over, said, now, out);
  return out;
}

docket_effects fault_docket::on_view(view_number view) {
  docket_effects out;
  view_ = std::max(view_, view);
  drop_if([this](const open_case& each) { return is_settled(each.about); }, out);
  return out;
}

/// A replica that asks for itself has this one's vote if what it asks for is bounded: it may lie about what it lost.
void fault_docket::support(message_kind kind, const signed_statement& asked, microseconds_t now, docket_effects& out) {
  const auto wanted = ballot_of(kind, asked.content, cluster_);
  if (!wanted || asked.content.replica != wanted->about || wanted->about == self_ || is_settled(*wanted)) return;
  if (!is_sensible(*wanted)) return;
  auto& last = supported_at_.try_emplace(place_of(*wanted), 0).first->second;
  if (last != 0 && now < last + support_pause_us) return;
  last = std::max<microseconds_t>(now, 1);
  auto own = asked.content;
  own.replica = self_;
  vote(kind, own, now, out);
}

/// Whether a replica without memory can have come to these numbers, and has not had its share of moves.
bool fault_docket::is_sensible(const ballot& wanted) const {
  if (agreed_.replicas[wanted.about.value].is_quarantined()) return false;
  if (!readmission_ledger::may_ask(agreed_.moves, wanted.about, agreed_.after, cluster_)) return false;
  // Its h is proven, and may lead what was executed here by a window.
  if (wanted.kind == message_kind::readmission) {
    return wanted.sequence <= agreed_.after.plus(3ULL * cluster_.watermark_window);
  }
  // What operators want they say themselves. `probation`: two above the latest view of any other replica, and one more
  // if the asker would lead that one. Who could ask for its own turn would lead again whenever it was replaced.
  return wanted.cause == hand_over_cause::readmission && wanted.to <= view_.plus(3) &&
         cluster_.group().primary_of(wanted.to) != wanted.about;
}

fault_docket::ballot_place fault_docket::place_of(const ballot& wanted) {
  const bool is_move = wanted.kind == message_kind::hand_over;
  const auto why = is_move ? static_cast<std::uint8_t>(wanted.cause) : static_cast<std::uint8_t>(wanted.why);
  return {wanted.kind, {wanted.about, why}};
}

void fault_docket::vote(message_kind kind, const statement& content, microseconds_t now, docket_effects& out) {
  const auto by = keys_->sign(signing_input(cluster_.signing, kind, statement_bytes(content)));
  out.sends.push_back({std::nullopt, encode_vote(kind, {content, by})});
  count_vote(kind, {content, by}, now, out);
}

docket_effects fault_docket::on_complaint(const signed_statement& said, microseconds_t now) {
  docket_effects out;
  count_vote(message_kind::complaint, said, now, out);
  return out;
}

docket_effects fault_docket::on_pardon(const signed_statement& said, microseconds_t now) {
  docket_effects out;
  count_vote(message_kind::pardon, said, now, out);
  return out;
}

void fault_docket::count_vote(message_kind kind, const signed_statement& said, microseconds_t now,
                              docket_effects& out) {
  const auto wanted = ballot_of(kind, said.content, cluster_);
  if (!wanted) return;
  auto& votes = votes_[place_of(*wanted)];
  // An old word that somebody repeats takes no place of a new one.
  const auto known = votes.find(said.content.replica);
  if (known != votes.end() && is_older(kind, said.content, known->second.content)) return;
  votes[said.content.replica] = said;
  const auto voters = voters_of(*wanted, cluster_.group());
  exhibits shown;
  for (const auto& [voter, each] : votes) {
    if (ballot_of(kind, each.content, cluster_) != wanted) continue;
    shown.items.push_back({kind, each});
    if (shown.items.size() == voters) break;
  }
  // §4's f+1: at least one of them is correct.
  if (shown.items.size() < voters) return;
  const guard_case about = *wanted;
  if (is_news(about, out)) open(about, guard_request(about, shown), false, now, out);
}

}  // namespace hypermesh
