#include "tests/byzantine/strategy.hpp"

#include <algorithm>
#include <array>
#include <deque>

#include "messages/require.hpp"
#include "tests/byzantine/combinators.hpp"

namespace hypermesh::testing {

namespace {

constexpr std::array<std::string_view, 7> role_names = {"primary",  "backup", "view-change", "state-transfer",
                                                        "identity", "client", "encoding"};

void check(const strategy& one) {
  require(one.make != nullptr && one.noticed_by.empty() != one.unobservable.empty(),
          "a strategy is noticed, or it is said why not");
}

std::vector<strategy> join_lists() {
  std::vector<strategy> all;
  for (auto list :
       {equivocation_strategies, primary_strategies, time_strategies, backup_strategies, readmission_strategies,
        flooding_strategies, view_change_strategies, new_view_strategies, state_transfer_strategies,
        identity_strategies, client_strategies, encoding_strategies, vouching_strategies}) {
    for (auto& each : list())
      all.push_back(std::move(each));
  }
  std::ranges::for_each(all, check);
  return all;
}

/// The strategies of hosts. A deque, because pointers to its elements stay valid.
std::deque<strategy>& added_strategies() {
  static std::deque<strategy> added;
  return added;
}

std::vector<std::string_view> split_at(std::string_view text, char sign) {
  std::vector<std::string_view> parts;
  for (auto at = text.find(sign); at != std::string_view::npos; at = text.find(sign)) {
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + 1);
  }
  parts.push_back(text);
  return parts;
}

std::unique_ptr<adversary> make_single(std::string_view name) {
  if (name == honest_play) return std::make_unique<adversary>();
  const auto* found = find_strategy(name);
  return found == nullptr ? nullptr : found->make();
}

std::unique_ptr<adversary> make_at_once(std::string_view names) {
  std::unique_ptr<adversary> all;
  for (const auto name : split_at(names, '+')) {
    auto next = make_single(name);
    if (next == nullptr) return nullptr;
    all = all == nullptr ? std::move(next) : std::make_unique<both_of>(std::move(all), std::move(next));
  }
  return all;
}

}  // namespace

std::string_view to_string(strategy_role role) { return role_names.at(static_cast<std::size_t>(role)); }

const std::vector<strategy>& all_strategies() {
  static const auto all = join_lists();
  return all;
}

const strategy* find_strategy(std::string_view name) {
  const auto& all = all_strategies();
  const auto found = std::ranges::find(all, name, &strategy::name);
  if (found != all.end()) return &*found;
  const auto& added = added_strategies();
  const auto own = std::ranges::find(added, name, &strategy::name);
  return own == added.end() ? nullptr : &*own;
}

void add_strategy(strategy own) {
  check(own);
  require(find_strategy(own.name) == nullptr && own.name != honest_play, "each strategy has its own name");
  added_strategies().push_back(std::move(own));
}

std::unique_ptr<adversary> make_adversary(std::string_view names) {
  std::vector<std::unique_ptr<adversary>> turns;
  for (const auto each : split_at(names, '/')) {
    turns.push_back(make_at_once(each));
    if (turns.back() == nullptr) return nullptr;
  }
  if (turns.size() == 1) return std::move(turns.front());
  return std::make_unique<in_turns>(turn, std::move(turns));
}

std::vector<const strategy*> strategies_in(std::string_view names) {
  std::vector<const strategy*> all;
  for (const auto each : split_at(names, '/')) {
    for (const auto name : split_at(each, '+')) {
      if (name == honest_play) continue;
      const auto* found = find_strategy(name);
      if (found == nullptr) return {};
      all.push_back(found);
    }
  }
  return all;
}

}  // namespace hypermesh::testing
