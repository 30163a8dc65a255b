// An adversary of a host. Runs it in one of four simulated replicas, under 20 seeds, and checks every invariant of the
// product after every step. Usage: own_adversary.
#include <iostream>
#include <string>

#include "tests/byzantine/strategy.hpp"
#include "tests/simulation/adversary_plan.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Votes only for batches of even sequences, and holds back each COMMIT for a random time.
class moody_voter final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    if (const auto* vote = out.as<prepare>()) {
      return vote->vote.content.sequence.value % 2 == 0 ? fate::passes : fate::stopped;
    }
    if (out.as<commit>() == nullptr) return fate::passes;
    hands.send_later(std::chrono::milliseconds{hands.chance().below(200)}, out.peer, out.frame);
    return fate::stopped;
  }
};

}  // namespace

int main() {
  strategy own;
  own.name = "moody-voter";
  own.about = "votes only for even sequences, and late";
  own.invariants = "I1 I11";
  own.unobservable = "lost and late votes look the same";
  own.make = &make_strategy<moody_voter>;
  add_strategy(std::move(own));
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    adversary_options options;
    options.strategies = "moody-voter";
    options.seed = seed;
    const auto report = run_adversaries(options).run;
    if (report.passed()) continue;
    std::cerr << "seed " << seed << ": " << report.failure->invariant << ": " << report.failure->what << '\n';
    for (const auto& line : report.last_events)
      std::cerr << "  " << line << '\n';
    return 1;
  }
  std::cout << "20 seeds passed" << std::endl;
}
