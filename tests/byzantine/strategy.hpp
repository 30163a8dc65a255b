#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/byzantine/adversary.hpp"

namespace hypermesh::testing {

/// The role that the member of the strategy has.
enum class strategy_role : std::uint8_t { primary, backup, view_change, state_transfer, identity, client, encoding };

[[nodiscard]] std::string_view to_string(strategy_role role);

/// The situation that the strategy needs in a run. It also decides which members run the strategy.
enum class strategy_occasion : std::uint8_t {
  /// No special situation. Any f replicas run the strategy.
  none,
  /// The primaries of the first views run the strategy.
  as_primary,
  /// The first primary is suspended. The strategy runs at neither this primary nor its successor.
  view_change,
  /// The first primary is suspended. The strategy runs at its successors.
  new_primary,
  /// The strategy runs at the primaries of the first views. One backup alone prepares a batch: first its outgoing
  /// frames are dropped, and soon afterwards the incoming frames too. When its links return, this backup leads the next
  /// view.
  lone_witness,
  /// A replica is cut off until it needs the state. The members with the strategy are its donors.
  laggard,
  /// As in `laggard`, but over slow links. The fetcher asks another donor for a small missing part before the part is
  /// late.
  slow_laggard,
  /// The strategy runs at a client.
  as_client
};

/// A Byzantine behaviour, and the signs by which correct members notice it.
struct strategy {
  /// The name on the command line, for example "equivocate-to-halves".
  std::string_view name;
  /// A description in one line.
  std::string_view about;
  strategy_role role = strategy_role::backup;
  strategy_occasion occasion = strategy_occasion::none;
  /// The numbers of the attacks in THREATS.md.
  std::vector<unsigned> attacks;
  /// The invariants that the strategy tries to break, for example "I1 I8".
  std::string_view invariants;
  /// Whether the strategy leaves evidence in every run. Evidence is two conflicting signed statements of the member, or
  /// one statement that no correct member signs. Other strategies may leave evidence in some runs.
  bool provable = false;
  /// At least one of these signs must occur more often at correct replicas than without the strategy. A sign is the
  /// name of a rejection, or a name of `notice_tally`. If the list is empty, the strategy looks like ordinary faults,
  /// for the reason in `unobservable`.
  std::vector<std::string_view> noticed_by;
  std::string_view unobservable;
  std::unique_ptr<adversary> (*make)() = nullptr;
  /// Whether the clients of the run do not sign their requests.
  bool without_signatures = false;
};

template <class Strategy>
std::unique_ptr<adversary> make_strategy() {
  return std::make_unique<Strategy>();
}

/// All strategies: the lists below, one after the other.
[[nodiscard]] const std::vector<strategy>& all_strategies();
/// Returns null when there is no strategy of that name.
[[nodiscard]] const strategy* find_strategy(std::string_view name);

/// Makes a strategy of a host known by its name, so that plans, worlds and scripts can use it. It is not in
/// `all_strategies`. The text that `own` refers to must live as long as the process. Call it before other threads use
/// strategies.
void add_strategy(strategy own);

/// The name of the strategy that passes every frame unchanged. It is not in the lists.
inline constexpr std::string_view honest_play = "honest";
/// The length of a turn when several strategies take turns.
inline constexpr duration turn = 400ms;

/// Makes an adversary by its name. Names may be combined: "a+b" runs two strategies at once, "a/b" runs them in turns,
/// and + binds closer than /. Returns null when a name is unknown.
[[nodiscard]] std::unique_ptr<adversary> make_adversary(std::string_view names);
/// The single strategies in `names`; empty when a name is unknown.
[[nodiscard]] std::vector<const strategy*> strategies_in(std::string_view names);

// The strategies of each role.
[[nodiscard]] std::vector<strategy> equivocation_strategies();
[[nodiscard]] std::vector<strategy> primary_strategies();
[[nodiscard]] std::vector<strategy> time_strategies();
[[nodiscard]] std::vector<strategy> backup_strategies();
[[nodiscard]] std::vector<strategy> readmission_strategies();
[[nodiscard]] std::vector<strategy> flooding_strategies();
[[nodiscard]] std::vector<strategy> view_change_strategies();
[[nodiscard]] std::vector<strategy> new_view_strategies();
[[nodiscard]] std::vector<strategy> state_transfer_strategies();
[[nodiscard]] std::vector<strategy> identity_strategies();
[[nodiscard]] std::vector<strategy> client_strategies();
[[nodiscard]] std::vector<strategy> encoding_strategies();
[[nodiscard]] std::vector<strategy> vouching_strategies();

}  // namespace hypermesh::testing
