// Strategies of a backup whose votes or answers are false, or reach only some members.
#include <algorithm>
#include <map>
#include <set>

#include "messages/codec.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

class vote_twice final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) override {
    auto other = vote.content;
    other.value = nonsense_digest(hands);
    hands.send(out.peer, forged_vote(hands, kind, other));
    return fate::passes;
  }
};

/// Sends a COMMIT for every proposal at once, and never sends a PREPARE.
class commit_without_prepare final : public as_voter {
 public:
  fate on_receive(passing_frame& in, adversary_hands& hands) override {
    const auto* proposal = in.as<pre_prepare>();
    if (proposal == nullptr || hands.leads()) return fate::passes;
    auto content = proposal->header.content;
    content.replica = hands.replica();
    hands.send_to_all(forged_vote(hands, message_kind::commit, content));
    return fate::passes;
  }

 protected:
  fate on_vote(passing_frame&, message_kind kind, const signed_statement&, adversary_hands&) override {
    return kind == message_kind::prepare ? fate::stopped : fate::passes;
  }
};

class vote_differently_to_each final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) override {
    auto other = vote.content;
    other.value = nonsense_digest(hands);
    out.become(forged_vote(hands, kind, other));
    return fate::passes;
  }
};

/// Sends votes for the same false digest to all replicas.
class vote_for_nothing final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) override {
    auto other = vote.content;
    other.value = digest_of("nobody proposed this", vote.content.value.view());
    out.become(forged_vote(hands, kind, other));
    return fate::passes;
  }
};

/// Votes for the next sequences before they are proposed.
class vote_ahead final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (std::uint64_t step = 1; step <= 4; ++step) {
      const auto sequence = std::max(hands.known().last(), hands.known().low()).plus(step);
      if (!said_.insert({hands.known().view(), sequence}).second) continue;
      const auto content = own_statement(hands, hands.known().view(), sequence, nonsense_digest(hands));
      hands.send_to_all(forged_vote(hands, message_kind::commit, content));
      if (!hands.leads()) hands.send_to_all(forged_vote(hands, message_kind::prepare, content));
    }
  }

 private:
  std::set<std::pair<view_number, sequence_number>> said_;
};

class keep_silent_to_some final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    return out.peer.is_replica() && !hands.in_second_half(out.peer) ? fate::stopped : fate::passes;
  }
};

class keep_silent final : public adversary {
 public:
  fate on_send(passing_frame&, adversary_hands&) override { return fate::stopped; }
};

class hear_nothing final : public adversary {
 public:
  fate on_receive(passing_frame& in, adversary_hands&) override {
    return in.peer.is_replica() ? fate::stopped : fate::passes;
  }
};

class vote_late final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind, const signed_statement&, adversary_hands& hands) override {
    hands.send_later(300ms, out.peer, out.frame);
    return fate::stopped;
  }
};

request_outcome forged_outcome(const request_outcome& genuine) {
  request_outcome forged;
  forged.status = genuine.status;
  for (const auto each : genuine.statuses)
    forged.append(each, as_byte_span("forged"));
  return forged;
}

class reply_wrongly final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands&) override {
    if (const auto* answered = out.as<reply>()) {
      out.become(encode(reply{answered->id, answered->view, forged_outcome(answered->outcome), answered->request}));
    }
    return fate::passes;
  }
};

/// Refuses every request as overloaded, although it has executed the request.
class reply_overloaded final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands&) override {
    if (const auto* answered = out.as<reply>()) {
      reply refusal{answered->id, answered->view, {}, answered->request};
      refusal.outcome.status = reply_status::overloaded;
      out.become(encode(refusal));
    }
    return fate::passes;
  }
};

/// Sends replies with a view far ahead, so that clients expect the wrong replica to be the primary.
class reply_from_other_view final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands&) override {
    if (const auto* answered = out.as<reply>()) {
      out.become(encode(reply{answered->id, answered->view.plus(1'000'001), answered->outcome, answered->request}));
    }
    return fate::passes;
  }
};

class answer_queries_wrongly final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands&) override {
    if (const auto* answered = out.as<query_reply>()) {
      auto forged = *answered;
      forged.result = to_byte_vector("forged");
      out.become(encode(forged));
    }
    return fate::passes;
  }
};

/// Answers each query at once, with the answer that its node gave to the same operation the last time. So it agrees with
/// replicas that have not executed a write yet, and waits for nothing. It sends its COMMITs to one replica only, so that
/// this replica executes early and the others late.
class answer_from_the_past final : public adversary {
 public:
  fate on_receive(passing_frame& in, adversary_hands& hands) override {
    const auto* asked = in.as<query>();
    if (asked == nullptr) return fate::passes;
    if (asked_.size() < asked_max) asked_[asked->id] = asked->operation;
    const auto old = answers_.find(asked->operation);
    if (old == answers_.end()) return fate::passes;
    auto forged = old->second;
    forged.id = asked->id;
    hands.send(in.peer, encode(forged));
    return fate::passes;
  }

