// Strategies of a primary that assigns one sequence number twice (attack 8).
#include <map>
#include <set>

#include "messages/codec.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

/// Makes one second proposal for each sequence number.
class second_proposals {
 public:
  struct made {
    frame_ptr frame;
    digest value;
  };

  /// Returns null when there is no other batch to propose yet.
  const made* beside(const pre_prepare& proposal, adversary_hands& hands) {
    const auto& content = proposal.header.content;
    const auto found = made_.find({content.view, content.sequence});
    if (found != made_.end()) return &found->second;
    const auto body = other_batch(hands, *proposal.body);
    if (!body) return nullptr;
    const made second{forged_proposal(hands, content.view, content.sequence, *body), digest_of_batch(*body)};
    return &made_.emplace(std::pair{content.view, content.sequence}, second).first->second;
  }
  const made* at(const statement& content) const {
    const auto found = made_.find({content.view, content.sequence});
    return found == made_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::pair<view_number, sequence_number>, made> made_;
};

class equivocate_to_halves final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto* second = second_.beside(proposal, hands);
    if (second != nullptr && hands.in_second_half(out.peer)) out.become(second->frame);
    return fate::passes;
  }

 private:
  second_proposals second_;
};

/// The primary sends each half its own batch and its own COMMITs. An accomplice among the backups receives both
/// proposals and sends each half votes for the proposal of this half. With f + 1 such accomplices, both batches would
/// be committed.
class equivocate_with_ally final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    if (!out.peer.is_replica()) return fate::passes;
    if (const auto* proposal = out.as<pre_prepare>()) return send_proposal(out, *proposal, hands);
    if (const auto* vote = out.as<prepare>()) send_vote(out, message_kind::prepare, vote->vote.content, hands);
    if (const auto* vote = out.as<commit>()) send_vote(out, message_kind::commit, vote->vote.content, hands);
    return fate::passes;
  }

  /// Of the two proposals of an accomplice, the proposal for the second half arrives first.
  fate on_receive(passing_frame& in, adversary_hands& hands) override {
    const auto* proposal = in.as<pre_prepare>();
    if (proposal == nullptr || !hands.is_accomplice(in.peer)) return fate::passes;
    const auto& content = proposal->header.content;
    const auto is_first = told_.emplace(std::pair{content.view, content.sequence}, content.value).second;
    return is_first && principal::of(content.replica) == in.peer ? fate::stopped : fate::passes;
  }

 private:
  fate send_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) {
    const auto content = proposal.header.content;
    if (principal::of(content.replica) != hands.self()) return fate::passes;
    const auto* second = second_.beside(proposal, hands);
    if (hands.is_accomplice(out.peer)) {
      hands.send(out.peer, second != nullptr ? second->frame : out.frame);
      return fate::passes;
    }
    if (second == nullptr) return fate::passes;
    const bool gets_second = hands.in_second_half(out.peer);
    auto own = content;
    if (gets_second) own.value = second->value;
    hands.send(out.peer, gets_second ? second->frame : out.frame);
    hands.send(out.peer, forged_vote(hands, message_kind::commit, own));
    return fate::stopped;
  }

  void send_vote(passing_frame& out, message_kind kind, statement content, adversary_hands& hands) {
    if (!hands.in_second_half(out.peer)) return;
    const auto told = told_.find({content.view, content.sequence});
    const auto* own = second_.at(content);
    if (own != nullptr) {
      content.value = own->value;
    } else if (told != told_.end()) {
      content.value = told->second;
    }
    out.become(forged_vote(hands, kind, content));
  }

  second_proposals second_;
  /// The proposals for the second half that the accomplice received from the primary.
  std::map<std::pair<view_number, sequence_number>, digest> told_;
};

class equivocate_in_public final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    if (const auto* second = second_.beside(proposal, hands)) hands.send(out.peer, second->frame);
    return fate::passes;
  }

 private:
  second_proposals second_;
};

/// Lets all backups prepare the first batch. Then it proposes another batch for the same sequence number and continues
/// with this batch.
class equivocate_after_prepare final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    if (const auto* second = second_.beside(proposal, hands)) hands.send_later(5ms, out.peer, second->frame);
    return fate::passes;
  }

 private:
  second_proposals second_;
};

}  // namespace

std::vector<strategy> equivocation_strategies() {
  using enum strategy_occasion;
  const auto primary = strategy_role::primary;
  return {
      {"equivocate-to-halves", "proposes another batch for the same sequence to half of the backups",
       primary, as_primary, {8},
       "I1 I2 I11", true, {"primary_suspected", "conflicting_statement"}, {},
       make_strategy<equivocate_to_halves>},
      {"lone-certificate",
       "lets only one backup prepare the other batch, which returns with the proof one view later",
       primary, lone_witness, {8, 10}, "I1 I8", true, {"primary_suspected", "conflicting_statement"}, {},
       make_strategy<equivocate_to_halves>},
      {"equivocate-with-ally", "sends each half its own batch, and COMMITs for it from itself and an accomplice",
       primary, as_primary, {8, 10}, "I1 I8 I10", true,
       {"primary_suspected", "conflicting_statement", "state_installed"}, {}, make_strategy<equivocate_with_ally>},
      {"equivocate-in-public", "proposes two batches for each sequence to all backups",
       primary, as_primary, {8}, "I1 I11", true,
       {"conflicting_statement"}, {}, make_strategy<equivocate_in_public>},
      {"equivocate-after-prepare", "proposes a second batch while the first one is being prepared", primary, as_primary,
       {8, 10}, "I1 I8", true, {"conflicting_statement"}, {}, make_strategy<equivocate_after_prepare>},
  };
}

}  // namespace hypermesh::testing
