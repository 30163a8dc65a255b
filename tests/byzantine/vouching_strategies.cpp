// Strategies against requests without signatures, for which replicas vouch (attack 45).
#include <algorithm>
#include <vector>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

/// Sends each request to as many replicas as its number says: from none to all but one.
class send_to_some final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* asked = out.as<request>();
    if (asked == nullptr || asked->id.opens_session()) return fate::passes;
    const auto replicas = hands.cluster().replicas;
    const auto first = asked->id.when.value / replicas;
    const auto place = (out.peer.number + replicas - first % replicas) % replicas;
    return place < asked->id.when.value % replicas ? fate::passes : fate::stopped;
  }
};

/// Sends another operation under the same id to each half of the replicas.
class send_apart final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* asked = out.as<request>();
    if (asked == nullptr || asked->id.opens_session() || !hands.in_second_half(out.peer)) return fate::passes;
    out.become(reframe(forged_request(hands, asked->id, marked_operation(asked->id.when.value))));
    return fate::passes;
  }
};

/// Proposes operations that their clients never sent, and vouches for them.
class invent_requests final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    auto requests = proposal.body->requests;
    const auto invented = forged_request(hands, requests.front().id, marked_operation(content.sequence.value));
    requests.front() = invented;
    const auto body = with_requests(*proposal.body, std::move(requests));
    hands.send(out.peer, encode(vouch{{reference_of(invented)}}));
    out.become(forged_proposal(hands, content.view, content.sequence, body));
    return fate::passes;
  }
};

/// Vouches for nothing, so that the others need each VOUCH of the rest.
class vouch_for_nothing final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands&) override {
    return out.as<vouch>() != nullptr ? fate::stopped : fate::passes;
  }
};

/// Sends its VOUCHes to half of the replicas only.
class vouch_to_half final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    return out.as<vouch>() != nullptr && hands.in_second_half(out.peer) ? fate::stopped : fate::passes;
  }
};

/// Vouches for requests that nobody has sent, in the names of all clients.
class vouch_without_end final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    vouch all;
    for (std::uint32_t count = 0; count < limits::vouched_requests_max; ++count) {
      const client_id client{count % hands.cluster().clients};
      all.requests.push_back({{client, timestamp{1 + hands.chance().below(1'000)}}, nonsense_digest(hands)});
    }
    hands.send_to_all(encode(all));
  }
};

}  // namespace

std::vector<strategy> vouching_strategies() {
  using enum strategy_occasion;
  const auto client = strategy_role::client;
  const auto backup = strategy_role::backup;
  return {
      {"sends-to-some", "sends each of its requests to some replicas only", client, as_client, {32, 45}, "I3 I11", false,
       {}, "a client that does not reach all replicas does the same", make_strategy<send_to_some>, true},
      {"sends-apart", "sends two operations under one name, one to each half of the replicas", client, as_client,
       {8, 32, 45}, "I1 I3 I11", false, {}, "too few replicas vouch for either", make_strategy<send_apart>, true},
      {"invents-requests", "proposes operations that their clients never sent, and vouches for them",
       strategy_role::primary, as_primary, {6, 45}, "I3", false, {"primary_suspected"}, {},
       make_strategy<invent_requests>, true},
      {"vouches-for-nothing", "vouches for no request", backup, none, {45}, "I11", false, {},
       "the VOUCHes of the others are enough", make_strategy<vouch_for_nothing>, true},
      {"vouches-to-half", "sends its VOUCHes to half of the replicas", backup, none, {45}, "I11", false, {},
       "the VOUCHes of the others are enough", make_strategy<vouch_to_half>, true},
      {"vouch-flood", "vouches for requests that nobody has sent", backup, none, {33, 45}, "I3 I12", false, {},
       "one replica alone is not believed", make_strategy<vouch_without_end>, true},
  };
}

}  // namespace hypermesh::testing