  fate on_send(passing_frame& out, adversary_hands& hands) override {
    if (out.as<commit>() != nullptr && out.peer != hands.others().front()) return fate::stopped;
    const auto* answer = out.as<query_reply>();
    if (answer == nullptr) return fate::passes;
    const auto asked = asked_.find(answer->id);
    if (asked == asked_.end()) return fate::passes;
    const bool is_first = answers_.insert_or_assign(asked->second, *answer).second;
    asked_.erase(asked);
    return is_first ? fate::passes : fate::stopped;
  }

 private:
  /// Queries that the own node has not answered yet.
  static constexpr std::size_t asked_max = 4'096;
  std::map<request_id, byte_vector> asked_;
  std::map<byte_vector, query_reply> answers_;
};

/// Sends a STATUS that claims that it lacks no message, so that no replica sends it a message again. It also ignores
/// the STATUS of others.
class claim_to_have_all final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* said = out.as<status>();
    if (said == nullptr) return fate::passes;
    auto forged = *said;
    forged.last_decided = forged.low_watermark.plus(hands.cluster().watermark_window);
    forged.slots.clear();
    out.become(sealed(hands, forged));
    return fate::passes;
  }
};

/// Sends no vote, and claims in each STATUS that it takes part, so that operators restart another replica.
class feign_health final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    if (out.as<prepare>() != nullptr || out.as<commit>() != nullptr) return fate::stopped;
    const auto* said = out.as<status>();
    if (said == nullptr) return fate::passes;
    auto forged = *said;
    forged.view = hands.known().view();
    forged.active = true;
    forged.last_decided = std::max(said->last_decided, hands.known().last());
    forged.on_probation = false;
    out.become(sealed(hands, forged));
    return fate::passes;
  }
};

std::vector<strategy> false_votes() {
  using enum strategy_occasion;
  const auto backup = strategy_role::backup;
  return {
      {"conflicting-votes", "sends a conflicting vote before each vote", backup, none, {8, 39}, "I1 I6",
       true, {"conflicting_statement"}, {}, make_strategy<vote_twice>},
      {"commit-without-prepare", "sends a COMMIT for each proposal at once, and no PREPARE", backup, none, {10},
       "I1 I8", false, {}, "an early COMMIT is a valid vote, and a PREPARE may be lost",
       make_strategy<commit_without_prepare>},
      {"votes-differ-by-peer", "sends each peer votes for a different digest", backup, none, {8, 40}, "I1 I6", true, {},
       "each peer sees one statement; two peers have to compare what they hold",
       make_strategy<vote_differently_to_each>},
      {"votes-for-nothing", "votes for digests that no primary proposed", backup, none, {6}, "I1 I6", false, {},
       "a primary may have sent it such a proposal", make_strategy<vote_for_nothing>},
      {"votes-ahead", "votes for sequences that are not proposed yet", backup, none, {8, 28}, "I1 I6", true,
       {"conflicting_statement"}, {}, make_strategy<vote_ahead>},
      {"late-votes", "sends every vote 300 ms late", backup, none, {29}, "I11", false, {},
       "a slow link does the same", make_strategy<vote_late>},
      {"wrong-replies", "sends false results to clients", backup, none, {5}, "I5", false, {},
       "only the client compares replies", make_strategy<reply_wrongly>},
      {"refusing-replies", "tells clients that the replica is overloaded", backup, none, {5, 32}, "I5 I11", false, {},
       "only the client compares replies", make_strategy<reply_overloaded>},
      {"replies-from-far-view", "sends replies with a view that is far ahead", backup, none, {5, 19}, "I11", false, {},
       "only the client compares replies", make_strategy<reply_from_other_view>},
      {"wrong-query-replies", "sends false answers to queries", backup, none, {35}, "I5", false, {},
       "only the client compares answers", make_strategy<answer_queries_wrongly>},
      {"old-query-replies", "answers queries at once, from an old state", backup, none, {35}, "I20", false, {},
       "only the client compares answers", make_strategy<answer_from_the_past>},
  };
}

std::vector<strategy> silences() {
  using enum strategy_occasion;
  const auto backup = strategy_role::backup;
  return {
      {"selective-silence",
       "sends nothing to half of the other members",
       backup,
       none,
       {22, 30},
       "I11",
       false,
       {},
       "a broken link does the same",
       make_strategy<keep_silent_to_some>},
      {"silent-backup",
       "sends nothing to any member",
       backup,
       none,
       {20},
       "I11",
       false,
       {},
       "a node that is down does the same",
       make_strategy<keep_silent>},
      {"deaf-backup",
       "drops all messages of the others, and sends a STATUS that shows it",
       backup,
       none,
       {26, 33},
       "I11 I12",
       false,
       {},
       "a broken link does the same",
       make_strategy<hear_nothing>},
      {"status-claims-all",
       "sends a STATUS that claims to lack nothing",
       backup,
       none,
       {21},
       "I9 I11",
       false,
       {},
       "a replica that claims too much is sent less, which harms only itself",
       make_strategy<claim_to_have_all>},
      {"feigned-health",
       "sends no vote, and a STATUS that claims to take part",
       backup,
       none,
       {43},
       "I11",
       false,
       {},
       "a quorum does not need its vote; only the health reports count votes",
       make_strategy<feign_health>},
  };
}

}  // namespace

std::vector<strategy> backup_strategies() {
  auto all = false_votes();
  for (auto& each : silences())
    all.push_back(std::move(each));
  return all;
}

}  // namespace hypermesh::testing
