// Strategies of a replica that sends too much: repeated, too early, too late or unrequested messages.
#include <algorithm>
#include <vector>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

class send_tenfold final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    if (!out.peer.is_replica()) return fate::passes;
    for (int count = 0; count < 9; ++count)
      hands.send(out.peer, out.frame);
    return fate::passes;
  }
};

/// Repeats old votes at every tick.
class replay_votes final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto& votes = hands.known().votes();
    for (int count = 0; count < 10 && !votes.empty(); ++count)
      hands.send_to_all(votes[hands.chance().below(votes.size())].frame);
  }
};

/// Sends votes of views that have ended.
class replay_old_views final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (const auto& each : hands.known().votes()) {
      if (each.content.view < hands.known().view()) hands.send_to_all(each.frame);
    }
  }
};

class vote_in_far_views final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (int count = 0; count < 16; ++count) {
      const auto view = hands.known().view().plus(1 + hands.chance().below(limits::view_max / 2));
      const auto sequence = hands.known().low().plus(1 + hands.chance().below(hands.cluster().watermark_window));
      const auto content = own_statement(hands, view, sequence, nonsense_digest(hands));
      hands.send_to_all(forged_vote(hands, message_kind::commit, content));
    }
  }
};

class vote_for_far_sequences final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (int count = 0; count < 16; ++count) {
      const auto ahead = 4 * hands.cluster().watermark_window + hands.chance().below(limits::sequence_max / 2);
      const auto sequence = hands.known().last().plus(ahead);
      const auto content = own_statement(hands, hands.known().view(), sequence, nonsense_digest(hands));
      hands.send_to_all(forged_vote(hands, message_kind::commit, content));
    }
  }
};

/// Sends a STATUS at each tick that claims that it has no messages, so that all replicas send everything again.
class beg_by_status final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto low = hands.known().low();
    hands.send_to_all(sealed(hands, status{hands.replica(), hands.known().view(), true, low, low, {}, {}, {}}));
  }
};

class status_from_far_view final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto view = hands.known().view().plus(1 + hands.chance().below(limits::view_max / 2));
    hands.send_to_all(sealed(hands, status{hands.replica(), view, true, {}, {}, {}, {}, {}}));
  }
};

/// Forwards every genuine request that it knows, as if the request were still pending.
class forward_old_requests final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto& requests = hands.known().requests();
    for (int count = 0; count < 16 && !requests.empty(); ++count)
      hands.send_to_all(reframe(requests[hands.chance().below(requests.size())]));
  }
};

/// Sends chunks of a state that no replica requested.
class send_unwanted_chunks final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const state_request wanted{hands.known().low(), hands.chance().below(8)};
    const auto bytes = std::make_shared<const byte_vector>(nonsense_bytes(hands, 1'024));
    hands.send_to_all(encode(state_chunk_message{wanted, bytes}));
  }
};

/// Requests a whole state from all replicas continuously.
class ask_for_states final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (std::uint64_t index = 0; index < 64; ++index)
      hands.send_to_all(encode(state_request{hands.known().low(), index}));
  }
};

class suspect_always final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto content = own_statement(hands, hands.known().view(), sequence_number{0}, digest{});
    hands.send_to_all(forged_vote(hands, message_kind::suspicion, content));
  }
};

/// Sends far more signed messages than a replica has the time to verify.
class flood_with_signed_words final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    constexpr std::size_t in_a_tick = 256;
    constexpr std::size_t words_max = 8 * in_a_tick;
    for (std::size_t count = 0; count < in_a_tick; ++count) {
      if (words_.size() < words_max) {
        const auto view = hands.known().view().plus(1 + words_.size());
        const auto content = own_statement(hands, view, sequence_number{0}, digest{});
        words_.push_back(forged_vote(hands, message_kind::suspicion, content));
      }
      hands.send_to_all(words_[sent_++ % words_.size()]);
    }
  }

 private:
  std::vector<frame_ptr> words_;
  std::size_t sent_ = 0;
};

/// Asks for reports continuously. Every principal may ask for reports.
class ask_for_reports final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (int count = 0; count < 16; ++count)
      hands.send_to_all(encode(node_query{{client_id{0}, timestamp{++asked_}}}));
  }

 private:
  std::uint64_t asked_ = 0;
};

}  // namespace

std::vector<strategy> flooding_strategies() {
  using enum strategy_occasion;
  const auto backup = strategy_role::backup;
  return {
      {"duplicate-flood", "sends each frame ten times", backup, none, {33}, "I12", false, {"duplicate"}, {},
       make_strategy<send_tenfold>},
      {"replayed-votes", "replays old votes repeatedly", backup, none, {2, 33}, "I6 I12", false,
       {"already_decided", "duplicate"}, {}, make_strategy<replay_votes>},
      {"old-view-replay", "replays votes of past views repeatedly", backup, view_change, {2, 21},
       "I1 I8", false, {"other_view", "already_decided"}, {}, make_strategy<replay_old_views>},
      {"far-future-views", "votes in views that are far ahead", backup, none, {19, 22}, "I8 I12", false,
       {"other_view"}, {}, make_strategy<vote_in_far_views>},
      {"far-future-sequences", "votes for sequences that are far ahead", backup, none, {22, 28}, "I9 I12", false,
       {"outside_watermarks"}, {}, make_strategy<vote_for_far_sequences>},
      {"begging-status", "sends a STATUS continuously that claims to have nothing",
       backup, none, {33}, "I12", false, {"duplicate"},
       {}, make_strategy<beg_by_status>},
      {"status-from-far-view", "sends a STATUS with a view that is far ahead", backup, none, {19, 33}, "I8 I12",
       false, {"other_view", "duplicate"}, {}, make_strategy<status_from_far_view>},
      {"forwarding-flood", "forwards all past requests", backup, none, {32, 33}, "I4 I12", false, {},
       "any replica may forward a request that its client signed", make_strategy<forward_old_requests>},
      {"unwanted-chunks", "sends chunks of a state that no replica requested", strategy_role::state_transfer, none,
       {24, 33}, "I10 I12", false, {"unsolicited"}, {}, make_strategy<send_unwanted_chunks>},
      {"state-request-flood", "requests the whole state from all replicas continuously", strategy_role::state_transfer,
       none, {24, 33}, "I12", false, {}, "a donor that has given its share of a tick answers: busy",
       make_strategy<ask_for_states>},
      {"signed-flood", "signs thousands of suspicions and sends them repeatedly", strategy_role::view_change, none,
       {33}, "I11 I12", false, {"overloaded"}, {}, make_strategy<flood_with_signed_words>},
      {"suspicion-flood", "suspects every primary continuously", strategy_role::view_change, none, {32}, "I11",
       false, {}, "f suspicions have no effect: f + 1 are needed", make_strategy<suspect_always>},
      {"report-flood", "requests the reports of all nodes", backup, none, {33, 41}, "I12", false, {},
       "every member may request a node's report", make_strategy<ask_for_reports>},
  };
}

}  // namespace hypermesh::testing
