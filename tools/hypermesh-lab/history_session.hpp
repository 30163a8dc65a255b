#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/simulation/linearizability.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/narrator.hpp"

namespace hypermesh::lab {

struct history_settings {
  std::chrono::milliseconds duration{60'000};
  /// The time from one kill of the primary to the next one. The killed replica returns after a third of it.
  std::chrono::milliseconds kill_interval{12'000};
  /// What replica 3 plays, in the syntax of `make_adversary`.
  std::string strategy = "wrong-replies";
  std::uint32_t clients = 6;
  std::uint64_t seed = 1;
};

struct history_result {
  std::uint64_t seed = 0;
  testing::linearizability_verdict verdict;
  std::size_t unanswered = 0;
  std::size_t refused = 0;
  std::size_t kills = 0;
  /// Whether a gateway has counted results of replica 3 that differ from those of f + 1 others.
  bool found_liar = false;
  /// A reply that no command should get; empty if there was none.
  std::string unexpected;

  [[nodiscard]] bool is_right() const {
    return !verdict.violation && verdict.undecided == 0 && unexpected.empty() && verdict.operations > 0;
  }
};

/// Runs four replicas and two gateways as processes. Replica 3 lies, the primary is killed again and again, and what
/// the clients of both gateways saw is checked. Call this from the main thread, and construct `stop` before any thread.
/// When the function returns, nothing of the cluster is left.
[[nodiscard]] cli::or_run_failure<history_result> run_history(const history_settings& settings,
                                                              cli::interruption& stop);

}  // namespace hypermesh::lab
