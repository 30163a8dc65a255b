// Strategies of a primary whose proposals no replica should accept, or which serves its clients badly.
#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

/// The longest time that a request may wait for the primary in a calm cluster.
constexpr duration request_timeout = 1s;
constexpr duration just_below_timeout = request_timeout * 9 / 10;

class send_other_body final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    if (const auto other = other_batch(hands, *proposal.body)) {
      out.become(encode_pre_prepare(proposal.header, *other));
    }
    return fate::passes;
  }
};

class forge_client_request final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    auto requests = proposal.body->requests;
    const auto forged = requests.front().id;
    requests.front() = forged_request(hands, forged, marked_operation(content.sequence.value));
    const auto body = with_requests(*proposal.body, std::move(requests));
    out.become(forged_proposal(hands, content.view, content.sequence, body));
    return fate::passes;
  }
};

/// Reverses the order of the requests in each batch. In an ordered session, every request but the first is then too
/// early.
class reverse_batches final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    auto requests = proposal.body->requests;
    std::ranges::reverse(requests);
    const auto body = with_requests(*proposal.body, std::move(requests));
    out.become(forged_proposal(hands, content.view, content.sequence, body));
    return fate::passes;
  }
};

/// Sometimes leaves out the first request of a batch, but keeps the later requests of the same session.
class leave_out_the_first final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    auto requests = proposal.body->requests;
    if (requests.size() < 2 || content.sequence.value % 3 != 0) return fate::passes;
    requests.erase(requests.begin());
    const auto body = with_requests(*proposal.body, std::move(requests));
    out.become(forged_proposal(hands, content.view, content.sequence, body));
    return fate::passes;
  }
};

class skip_a_sequence final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    out.become(moved_proposal(hands, proposal, content.view, content.sequence.next()));
    return fate::passes;
  }
};

class jump_to_high_watermark final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto high = hands.known().low().plus(hands.cluster().watermark_window);
    out.become(moved_proposal(hands, proposal, proposal.header.content.view, high));
    return fate::passes;
  }
};

/// Proposes at the highest valid sequence number, above it, and at the highest number of the type.
class exhaust_sequences final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    constexpr std::uint64_t far[] = {limits::sequence_max, limits::sequence_max + 1, ~std::uint64_t{0}};
    const sequence_number sequence{far[hands.chance().below(std::size(far))]};
    hands.send(out.peer, moved_proposal(hands, proposal, proposal.header.content.view, sequence));
    return fate::passes;
  }
};

class repropose_executed final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    if (!first_) first_ = proposal;
    out.become(moved_proposal(hands, *first_, content.view, content.sequence));
    return fate::passes;
  }

 private:
  std::optional<pre_prepare> first_;
};

class withhold_from_one final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare&, adversary_hands& hands) override {
    return out.peer == hands.others().back() ? fate::stopped : fate::passes;
  }
};

/// Ignores all requests of the first client that it receives a request from.
class censor_one_client final : public adversary {
 public:
  fate on_receive(passing_frame& in, adversary_hands&) override {
    const auto* asked = in.as<request>();
    if (asked == nullptr) return fate::passes;
    if (!victim_) victim_ = asked->id.client;
    return asked->id.client == *victim_ ? fate::stopped : fate::passes;
  }

 private:
  std::optional<client_id> victim_;
};

class delay_below_timeout final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare&, adversary_hands& hands) override {
    hands.send_later(just_below_timeout, out.peer, out.frame);
    return fate::stopped;
  }
};

/// Becomes a little slower with each batch, so that the delay is hard to notice.
class ramp_the_delay final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare&, adversary_hands& hands) override {
    if (!begun_) begun_ = hands.now();
    const auto grown = 20ms + (hands.now() - *begun_) / 5;
    hands.send_later(std::min(grown, just_below_timeout), out.peer, out.frame);
    return fate::stopped;
  }

 private:
  std::optional<moment> begun_;
};

/// Proposes nothing for nine tenths of the time-out, then works at full speed for a fifth of the time-out, and repeats
/// this.
class stall_by_turns final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare&, adversary_hands& hands) override {
    if (!begun_) begun_ = hands.now();
    const auto passed = (hands.now() - *begun_) % (just_below_timeout + request_timeout / 5);
    if (passed >= just_below_timeout) return fate::passes;
    hands.send_later(just_below_timeout - passed, out.peer, out.frame);
    return fate::stopped;
  }

 private:
  std::optional<moment> begun_;
};

