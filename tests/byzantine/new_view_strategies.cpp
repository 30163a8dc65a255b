// Strategies of a new primary that opens its view wrongly, twice, or not at all (attack 13).
#include <algorithm>
#include <map>

#include "actors/protocol/views/new_view.hpp"
#include "messages/codec.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

/// Replaces each of its NEW-VIEWs by one forged NEW-VIEW.
class forges_new_view : public as_opener {
 protected:
  fate on_new_view(passing_frame& out, const new_view& opened, adversary_hands& hands) override {
    auto& made = made_[opened.view];
    if (made == nullptr) {
      auto forged = opened;
      change(forged, hands);
      made = sealed(hands, forged);
    }
    out.become(made);
    return fate::passes;
  }

  virtual void change(new_view& opened, adversary_hands& hands) = 0;

  static sequence_number last_of(const new_view& opened) {
    sequence_number last;
    for (const auto& each : opened.view_changes)
      last = std::max(last, each.stable_sequence);
    return opened.reproposals.empty() ? last : opened.reproposals.back().content.sequence;
  }
  static void invent(new_view& opened, adversary_hands& hands) {
    const auto content = own_statement(hands, opened.view, last_of(opened).next(), nonsense_digest(hands));
    opened.reproposals.push_back(signed_statement_of(hands, message_kind::pre_prepare, content));
  }

 private:
  std::map<view_number, frame_ptr> made_;
};

/// Omits the last reproposal. If there is no reproposal, it omits a VIEW-CHANGE.
class omit_a_slot final : public forges_new_view {
 protected:
  void change(new_view& opened, adversary_hands&) override {
    opened.reproposals.empty() ? opened.view_changes.pop_back() : opened.reproposals.pop_back();
  }
};

class invent_a_slot final : public forges_new_view {
 protected:
  void change(new_view& opened, adversary_hands& hands) override { invent(opened, hands); }
};

/// Replaces a reproposal. If there is no reproposal, it invents one.
class replace_a_slot final : public forges_new_view {
 protected:
  void change(new_view& opened, adversary_hands& hands) override {
    if (opened.reproposals.empty()) return invent(opened, hands);
    auto content = opened.reproposals.front().content;
    content.value = content.value == null_request_digest() ? nonsense_digest(hands) : null_request_digest();
    opened.reproposals.front() = signed_statement_of(hands, message_kind::pre_prepare, content);
  }
};

class too_few_view_changes final : public forges_new_view {
 protected:
  void change(new_view& opened, adversary_hands& hands) override {
    opened.view_changes.pop_back();
    opened.reproposals.clear();
    const auto plan = plan_of(opened.view_changes);
    for (const auto& content :
         reproposals_of(plan, opened.view, hands.replica(), hands.cluster().signing.epoch)) {
      opened.reproposals.push_back(signed_statement_of(hands, message_kind::pre_prepare, content));
    }
  }
};

/// Repeats one VIEW-CHANGE in the place of all the others.
class one_sender_for_all final : public forges_new_view {
 protected:
  void change(new_view& opened, adversary_hands&) override {
    std::ranges::fill(opened.view_changes, view_change{opened.view_changes.front()});
  }
};

/// Changes the content of one VIEW-CHANGE.
class forge_a_view_change final : public forges_new_view {
 protected:
  void change(new_view& opened, adversary_hands& hands) override {
    auto& last = opened.view_changes.back();
    last.prepared.clear();
    last.stable_proof.votes.clear();
    last.stable_sequence = sequence_number{0};
    const auto frame = sealed(hands, last);
    last.raw = {frame, body_of(*frame)};
  }
};

class open_twice final : public as_opener {
 protected:
  fate on_new_view(passing_frame& out, const new_view& opened, adversary_hands& hands) override {
    auto second = opened;
    // The second NEW-VIEW has the same set in another order, so it is as valid as the first one.
    std::swap(second.view_changes.front(), second.view_changes.back());
    hands.send(out.peer, sealed(hands, second));
    return fate::passes;
  }
};

/// Sends each half a different NEW-VIEW; both are valid.
class open_for_halves final : public as_opener {
 protected:
  fate on_new_view(passing_frame& out, const new_view& opened, adversary_hands& hands) override {
    if (!hands.in_second_half(out.peer)) return fate::passes;
    auto second = opened;
    std::swap(second.view_changes.front(), second.view_changes.back());
    out.become(sealed(hands, second));
    return fate::passes;
  }
};

