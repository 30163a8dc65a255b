#include "actors/protocol/execution/checkpoint_votes.hpp"

#include <utility>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

checkpoint_votes::checkpoint_votes(const cluster_parameters& cluster, replica_id self, const authenticator& keys)
    : cluster_(cluster), self_(self), keys_(&keys) {
  require(cluster.is_valid(), "the cluster parameters form a group");
}

void checkpoint_votes::restore(std::shared_ptr<const checkpoint_certificate> stable,
                               const std::vector<signed_statement>& own) {
  require(stable_ == nullptr && votes_.empty(), "a restart comes first");
  stable_ = std::move(stable);
  for (const auto& vote : own) {
    // A vote is never signed again with another root, whatever the new run computes.
    voted_ = std::max(voted_, vote.content.sequence);
    if (vote.content.sequence > this->stable()) (void)votes_[vote.content.sequence].add(vote);
  }
}

checkpoint_effects checkpoint_votes::on_taken(sequence_number sequence, const digest& root) {
  require(cluster_.is_checkpoint(sequence), "checkpoints end a period");
  require(!own_roots_.contains(sequence), "a state is taken once for a sequence");
  checkpoint_effects out;
  // A state that follows a disowned root is ignored. A state below the stable checkpoint needs no vote.
  if (awaits_certified_state_ || sequence < stable()) return out;
  own_roots_.emplace(sequence, root);
  // The certificate arrived before this replica took its state. A vote is no longer needed, but the state may be wrong.
  if (sequence == stable()) compare_with_own(out);
  if (!awaits_certified_state_ && sequence > stable()) vote_for(sequence, root, out);
  out.keeps_taken = !awaits_certified_state_;
  return out;
}

void checkpoint_votes::vote_for(sequence_number sequence, const digest& root, checkpoint_effects& out) {
  // A replica without its disk may have voted for this sequence with another root (attack 9).
  if (abstains_) return;
  if (sequence <= voted_) {
    // This replica has voted for the sequence number before: in the last run, or before its state was replaced. A
    // second vote with another root would convict it, so the first vote is kept, whether it is correct or not. If the
    // two roots differ, one of the two executions was wrong. The certified state will show which; until then the
    // present state counts as wrong.
    const auto said = votes_.find(sequence);
    const auto* own = said == votes_.end() ? nullptr : said->second.of(self_);
    if (own != nullptr && sequence > disowned_ && own->content.value != root) disown(sequence, out);
    return;
  }
  voted_ = sequence;
  // §4.3: "multicasts a message ⟨CHECKPOINT, n, d, i⟩σi to the other replicas".
  const statement content{view_number{0}, sequence, root, self_, cluster_.signing.epoch};
  const signed_statement own{
      content, keys_->sign(signing_input(cluster_.signing, message_kind::checkpoint, statement_bytes(content)))};
  // This replica's vote counts for the certificate like every other one.
  require(votes_[sequence].add(own) == vote_set::outcome::added, "a state is voted for once");
  const auto frame = encode_vote(message_kind::checkpoint, own);
  out.records.push_back({record_kind::checkpoint, view_number{0}, sequence, frame});
  out.sends.push_back({std::nullopt, frame});
  settle(sequence, out);
}

checkpoint_effects checkpoint_votes::on_vote(const signed_statement& vote) {
  checkpoint_effects out;
  const auto& content = vote.content;
  const auto reject = [&](rejection reason) {
    out.observations.emplace_back(frame_rejected{principal::of(content.replica), reason});
    return out;
  };
  // Only another process with the same key can send this replica its own votes.
  if (content.replica == self_) return reject(rejection::unsolicited);
  if (content.sequence <= stable()) return reject(rejection::already_decided);
  // Votes are accepted within two windows, because the execution of this replica may be a window behind the group. A
  // vote further ahead is refused, because it would only use memory (attack 28). A replica that is so far behind gets a
  // CHECKPOINT-PROOF after its STATUS.
  if (content.sequence > stable().plus(2ULL * cluster_.watermark_window)) return reject(rejection::outside_watermarks);
  switch (votes_[content.sequence].add(vote)) {
    case vote_set::outcome::duplicate:
      return reject(rejection::duplicate);
    case vote_set::outcome::conflicting:
      return reject(rejection::conflicting_statement);
    case vote_set::outcome::added:
      break;
  }
  settle(content.sequence, out);
  return out;
}