/// Delays one request in three for as long as only the backups that forward first have noticed the wait. Serves the
/// other requests at once.
class hold_back_a_third final : public adversary {
 public:
  fate on_receive(passing_frame& in, adversary_hands& hands) override {
    const auto* asked = in.as<request>();
    if (asked == nullptr || !hands.leads() || asked->id.when.value % 3 != 0) return fate::passes;
    held_.emplace_back(hands.now() + held_for, in);
    return fate::stopped;
  }
  void on_tick(adversary_hands& hands) override {
    for (; !held_.empty() && held_.front().first <= hands.now(); held_.pop_front())
      hands.take_in(held_.front().second.peer, held_.front().second.frame);
  }

 private:
  static constexpr duration held_for = 370ms;
  std::deque<std::pair<moment, passing_frame>> held_;
};

class propose_nothing final : public as_primary {
 protected:
  fate on_proposal(passing_frame&, const pre_prepare&, adversary_hands&) override { return fate::stopped; }
};

class propose_empty_batches final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    out.become(forged_proposal(hands, content.view, content.sequence, batch{}));
    return fate::passes;
  }
};

/// Fills every batch up with all requests that it ever received.
class fill_batches_up final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    auto requests = proposal.body->requests;
    for (const auto& each : hands.known().requests()) {
      const auto is_same = [&](const request& other) { return other.id == each.id; };
      if (std::ranges::none_of(requests, is_same)) requests.push_back(each);
    }
    auto body = with_requests(*proposal.body, std::move(requests));
    for (const auto& each : hands.known().system_requests()) {
      if (body.system_requests.size() == limits::system_requests_per_batch_max) break;
      const auto is_same = [&](const system_request& other) { return other.name == each.name; };
      const bool fits = body.bytes + each.raw.view.size() <= limits::batch_bytes_max;
      if (!fits || std::ranges::any_of(body.system_requests, is_same)) continue;
      body.system_requests.push_back(each);
      body.bytes += each.raw.view.size();
    }
    out.become(forged_proposal(hands, content.view, content.sequence, body));
    return fate::passes;
  }
};

/// Sends nothing until it is replaced, and then continues to propose in its old view.
class propose_for_old_view final : public as_primary {
 public:
  void on_tick(adversary_hands& hands) override {
    if (!last_ || hands.known().view() <= last_->header.content.view) return;
    next_ = std::max(next_, hands.known().last()).next();
    hands.send_to_all(moved_proposal(hands, *last_, last_->header.content.view, next_));
  }

 protected:
  fate on_proposal(passing_frame&, const pre_prepare& proposal, adversary_hands&) override {
    last_ = proposal;
    return fate::stopped;
  }

 private:
  std::optional<pre_prepare> last_;
  sequence_number next_;
};

class propose_for_later_view final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    const auto later = content.view.plus(hands.cluster().replicas);
    hands.send(out.peer, moved_proposal(hands, proposal, later, content.sequence));
    return fate::passes;
  }
};

class repeat_request_in_batch final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    auto requests = proposal.body->requests;
    requests.push_back(requests.front());
    const auto body = with_requests(*proposal.body, std::move(requests));
    out.become(forged_proposal(hands, content.view, content.sequence, body));
    return fate::passes;
  }
};

class prepare_as_primary final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    hands.send(out.peer, forged_vote(hands, message_kind::prepare, proposal.header.content));
    return fate::passes;
  }
};

/// Proposes but never sends a COMMIT.
class propose_without_commit final : public as_voter {
 protected:
  fate on_vote(passing_frame&, message_kind, const signed_statement&, adversary_hands& hands) override {
    return hands.leads() ? fate::stopped : fate::passes;
  }
};

