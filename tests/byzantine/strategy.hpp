#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/byzantine/adversary.hpp"

namespace hypermesh::testing {

/// Whose part a strategy plays.
enum class strategy_role : std::uint8_t { primary, backup, view_change, state_transfer, identity, client, encoding };

[[nodiscard]] std::string_view to_string(strategy_role role);

/// What has to happen in a run so that the strategy can act, and so where its players are.
enum class strategy_occasion : std::uint8_t {
  /// Any f replicas.
  none,
  /// The players are the primaries of the first views.
  as_primary,
  /// The first primary is suspended; the players are neither it nor its successor.
  view_change,
  /// The same, and the players are its successors.
  new_primary,
  /// The players are the primaries of the first views, and one backup prepares what no other does: nobody hears it
  /// any more, and soon it hears nobody. When it comes back the next view is its own.
  lone_witness,
  /// A replica is cut off until it needs the state; the players give it.
  laggard,
  /// The same over slow links: nobody misses a small part of a state before it is asked of somebody else.
  slow_laggard,
  /// The player is a client.
  as_client
};

/// A way of being Byzantine, and how the honest members come to notice it.
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
  /// Whether it leaves in every run what convicts it: signed statements of the member that exclude each other, or one
  /// that no honest member signs. Others may, as it comes.
  bool provable = false;
  /// What must happen more often at honest replicas than without it; one of these is enough. Names of rejections, or
  /// of `notice_tally`. Empty: nothing tells it from bad luck, because of `unobservable`.
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
