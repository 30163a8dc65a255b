#pragma once

#include <functional>

#include "tests/byzantine/interposer.hpp"
#include "tests/support/simulated_network.hpp"

namespace hypermesh::testing {

/// Connects an adversary to one machine of a simulated world, for the lifetime of this object.
class simulated_adversary final : public frame_meddler, public adversary_world {
 public:
  /// `clock` returns the virtual time. `alarm` schedules a call.
  using clock = std::function<moment()>;
  using alarm = std::function<void(duration delay, std::function<void()> what)>;

  using clock_step = std::function<void(duration by)>;

  /// `network`, and everything that the functions use, must outlive the adversary. `step` changes the member's wall
  /// clock.
  simulated_adversary(simulated_network& network, principal who, clock now, alarm later, clock_step step);
  ~simulated_adversary() override;
  simulated_adversary(const simulated_adversary&) = delete;
  simulated_adversary& operator=(const simulated_adversary&) = delete;

  /// Starts the strategy. `hands` must belong to this world.
  void play(adversary_hands hands, std::unique_ptr<adversary> strategy);
  void tick() { between_->on_tick(); }

  [[nodiscard]] frame_ptr on_leaving(principal to, const frame_ptr& frame) override;
  [[nodiscard]] frame_ptr on_arriving(principal from, const frame_ptr& frame) override;

  [[nodiscard]] moment now() const override { return now_(); }
  void put_on_wire(principal to, const frame_ptr& frame, duration delay) override;
  void take_in(principal from, const frame_ptr& frame) override;
  void step_wall_clock(duration by) override { step_(by); }

 private:
  simulated_network& network_;
  principal who_;
  clock now_;
  alarm later_;
  clock_step step_;
  std::unique_ptr<interposer> between_;
};

}  // namespace hypermesh::testing