std::vector<strategy> proposals_that_are_wrong() {
  using enum strategy_occasion;
  const auto primary = strategy_role::primary;
  return {
      {"digest-of-other-batch", "sends proposals with the digest of another batch", primary, as_primary, {6}, "I6 I10",
       false, {"wrong_digest"}, {}, make_strategy<send_other_body>},
      {"forged-client-request", "proposes batches with an operation that its client never signed",
       primary, as_primary, {6, 30},
       "I3", false, {"bad_signature"}, {}, make_strategy<forge_client_request>},
      {"reversed-batches", "reverses the requests of each batch", primary, as_primary, {18, 29},
       "I4 I11 I17", false, {}, "what comes too early changes nothing, and is ordered again",
       make_strategy<reverse_batches>},
      {"leaves-first-out", "leaves out the first request of a batch now and then",
       primary, as_primary, {29, 31}, "I11 I17",
       false, {}, "a backup cannot know what the primary has", make_strategy<leave_out_the_first>},
      {"sequence-gap", "skips one sequence for ever", primary, as_primary, {28}, "I2 I11", false,
       {"primary_suspected"}, {}, make_strategy<skip_a_sequence>},
      {"jump-to-high-watermark", "proposes every batch at H", primary, as_primary, {28}, "I2 I9 I11", false,
       {"primary_suspected", "conflicting_statement"}, {}, make_strategy<jump_to_high_watermark>},
      {"exhaust-sequences", "proposes batches near the last sequence number", primary, as_primary, {28}, "I9 I13",
       false, {"number_out_of_range"}, {}, make_strategy<exhaust_sequences>},
      {"repropose-executed", "proposes the first batch repeatedly", primary, as_primary, {18, 29}, "I4 I11",
       false, {"primary_suspected"}, {}, make_strategy<repropose_executed>},
      {"empty-batches", "proposes the null request in place of every batch",
       primary, as_primary, {16, 29}, "I11", false,
       {"primary_suspected"}, {}, make_strategy<propose_empty_batches>},
      {"full-batches", "fills every batch with all past requests", primary, as_primary, {18, 29},
       "I4 I11 I12", false, {}, "every request in it is genuine, and those that were executed are no-ops",
       make_strategy<fill_batches_up>},
      {"repeated-request", "proposes batches that name a request twice", primary, as_primary, {18, 37}, "I4 I13", false,
       {"duplicate_request_in_batch"}, {}, make_strategy<repeat_request_in_batch>},
      {"old-view-proposals", "continues to propose in its view after it is replaced", primary, as_primary, {8, 21},
       "I1 I8", false, {"other_view"}, {}, make_strategy<propose_for_old_view>},
      {"later-view-proposals", "proposes every batch also in the next view that it leads", primary, as_primary,
       {10, 22}, "I1 I8", false, {"other_view"}, {}, make_strategy<propose_for_later_view>},
      {"prepare-as-primary", "sends PREPAREs for its own batches", primary, as_primary, {1, 3}, "I6", true,
       {"primary_voted_prepare"}, {}, make_strategy<prepare_as_primary>},
  };
}

std::vector<strategy> service_that_is_bad() {
  using enum strategy_occasion;
  const auto primary = strategy_role::primary;
  return {
      {"withhold-from-one", "keeps every proposal from one backup", primary, as_primary, {17, 22}, "I11", false, {},
       "the victim cannot distinguish it from loss, and another backup relays the proposal",
       make_strategy<withhold_from_one>},
      {"censor-one-client", "ignores the requests of one client", primary, as_primary, {31}, "I11 I12", false,
       {"primary_suspected"}, {}, make_strategy<censor_one_client>},
      {"delay-below-timeout", "delays each batch by nine tenths of the time-out",
       primary, as_primary, {29}, "I11", false,
       {"primary_suspected"}, {}, make_strategy<delay_below_timeout>},
      {"ramp-delay", "delays each batch a little longer than the one before", primary, as_primary, {29}, "I11", false,
       {"primary_suspected"}, {}, make_strategy<ramp_the_delay>},
      {"stalls-by-turns", "delays all batches by nine tenths of the time-out, then none for a while",
       primary, as_primary,
       {29}, "I11", false, {}, "under a light load backups know of too few requests to tell it from hiccups",
       make_strategy<stall_by_turns>},
      {"holds-back-a-third", "delays one request in three by four tenths of the time-out", primary, as_primary,
       {29}, "I11", false, {}, "under a light load backups know of too few requests to tell it from hiccups",
       make_strategy<hold_back_a_third>},
      {"mute-primary", "proposes nothing", primary, as_primary, {20, 29}, "I11", false, {"primary_suspected"}, {},
       make_strategy<propose_nothing>},
      {"propose-without-commit", "proposes and never sends a COMMIT", primary, as_primary, {29}, "I11", false, {},
       "the COMMITs of the others are a quorum, and a vote may be lost", make_strategy<propose_without_commit>},
  };
}

}  // namespace

std::vector<strategy> primary_strategies() {
  auto all = proposals_that_are_wrong();
  for (auto& each : service_that_is_bad())
    all.push_back(std::move(each));
  return all;
}

}  // namespace hypermesh::testing
