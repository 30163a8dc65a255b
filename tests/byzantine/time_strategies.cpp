// Strategies of a primary that lies about the time of its batches (attack 42).
#include <optional>

#include "messages/codec.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

/// Farther than the bound of any genesis.
constexpr std::chrono::hours far{2};

/// Base of strategies whose own node has a wrong wall clock. So the node itself stands by the times that it proposes,
/// and orders batches with them.
class as_clock_liar : public adversary {
 public:
  void on_tick(adversary_hands& hands) override {
    if (!last_tick_) last_tick_ = hands.now();
    hands.step_wall_clock(step(hands.now() - *last_tick_));
    last_tick_ = hands.now();
  }

 protected:
  /// The step of the clock at a tick. `passed` is the time since the tick before, and zero at the first one.
  virtual duration step(duration passed) = 0;

 private:
  std::optional<moment> last_tick_;
};

class propose_far_ahead final : public as_clock_liar {
 protected:
  duration step(duration passed) override { return passed == 0s ? far : duration{}; }
};

class propose_far_behind final : public as_clock_liar {
 protected:
  duration step(duration passed) override { return passed == 0s ? -far : duration{}; }
};

/// Stops its clock, so that leases never expire.
class freeze_the_time final : public as_clock_liar {
 protected:
  duration step(duration passed) override { return -passed; }
};

/// A clock before 1970 gives a batch no time.
class propose_no_time final : public as_clock_liar {
 protected:
  duration step(duration passed) override { return passed == 0s ? -100 * 366 * 24h : duration{}; }
};

/// Lets the time go back by a second with each second.
class run_backward final : public as_clock_liar {
 protected:
  duration step(duration passed) override { return -2 * passed; }
};

/// Proposes each batch with one time to half of the backups and with a time one second later to the other half.
class equivocate_on_time final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) override {
    if (proposal.body->is_null() || !hands.in_second_half(out.peer)) return fate::passes;
    const auto& content = proposal.header.content;
    const auto later = with_time(*proposal.body, proposal.body->proposed_time + std::chrono::seconds{1});
    out.become(forged_proposal(hands, content.view, content.sequence, later));
    return fate::passes;
  }
};

/// Sends each backup the same signed header with another time in the batch.
class alter_the_time final : public as_primary {
 protected:
  fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands&) override {
    if (proposal.body->is_null()) return fate::passes;
    const auto later = proposal.body->proposed_time + std::chrono::milliseconds{1 + out.peer.number};
    out.become(encode_pre_prepare(proposal.header, with_time(*proposal.body, later)));
    return fate::passes;
  }
};

}  // namespace

std::vector<strategy> time_strategies() {
  using enum strategy_occasion;
  const auto primary = strategy_role::primary;
  return {
      {"time-far-ahead", "proposes times that are two hours ahead", primary, as_primary, {42}, "I11 I19", false,
       {"primary_suspected"}, {}, make_strategy<propose_far_ahead>},
      {"time-far-behind", "proposes times that are two hours behind", primary, as_primary, {42}, "I19", false,
       {"primary_suspected"}, {}, make_strategy<propose_far_behind>},
      {"time-frozen", "proposes the time of its first batch with every batch", primary, as_primary, {42}, "I19", false,
       {"primary_suspected"}, {}, make_strategy<freeze_the_time>},
      {"time-left-out", "proposes batches without a time", primary, as_primary, {42}, "I19", false,
       {"primary_suspected"}, {}, make_strategy<propose_no_time>},
      {"time-backward", "lets its clock run backward", primary, as_primary, {42}, "I19", false,
       {"primary_suspected"}, {}, make_strategy<run_backward>},
      {"time-equivocates", "proposes another time for the same batch to half of the backups",
       primary, as_primary, {8, 42}, "I1 I11 I19", true,
       {"primary_suspected", "conflicting_statement"}, {}, make_strategy<equivocate_on_time>},
      {"time-altered", "sends each backup another time under one signed header", primary, as_primary, {6, 42},
       "I6 I10 I19", false, {"wrong_digest"}, {}, make_strategy<alter_the_time>},
  };
}

}  // namespace hypermesh::testing
