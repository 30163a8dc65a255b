// Strategies of a replica that abuses the readmission of replicas that lost their disk, or hinders it.
#include "actors/protocol/reputation/system_request.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

/// Asks for a readmission repeatedly with plausible numbers, although it has lost nothing.
class ask_for_readmission : public adversary {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto self = hands.replica();
    const auto epoch = hands.cluster().signing.epoch;
    const auto window = std::uint64_t{hands.cluster().watermark_window};
    const auto floor = hands.known().low().plus(distance() * window);
    const auto view = hands.known().view().plus(distance());
    const auto through = readmission_of(self, self, floor, epoch);
    hands.send_to_all(forged_vote(hands, message_kind::readmission, through));
    const auto leave = hand_over_of(self, self, view, hand_over_cause::readmission, epoch);
    hands.send_to_all(forged_vote(hands, message_kind::hand_over, leave));
    // It also steps down from views in which it is or would be the primary.
    const std::uint64_t replicas = hands.cluster().replicas;
    const view_number given_up{view.value / replicas * replicas + self.value};
    const auto away = hand_over_of(self, self, given_up.next(), hand_over_cause::step_down, epoch);
    hands.send_to_all(forged_vote(hands, message_kind::hand_over, away));
  }

 protected:
  /// The number of windows and of views by which the request is ahead of the group.
  [[nodiscard]] virtual std::uint64_t distance() const { return 2; }
};

class ask_for_the_impossible final : public ask_for_readmission {
 protected:
  [[nodiscard]] std::uint64_t distance() const override { return 1'000'000; }
};

/// Asks for sequence numbers that have passed already. The group never grants such a request, so a limit on granted
/// requests would not stop them.
class ask_for_what_passed final : public adversary {
 public:
  void on_tick(adversary_hands& hands) override {
    for (int each = 0; each < 4; ++each) {
      const auto wanted = readmission_of(hands.replica(), hands.replica(), sequence_number{++floor_},
                                         hands.cluster().signing.epoch);
      hands.send_to_all(forged_vote(hands, message_kind::readmission, wanted));
    }
  }

 private:
  std::uint64_t floor_ = 0;
};

/// Makes the group agree on sequences without client requests, and as primary does not propose these sequences.
class withhold_null_requests final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* proposal = out.as<pre_prepare>();
    const bool is_own = proposal != nullptr && principal::of(proposal->header.content.replica) == hands.self();
    return is_own && proposal->body->is_null() ? fate::stopped : fate::passes;
  }
  void on_tick(adversary_hands& hands) override {
    const auto self = hands.replica();
    const auto floor = hands.known().low().plus(2ULL * hands.cluster().watermark_window);
    const auto through = readmission_of(self, self, floor, hands.cluster().signing.epoch);
    hands.send_to_all(forged_vote(hands, message_kind::readmission, through));
  }
};

}  // namespace

std::vector<strategy> readmission_strategies() {
  using enum strategy_occasion;
  const auto backup = strategy_role::backup;
  return {
      {"asks-for-readmission", "asks to be readmitted repeatedly, although it has lost nothing", backup, none, {9, 33},
       "I11 I12", false, {}, "a replica that lost its disk says the same; what it gets is counted",
       make_strategy<ask_for_readmission>},
      {"passed-readmission", "repeats a request for a readmission that has passed", backup, none, {9, 33},
       "I11 I12", false, {}, "a replica that lags asks for the same; nobody supports it",
       make_strategy<ask_for_what_passed>},
      {"absurd-readmission", "asks to be readmitted a million windows and views ahead", backup, none, {9, 19, 33},
       "I8 I9 I11", false, {}, "nobody supports it, and nobody else loses anything",
       make_strategy<ask_for_the_impossible>},
      {"withholds-null-requests", "proposes no sequence that only a readmission needs",
       strategy_role::primary, as_primary, {20, 29}, "I11", false, {},
       "the sequences are ordered without it while clients send enough requests",
        make_strategy<withhold_null_requests>},
  };
}

}  // namespace hypermesh::testing
