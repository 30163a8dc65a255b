#include "tests/support/simulated_adversary.hpp"

#include "messages/digest.hpp"
#include "messages/require.hpp"
#include "tests/byzantine/strategy.hpp"
#include "tests/support/simulated_world.hpp"

namespace hypermesh::testing {

simulated_adversary::simulated_adversary(simulated_network& network, principal who, clock now, alarm later,
                                         clock_step step)
    : network_(network), who_(who), now_(std::move(now)), later_(std::move(later)), step_(std::move(step)) {}

simulated_adversary::~simulated_adversary() { network_.meddle(who_, nullptr); }

void simulated_adversary::play(adversary_hands hands, std::unique_ptr<adversary> strategy) {
  require(between_ == nullptr, "an adversary begins once");
  between_ = std::make_unique<interposer>(std::move(hands), std::move(strategy));
  network_.meddle(who_, this);
}

frame_ptr simulated_adversary::on_leaving(principal to, const frame_ptr& frame) { return between_->on_send(to, frame); }

frame_ptr simulated_adversary::on_arriving(principal from, const frame_ptr& frame) {
  return between_->on_receive(from, frame);
}

void simulated_adversary::put_on_wire(principal to, const frame_ptr& frame, duration delay) {
  const frame_transit transit{who_, to, frame};
  if (delay == 0us) return network_.put_on_wire(transit);
  later_(delay, [&network = network_, transit] { network.put_on_wire(transit); });
}

void simulated_adversary::take_in(principal from, const frame_ptr& frame) { network_.hand_in(who_, from, frame); }

// --- The world's part ----------------------------------------------------------------

void simulated_world::misbehave(principal who, const std::string& strategy) {
  auto made = make_adversary(strategy);
  require(made != nullptr, "an adversary plays a strategy that there is");
  if (who.is_replica()) accomplices_->insert(replica_id{who.number});
  watcher_.on_faulty(who, faulty_because::it_misbehaves);
  const auto later = [this](duration delay, std::function<void()> what) { plan(now() + delay, std::move(what)); };
  const auto step = [this, who](duration by) {
    if (who.is_replica()) step_wall_clock(replica_id{who.number}, by);
  };
  auto& place = adversaries_[who];
  place.reset();
  place = std::make_shared<simulated_adversary>(
      network_, who, [this] { return now(); }, later, step);
  // The adversary has its own generator, so its random choices do not change the choices of the rest of the run.
  splitmix64 seeds{settings_.key_seed * 2 + (who.is_client() ? 1 : 0)};
  for (std::uint32_t number = 0; number < who.number; ++number)
    (void)seeds.next();
  place->play({*place, settings_.cluster, keys_.of(who), accomplices_, seeds.next()}, std::move(made));
  tick_adversary(place);
}

void simulated_world::tick_adversary(const std::weak_ptr<simulated_adversary>& who) {
  plan(now() + adversary_tick, [this, who] {
    const auto still = who.lock();
    if (still == nullptr) return;
    still->tick();
    tick_adversary(who);
  });
}

void simulated_world::behave(principal who) { adversaries_.erase(who); }

}  // namespace hypermesh::testing
