#include "actors/protocol/guard/evidence_pool.hpp"

#include <algorithm>

#include "messages/codec.hpp"

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

constexpr std::size_t settled_max = 256;

std::optional<principal> accused_in(const system_claim& about) {
  const auto* accusing = std::get_if<misbehaviour>(&about);
  return accusing == nullptr ? std::nullopt : std::optional{accusing->accused};
}

/// Whether `one` is older than `other`: a HAND-OVER is compared by its view, all other kinds by their sequence number.
bool is_older(message_kind kind, const statement& one, const statement& other) {
  return kind == message_kind::hand_over ? one.view < other.view : one.sequence < other.sequence;
}

}  // namespace

evidence_pool::evidence_pool(const cluster_parameters& cluster, replica_id self, const authenticator& keys)
    : cluster_(cluster), self_(self), keys_(&keys) {
  agreed_.replicas.resize(cluster.replicas);
  require(cluster.group().contains(self), "a pool belongs to a replica");
}

// --- Proofs ----------------------------------------------------------------------

evidence_pool_effects evidence_pool::on_found(const evidence& proof, moment now) {
  evidence_pool_effects out;
  const auto about = claim_in(proof, cluster_);
  // A known case is dropped before anything is copied or kept, because a faulty replica can contradict itself again at
  // no cost (attack 33).
  if (!about || !is_news(*about, out)) return out;
  const auto shown = std::make_shared<const evidence>(proof);
  if (const auto* accused = std::get_if<misbehaviour>(&*about)) {
    out.observations.emplace_back(fault_proven{accused->accused, static_cast<std::uint8_t>(accused->what), shown});
  }
  // The evidence is sent to all replicas, because they may never receive both messages.
  open(*about, system_request_for(*about, shown), true, now, out);
  return out;
}

evidence_pool_effects evidence_pool::on_request(const system_request& value, moment now) {
  evidence_pool_effects out;
  const auto about = claim_in(value, cluster_);
  // The sender has sent the system request to all replicas, so this node only submits it to its own request pool. If
  // the case must be submitted again, this node sends it to all replicas too.
  if (about && is_news(*about, out)) open(*about, value, false, now, out);
  return out;
}

/// Whether the group request is granted already or does not fit the present view.
bool evidence_pool::is_over(const group_request& wanted) const {
  if (wanted.kind == message_kind::readmission) {
    // The ledger neither grants nor counts a READMISSION whose sequence numbers are ordered already, so a faulty
    // replica could repeat it without end (attack 33).
    return readmission_ledger::period_end(wanted.sequence, cluster_) <=
           std::max(agreed_.moves.advance_through, agreed_.after);
  }
  if (wanted.kind != message_kind::hand_over) return false;
  // Only the step-down from the present view counts. Otherwise a replica could sign step-downs for all its future
  // views, and each would be a separate case (attack 33).
  if (wanted.cause == hand_over_cause::step_down) return wanted.to != view_.next();
  return wanted.to <= std::max(view_, agreed_.moves.least_view);
}

/// Whether the case was ordered already, or would not change the ledgers.
bool evidence_pool::is_settled(const system_claim& about) const {
  if (std::ranges::find(settled_, case_name_of(about)) != settled_.end()) return true;
  const auto* accused = std::get_if<misbehaviour>(&about);
  if (accused == nullptr) return is_over(std::get<group_request>(about));
  if (accused->accused.is_client()) {
    const auto known = agreed_.clients.find(client_id{accused->accused.number});
    return known != agreed_.clients.end() && reputation_ledger::is_settled(known->second, *accused);
  }
  require(accused->accused.number < agreed_.replicas.size(), "verified evidence accuses a member");
  const auto& standing = agreed_.replicas[accused->accused.number];
  // The ledger ignores votes so far ahead, and the case would use up the room for another one.
  if (accused->sequence > agreed_.after.plus(2 * cluster_.watermark_window)) return true;
  // A replica in quarantine is not convicted again, because it could make evidence against itself without end (attack
  // 33).
  return standing.is_quarantined() || reputation_ledger::is_settled(standing, *accused);
}

