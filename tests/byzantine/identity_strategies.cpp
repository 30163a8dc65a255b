// A member that sends messages as another member, for another cluster or for another epoch (attacks 1 and 2).
#include "messages/codec.hpp"
#include "messages/signing.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

class speak_for_neighbour final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) override {
    for (const auto each : hands.others()) {
      auto claimed = vote.content;
      claimed.replica = replica_id{each.number};
      hands.send(out.peer, forged_vote(hands, kind, claimed));
    }
    return fate::passes;
  }
};

/// Sends genuine votes of others over its own link.
class relay_votes final : public adversary {
 public:
  fate on_receive(passing_frame& in, adversary_hands& hands) override {
    if (in.as<prepare>() != nullptr || in.as<commit>() != nullptr) hands.send_to_all(in.frame);
    return fate::passes;
  }
};

class break_signatures final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) override {
    auto broken = vote;
    broken.by.bytes[hands.chance().below(32)] ^= std::byte{1};
    out.become(encode_vote(kind, broken));
    return fate::passes;
  }
};

/// Sends a vote of one kind with the signature of another kind.
class sign_as_other_kind final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands&) override {
    const auto other = kind == message_kind::prepare ? message_kind::commit : message_kind::prepare;
    out.become(encode_vote(other, vote));
    return fate::passes;
  }
};

class sign_for_other_epoch final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) override {
    auto stale = vote.content;
    stale.epoch = stale.epoch.next();
    auto context = hands.cluster().signing;
    context.epoch = stale.epoch;
    out.become(encode_vote(kind, {stale, hands.keys().sign(signing_input(context, kind, statement_bytes(stale)))}));
    return fate::passes;
  }
};

class sign_for_other_cluster final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) override {
    auto context = hands.cluster().signing;
    context.cluster.bytes.front() ^= std::byte{1};
    const auto by = hands.keys().sign(signing_input(context, kind, statement_bytes(vote.content)));
    out.become(encode_vote(kind, {vote.content, by}));
    return fate::passes;
  }
};

/// Sends votes of a replica number that the group does not have.
class vote_as_stranger final : public as_voter {
 protected:
  fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) override {
    auto strange = vote.content;
    strange.replica = replica_id{hands.cluster().replicas + 50};
    hands.send(out.peer, forged_vote(hands, kind, strange));
    return fate::passes;
  }
};

/// Sends requests in a client's name, signed with a replica's key.
class speak_for_client final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    ++count_;
    const auto made = forged_request(hands, {client_id{0}, timestamp{1'000 + count_}}, marked_operation(count_));
    hands.send_to_all(reframe(made));
  }

 private:
  std::uint64_t count_ = 0;
};

/// Sends replicas the kinds of messages that only a client may receive.
class reply_to_replicas final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    reply made;
    made.id = {client_id{0}, timestamp{1}};
    made.outcome.append(0, as_byte_span("forged"));
    hands.send_to_all(encode(made));
    hands.send_to_all(encode(query_reply{made.id, sequence_number{1}, 0, to_byte_vector("forged")}));
  }
};

/// Sends the VIEW-CHANGEs of others as its own.
class relay_view_changes final : public adversary {
 public:
  fate on_receive(passing_frame& in, adversary_hands& hands) override {
    if (in.as<view_change>() != nullptr) hands.send_to_all(in.frame);
    return fate::passes;
  }
};

}  // namespace

std::vector<strategy> identity_strategies() {
  using enum strategy_occasion;
  const auto role = strategy_role::identity;
  return {
      {"forged-sender", "votes in the name of every other replica", role, none, {1, 3}, "I6", false,
       {"sender_is_not_signer"}, {}, make_strategy<speak_for_neighbour>},
      {"relayed-votes", "relays the votes of others as its own", role, none, {1, 3}, "I6", false,
       {"sender_is_not_signer"}, {}, make_strategy<relay_votes>},
      {"broken-signature", "flips a bit of each signature", role, none, {7, 39}, "I6 I14", false,
       {"bad_signature"}, {}, make_strategy<break_signatures>},
      {"cross-context-signature", "signs a PREPARE as a COMMIT, and a COMMIT as a PREPARE", role, none, {2}, "I6",
       false, {"bad_signature", "primary_voted_prepare"}, {}, make_strategy<sign_as_other_kind>},
      {"other-epoch", "signs votes for the next membership", role, none, {2, 3}, "I6", false, {"wrong_epoch"}, {},
       make_strategy<sign_for_other_epoch>},
      {"other-cluster", "signs votes for another cluster", role, none, {2}, "I6", false, {"bad_signature"}, {},
       make_strategy<sign_for_other_cluster>},
      {"stranger", "votes as a replica that is not a member", role, none, {1, 3}, "I6", false,
       {"sender_is_not_signer"}, {}, make_strategy<vote_as_stranger>},
      {"speaks-for-client", "sends requests in the name of a client", role, none, {1, 32}, "I3", false,
       {"bad_signature"}, {}, make_strategy<speak_for_client>},
      {"replies-to-replicas", "sends replicas messages that only clients receive", role, none, {2, 5}, "I13", false,
       {"kind_not_allowed_from_sender"}, {}, make_strategy<reply_to_replicas>},
      {"relayed-view-changes", "relays the VIEW-CHANGEs of others as its own", role, view_change,
       {1, 19}, "I8", false, {"sender_is_not_signer", "duplicate", "other_view"}, {},
       make_strategy<relay_view_changes>},
  };
}

}  // namespace hypermesh::testing
