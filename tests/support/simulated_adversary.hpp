#pragma once

#include <functional>

#include "tests/byzantine/interposer.hpp"
#include "tests/support/simulated_network.hpp"

namespace hypermesh::testing {

/// An adversary's place in a simulated world: at one machine, for as long as it lives.
class simulated_adversary final : public frame_meddler, public adversary_world {
 public:
  /// Gives the virtual time; makes something happen later.
  using clock = std::function<microseconds_t()>;
  using alarm = std::function<void(microseconds_t delay_us, std::function<void()> what)>;

  /// Both outlive the adversary, and so does the network.
  simulated_adversary(simulated_network& network, principal who, clock now, alarm later);
  ~simulated_adversary() override;
  simulated_adversary(const simulated_adversary&) = delete;
  simulated_adversary& operator=(const simulated_adversary&) = delete;

  /// Begins; `hands` are of this world.
  void play(adversary_hands hands, std::unique_ptr<adversary> strategy);
  void tick() { between_->on_tick(); }

  [[nodiscard]] frame_ptr on_leaving(principal to, const frame_ptr& frame) override;
  [[nodiscard]] frame_ptr on_arriving(principal from, const frame_ptr& frame) override;

  [[nodiscard]] microseconds_t now() const override { return now_(); }
  void put_on_wire(principal to, const frame_ptr& frame, microseconds_t delay_us) override;
  void take_in(principal from, const frame_ptr& frame) override;

 private:
  simulated_network& network_;
  principal who_;
  clock now_;
  alarm later_;
  std::unique_ptr<interposer> between_;
};

}  // namespace hypermesh::testing
