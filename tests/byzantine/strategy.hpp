#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/byzantine/adversary.hpp"

namespace hypermesh::testing {

/// The part that the strategy's member has.
enum class strategy_role : std::uint8_t { primary, backup, view_change, state_transfer, identity, client, encoding };

[[nodiscard]] std::string_view to_string(strategy_role role);

/// The situation in a run that the strategy needs, and so the members that play it.
enum class strategy_occasion : std::uint8_t {
  /// Any f replicas.
  none,
  /// The players are the primaries of the first views.
  as_primary,
  /// The first primary is suspended; the players are neither it nor its successor.
  view_change,
  /// The same, and the players are its successors.
  new_primary,
  /// The players are the primaries of the first views, and one backup alone prepares a batch: its frames are dropped
  /// from then on, and soon the frames to it as well. When its links return it leads the next view.
  lone_witness,
  /// A replica is cut off until it needs the state; the players give it.
  laggard,
  /// The same over slow links: a missing small part of a state is requested from another donor before it is late.
  slow_laggard,
  /// The player is a client.
  as_client
};

/// A Byzantine behaviour, and the way in which honest members notice it.
struct strategy {
  /// "equivocate-to-halves".
  std::string_view name;
  /// One line.
  std::string_view about;
  strategy_role role = strategy_role::backup;
  strategy_occasion occasion = strategy_occasion::none;
  /// Numbers of the list of attacks.
  std::vector<unsigned> attacks;
  /// The invariants that it tries to break: "I1 I8".
  std::string_view invariants;
  /// Whether it leaves evidence in every run: conflicting signed statements of the member, or one that no honest
  /// member signs. Other strategies may leave evidence in some runs.
  bool provable = false;
  /// Signs, one of which must occur more often at honest replicas than without the strategy. Names of rejections, or
  /// of `notice_tally`. Empty: nothing distinguishes it from ordinary faults, for the reason in `unobservable`.
  std::vector<std::string_view> noticed_by;
  std::string_view unobservable;
  std::unique_ptr<adversary> (*make)() = nullptr;
};

template <class Strategy>
std::unique_ptr<adversary> make_strategy() {
  return std::make_unique<Strategy>();
}

/// All strategies, by role.
[[nodiscard]] const std::vector<strategy>& all_strategies();
/// Null when there is none of that name.
[[nodiscard]] const strategy* find_strategy(std::string_view name);

/// The name of the strategy that lets everything pass; in no list.
inline constexpr std::string_view honest_play = "honest";
/// How long each of several strategies that take turns plays.
inline constexpr microseconds_t turn_us = 400'000;

/// An adversary by its name; or by several: "a+b" are two at once, "a/b" take turns, and + binds closer. Null when a
/// name is none.
[[nodiscard]] std::unique_ptr<adversary> make_adversary(std::string_view names);
/// The single names in it; empty when one is none.
[[nodiscard]] std::vector<const strategy*> strategies_in(std::string_view names);

// The lists of the roles.
[[nodiscard]] std::vector<strategy> equivocation_strategies();
[[nodiscard]] std::vector<strategy> primary_strategies();
[[nodiscard]] std::vector<strategy> backup_strategies();
[[nodiscard]] std::vector<strategy> readmission_strategies();
[[nodiscard]] std::vector<strategy> flooding_strategies();
[[nodiscard]] std::vector<strategy> view_change_strategies();
[[nodiscard]] std::vector<strategy> new_view_strategies();
[[nodiscard]] std::vector<strategy> state_transfer_strategies();
[[nodiscard]] std::vector<strategy> identity_strategies();
[[nodiscard]] std::vector<strategy> client_strategies();
[[nodiscard]] std::vector<strategy> encoding_strategies();

}  // namespace hypermesh::testing