class open_never final : public as_opener {
 protected:
  fate on_new_view(passing_frame&, const new_view&, adversary_hands&) override { return fate::stopped; }
};

class open_for_some final : public as_opener {
 protected:
  fate on_new_view(passing_frame& out, const new_view&, adversary_hands& hands) override {
    return hands.in_second_half(out.peer) ? fate::stopped : fate::passes;
  }
};

class open_late final : public as_opener {
 protected:
  fate on_new_view(passing_frame& out, const new_view&, adversary_hands& hands) override {
    // 450 ms are nine tenths of the time that a new primary has for its NEW-VIEW.
    hands.send_later(450ms, out.peer, out.frame);
    return fate::stopped;
  }
};

/// Opens the view, but then proposes nothing in it.
class open_and_fall_silent final : public as_primary {
 protected:
  fate on_proposal(passing_frame&, const pre_prepare&, adversary_hands&) override { return fate::stopped; }
};

/// Proposes other batches in its new view, also for sequence numbers whose digests its NEW-VIEW names.
class propose_against_new_view final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    const auto& content = proposal.header.content;
    const auto other = other_batch(hands, *proposal.body);
    if (other) hands.send(out.peer, forged_proposal(hands, content.view, content.sequence, *other));
    return fate::passes;
  }
};

}  // namespace

std::vector<strategy> new_view_strategies() {
  using enum strategy_occasion;
  const auto role = strategy_role::view_change;
  return {
      {"new-view-omits", "sends a NEW-VIEW that omits a prepared slot", role, new_primary, {10, 13}, "I1 I8", true,
       {"bad_certificate"}, {}, make_strategy<omit_a_slot>},
      {"new-view-invents", "sends a NEW-VIEW with a slot that no replica prepared",
       role, new_primary, {13}, "I1 I8", true,
       {"bad_certificate"}, {}, make_strategy<invent_a_slot>},
      {"new-view-replaces", "sends a NEW-VIEW with the null request in place of a prepared batch", role, new_primary,
       {13, 16}, "I1 I8", true, {"bad_certificate"}, {}, make_strategy<replace_a_slot>},
      {"new-view-without-quorum", "sends a NEW-VIEW with too few VIEW-CHANGEs",
       role, new_primary, {3, 13}, "I6 I8", true,
       {"bad_certificate"}, {}, make_strategy<too_few_view_changes>},
      {"new-view-of-one", "sends a NEW-VIEW with its own VIEW-CHANGE in place of all others",
       role, new_primary, {3, 13}, "I6 I8", true,
       {"bad_certificate"}, {}, make_strategy<one_sender_for_all>},
      {"new-view-with-forged-change", "sends a NEW-VIEW with a forged VIEW-CHANGE", role, new_primary,
       {11, 13}, "I1 I8", true, {"bad_certificate"}, {}, make_strategy<forge_a_view_change>},
      {"two-new-views", "sends two NEW-VIEWs of one view to all replicas", role, new_primary, {13}, "I1 I8", true,
       {"other_view", "duplicate"}, {}, make_strategy<open_twice>},
      {"new-views-for-halves", "sends each half its own NEW-VIEW", role, new_primary, {13}, "I1 I8", false, {},
       "each is valid and proposes the same; two replicas have to compare them", make_strategy<open_for_halves>},
      {"mute-new-primary", "becomes primary and sends no NEW-VIEW", role, new_primary, {20}, "I11", false,
       {"primary_suspected"}, {}, make_strategy<open_never>},
      {"new-view-for-some", "keeps its NEW-VIEW from half of the others", role, new_primary, {20, 21}, "I11", false, {},
       "the replicas that entered the view relay the NEW-VIEW", make_strategy<open_for_some>},
      {"late-new-view", "sends its NEW-VIEW just before the time-out of the others", role, new_primary, {20, 29}, "I11",
       false, {}, "a view change may take that long", make_strategy<open_late>},
      {"elected-and-silent", "enters its view and proposes nothing in it", role, new_primary, {20, 29}, "I11", false,
       {"primary_suspected"}, {}, make_strategy<open_and_fall_silent>},
      {"equivocating-new-primary", "enters its view and proposes two batches for each sequence", role, new_primary,
       {8, 13}, "I1 I8", true, {"conflicting_statement"}, {}, make_strategy<propose_against_new_view>},
  };
}

}  // namespace hypermesh::testing