void checkpoint_votes::settle(sequence_number sequence, checkpoint_effects& out) {
  // §4.3: a replica "collects checkpoint messages in its log until it has 2f + 1 of them for sequence number n
  // with the same digest d signed by different replicas. … These 2f + 1 messages are the proof of correctness".
  const auto& votes = votes_[sequence];
  // The votes for each digest are counted, so that a false vote of one replica cannot hide a quorum for another digest
  // (attack 12).
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number) {
    const auto* vote = votes.of(replica_id{number});
    if (vote == nullptr || votes.count_for(vote->content.value) < cluster_.group().quorum()) continue;
    auto certificate = std::make_shared<checkpoint_certificate>();
    certificate->votes = votes.votes_for(vote->content.value);
    // A quorum of votes is enough, and messages that contain a proof only have room for a quorum.
    certificate->votes.resize(cluster_.group().quorum());
    return adopt(std::move(certificate), out);
  }
}

checkpoint_effects checkpoint_votes::on_proof(std::shared_ptr<const checkpoint_certificate> certificate) {
  require(certificate != nullptr && certificate->votes.size() >= cluster_.group().quorum(), "a proof has a quorum");
  checkpoint_effects out;
  // Each replica that is ahead answers a STATUS with its proof, so old proofs are normal and not a fault of their
  // senders.
  if (certificate->sequence() > stable()) adopt(std::move(certificate), out);
  return out;
}

void checkpoint_votes::adopt(std::shared_ptr<const checkpoint_certificate> certificate, checkpoint_effects& out) {
  require(certificate->sequence() > stable(), "the stable checkpoint only moves up");
  stable_ = std::move(certificate);
  // §4.3: "it also discards all earlier checkpoints and checkpoint messages".
  // The root that this replica computed for the stable checkpoint itself stays, because it is compared below.
  votes_.erase(votes_.begin(), votes_.upper_bound(stable()));
  own_roots_.erase(own_roots_.begin(), own_roots_.lower_bound(stable()));
  out.observations.emplace_back(checkpoint_became_stable{stable(), stable_->votes.front().content.value});
  compare_with_own(out);
  if (awaits_certified_state_) {
    // Each newer certified state is requested too, because the donors may have dropped the first one.
    out.fetch = stable_;
  } else {
    out.stable = stable_;
  }
}

void checkpoint_votes::compare_with_own(checkpoint_effects& out) {
  const auto own = own_roots_.find(stable());
  if (own == own_roots_.end() || own->second == stable_->votes.front().content.value) return;
  // A quorum certified another root. At least one member of the quorum is correct, so this replica's state is wrong.
  disown(stable(), out);
}

/// The state of this replica after `sequence` was wrong, so all its later states are wrong too. Their roots are not
/// signed or sent again (attack 27).
void checkpoint_votes::disown(sequence_number sequence, checkpoint_effects& out) {
  require(!awaits_certified_state_, "disowned roots are not compared");
  own_roots_.clear();
  disowned_ = voted_;
  awaits_certified_state_ = true;
  out.disproven = sequence;
  out.fetch = stable_;
}

void checkpoint_votes::on_voting_allowed(sequence_number above) {
  abstains_ = false;
  // Other replicas may have votes of this replica up to this sequence number. These count as cast, so this replica
  // never contradicts them (attack 9).
  voted_ = std::max(voted_, above);
}

checkpoint_effects checkpoint_votes::on_installed(sequence_number sequence, const digest& root) {
  require(cluster_.is_checkpoint(sequence), "checkpoints end a period");
  checkpoint_effects out;
  // From now on the installed root is this replica's root, and later certificates are compared with it.
  if (sequence >= stable()) own_roots_.insert_or_assign(sequence, root);
  // The stable checkpoint that was held back can be passed on, because the state that it contradicted was replaced.
  if (std::exchange(awaits_certified_state_, false)) out.stable = stable_;
  return out;
}

checkpoint_effects checkpoint_votes::on_tick() const {
  checkpoint_effects out;
  if (awaits_certified_state_) {
    out.fetch = stable_;
    return out;
  }
  for (const auto& [sequence, votes] : votes_) {
    const auto* own = votes.of(self_);
    // Votes from before a repair are not repeated, because they may contain a wrong root.
    if (own != nullptr && sequence > disowned_)
      out.sends.push_back({std::nullopt, encode_vote(message_kind::checkpoint, *own)});
  }
  return out;
}

}  // namespace hypermesh::protocol