bool evidence_pool::has_room(const std::optional<principal>& accused) const {
  // The pool has room for two cases against each accused and for eight against all clients together, so that a
  // principal that contradicts itself without end cannot fill it (attack 33).
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

bool evidence_pool::is_news(const system_claim& about, evidence_pool_effects& out) const {
  const auto name = case_name_of(about);
  if (open_.contains(name) || is_settled(about)) return false;
  // The evidence is valid even if the pool has no room for it, so this node may avoid the replica as primary.
  const auto accused = accused_in(about);
  if (accused && accused->is_replica()) out.proven.push_back({replica_id{accused->number}, name});
  return has_room(accused);
}

void evidence_pool::open(const system_claim& about, system_request asked, bool tell, moment now,
                         evidence_pool_effects& out) {
  require(asked.name == case_name_of(about), "a case is ordered under the name of its claim");
  require(open_.size() < open_max && !open_.contains(asked.name), "a case is opened once, and if there is room");
  if (tell) out.sends.push_back({std::nullopt, reframe(asked)});
  out.requests.push_back(asked);
  // A case that this node did not send to all starts with the second interval, so the finder of the evidence submits it
  // again first.
  open_.emplace(case_name_of(about), open_case{about, std::move(asked), now, tell ? 0U : 1U});
}

void evidence_pool::drop_if(const std::function<bool(const open_case&)>& is_over, evidence_pool_effects& out) {
  std::erase_if(open_, [&](const auto& each) {
    if (!is_over(each.second)) return false;
    out.dropped.push_back(each.first);
    return true;
  });
}

evidence_pool_effects evidence_pool::on_agreed(const agreed_reputation& agreed) {
  evidence_pool_effects out;
  require(agreed.replicas.size() == cluster_.replicas, "each replica has an agreed standing");
  // The case of this replica and the cases of all others have equal names, so the order closes them all at once.
  agreed_ = agreed;
  for (const auto& name : agreed.settled) {
    open_.erase(name);
    settled_.push_back(name);
  }
  while (settled_.size() > settled_max)
    settled_.pop_front();
  // A case that would not be opened now is not kept, because no primary must be blamed for not ordering it. A group
  // request is known as settled by its name only, and a transferred state does not contain the names. So after a
  // transfer all group requests are dropped; a replica that still wants one votes again.
  drop_if(
      [&](const open_case& each) {
        return is_settled(each.about) || (agreed.is_transferred && !accused_in(each.about));
      },
      out);
  require(open_.size() <= open_max && settled_.size() <= settled_max, "the pool respects its bounds");
  return out;
}

evidence_pool_effects evidence_pool::on_tick(moment now) {
  evidence_pool_effects out;
  require(open_.size() <= open_max, "the pool respects its bounds");
  for (auto& [name, each] : open_) {
    require(each.repeats <= repeats_max, "a case that was submitted often enough is not open");
    if (now < each.told_at + std::min(repeat_period * (std::int64_t{1} << each.repeats), repeat_max)) continue;
    // The case is also submitted to this replica's request pool again, which ignores a request that is still pending.
    each.told_at = now;
    if (++each.repeats > repeats_max) continue;
    out.sends.push_back({std::nullopt, reframe(each.asked)});
    out.requests.push_back(each.asked);
  }
  // No replica that could order the case accepts it, or the case belongs to an earlier epoch.
  drop_if([](const open_case& each) { return each.repeats > repeats_max; }, out);
  return out;
}

// --- Complaints and releases ------------------------------------------------------

evidence_pool_effects evidence_pool::on_misbehaved(const observed_misbehaviour& seen, moment now) {
  evidence_pool_effects out;
  if (seen.who == self_ || !cluster_.group().contains(seen.who)) return out;
  auto& counted = tallies_[{seen.who, seen.why}];
  if (now >= counted.since + complaint_reason_window) counted = {0, now};
  // The counter reaches the number of misbehaviours that leads to a complaint once in each window, so there is at most
  // one complaint for each window.
  if (++counted.seen != complaint_reasons_until.at(static_cast<std::size_t>(seen.why))) return out;
  vote(message_kind::complaint,
       complaint_of(self_, seen.who, seen.why, period_for(seen.who, seen.why), cluster_.signing.epoch), now, out);
  return out;
}

/// The checkpoint period of a complaint. It is the latest period, at most two periods ahead, in which another replica
/// has complained already, so that complaints are equal and can be counted together. Otherwise it is the present
/// period. Without the bound, a faulty replica could move all complaints to a period that never comes.
sequence_number evidence_pool::period_for(replica_id about, complaint_reason why) const {
  const auto period = cluster_.checkpoint_period;
  const sequence_number own{(agreed_.after.value / period + 1) * period};
  auto chosen = own;
  const auto found = votes_.find({message_kind::complaint, {about, static_cast<std::uint8_t>(why)}});
  if (found == votes_.end()) return own;
  for (const auto& [voter, said] : found->second) {
    const auto theirs = said.content.sequence;
    if (theirs >= own && theirs <= own.plus(2 * period)) chosen = std::max(chosen, theirs);
  }
  require(cluster_.is_checkpoint(chosen), "a complaint names the checkpoint that ends a period");
  require(chosen >= own && chosen <= own.plus(2 * period), "no liar draws complaints into a distant period");
  return chosen;
}

evidence_pool_effects evidence_pool::on_release_wanted(replica_id replica, moment now) {
  evidence_pool_effects out;
  if (!cluster_.group().contains(replica)) return out;
  // The vote names the conviction, so it does not end a later quarantine.
  const auto convicted_at = agreed_.replicas[replica.value].convicted_at;
  if (convicted_at == sequence_number{0}) return out;
  vote(message_kind::release, release_of(self_, replica, convicted_at, cluster_.signing.epoch), now, out);
  return out;
}

// --- Readmission and hand-over ---------------------------------------------------

evidence_pool_effects evidence_pool::on_readmission_wanted(const readmission_wish& wish, moment now) {
  evidence_pool_effects out;
  const auto epoch = cluster_.signing.epoch;
  // TOCS '02 §4.3.2: the recovery request of a replica is ordered. Here it needs f+1 votes, including the vote of the
  // replica itself.
  if (wish.floor) vote(message_kind::readmission, readmission_of(self_, self_, *wish.floor, epoch), now, out);
  if (wish.view) {
    const auto asked = hand_over_of(self_, self_, *wish.view, hand_over_cause::readmission, epoch);
    vote(message_kind::hand_over, asked, now, out);
  }
  return out;
}

evidence_pool_effects evidence_pool::on_readmission(const signed_statement& said, moment now) {
  evidence_pool_effects out;
  count_vote(message_kind::readmission, said, now, out);
  support(message_kind::readmission, said, now, out);
  return out;
}

evidence_pool_effects evidence_pool::on_hand_over(const signed_statement& said, moment now) {
  evidence_pool_effects out;
  count_vote(message_kind::hand_over, said, now, out);
  support(message_kind::hand_over, said, now, out);
  return out;
}

evidence_pool_effects evidence_pool::on_view(view_number view) {
  evidence_pool_effects out;
  // Hand-overs to views up to the present one are no longer needed.
  view_ = std::max(view_, view);
  drop_if([this](const open_case& each) { return is_settled(each.about); }, out);
  return out;
}

/// Votes for the group request of another replica if that replica asks for itself and the request is plausible. The
/// other replica may lie about the loss of its disk, so its requests are limited.
void evidence_pool::support(message_kind kind, const signed_statement& asked, moment now, evidence_pool_effects& out) {
  const auto wanted = group_request_of(kind, asked.content, cluster_);
  // Only a request of a replica for itself is supported. If support were supported too, one faulty replica could
  // collect all votes for a third replica.
  if (!wanted || asked.content.replica != wanted->about || wanted->about == self_ || is_settled(*wanted)) return;
  if (!is_sensible(*wanted)) return;
  const auto [last, is_first] = supported_at_.try_emplace(place_of(*wanted), now);
  if (!is_first && now < last->second + support_pause) return;
  last->second = now;
  auto own = asked.content;
  own.replica = self_;
  require(group_request_of(kind, own, cluster_) == wanted, "a replica that supports a wish signs the same wish");
  vote(kind, own, now, out);
}

/// Whether a replica that lost its disk can have computed these numbers, and has requests left (`readmission_ledger`).
/// The replicated state does not contain the view, so each replica has to check a requested view itself.
bool evidence_pool::is_sensible(const group_request& wanted) const {
  require(wanted.about.value < agreed_.replicas.size(), "a wish of the group is about a member");
  if (agreed_.replicas[wanted.about.value].is_quarantined()) return false;
  if (!readmission_ledger::may_ask(agreed_.moves, wanted.about, agreed_.after, cluster_)) return false;
  // The floor is two windows above the proven h of the asker, and that h may be one window above what was executed
  // here.
  if (wanted.kind == message_kind::readmission) {
    return wanted.sequence <= agreed_.after.plus(3ULL * cluster_.watermark_window);
  }
  // Operators cast their own votes for a hand-over. For a readmission, `probation` computes the view: two above the
  // latest view of a quorum of other replicas, and one more if the asker would lead that view. A replica that could ask
  // for a view that it leads would become primary again whenever it was replaced (attack 38).
  return wanted.cause == hand_over_cause::readmission && wanted.to <= view_.plus(3) &&
         cluster_.group().primary_of(wanted.to) != wanted.about;
}

evidence_pool::group_request_place evidence_pool::place_of(const group_request& wanted) {
  const bool is_move = wanted.kind == message_kind::hand_over;
  const auto why = is_move ? static_cast<std::uint8_t>(wanted.cause) : static_cast<std::uint8_t>(wanted.why);
  return {wanted.kind, {wanted.about, why}};
}

void evidence_pool::vote(message_kind kind, const statement& content, moment now, evidence_pool_effects& out) {
  require(content.replica == self_, "a replica votes in its own name only");
  require(group_request_of(kind, content, cluster_).has_value(), "a replica votes for a possible wish");
  const auto by = keys_->sign(signing_input(cluster_.signing, kind, statement_bytes(content)));
  out.sends.push_back({std::nullopt, encode_vote(kind, {content, by})});
  count_vote(kind, {content, by}, now, out);
}

evidence_pool_effects evidence_pool::on_complaint(const signed_statement& said, moment now) {
  evidence_pool_effects out;
  count_vote(message_kind::complaint, said, now, out);
  return out;
}

evidence_pool_effects evidence_pool::on_release(const signed_statement& said, moment now) {
  evidence_pool_effects out;
  count_vote(message_kind::release, said, now, out);
  return out;
}

void evidence_pool::count_vote(message_kind kind, const signed_statement& said, moment now,
                               evidence_pool_effects& out) {
  const auto wanted = group_request_of(kind, said.content, cluster_);
  if (!wanted) return;
  auto& votes = votes_[place_of(*wanted)];
  // A replica's older vote that is sent again does not replace its newer vote.
  const auto known = votes.find(said.content.replica);
  if (known != votes.end() && is_older(kind, said.content, known->second.content)) return;
  votes[said.content.replica] = said;
  require(votes.size() <= cluster_.replicas, "each replica has one vote at a place");
  const auto voters = voters_of(*wanted, cluster_.group());
  // The evidence contains equal votes only, and exactly the needed number, because `claim_in` accepts no other number.
  auto shown = std::make_shared<evidence>();
  for (const auto& [voter, each] : votes) {
    if (group_request_of(kind, each.content, cluster_) != wanted) continue;
    shown->items.push_back({kind, each});
    if (shown->items.size() == voters) break;
  }
  // At least one of f+1 voters is correct (§4). A step-down only needs the vote of the primary.
  if (shown->items.size() < voters) return;
  require(shown->items.size() == voters, "the votes that are needed are shown, and not more");
  const system_claim about = *wanted;
  // The case is not sent to all replicas: the votes were sent to all, so every replica opens the case itself.
  if (is_news(about, out)) open(about, system_request_for(about, std::move(shown)), false, now, out);
}

}  // namespace hypermesh::protocol
