#include "tests/simulation/adversary_plan.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "actors/protocol/base/quorum.hpp"
#include "actors/protocol/views/view_change_settings.hpp"
#include "messages/require.hpp"
#include "runtime/state_machines/key_value_operations.hpp"
#include "tests/byzantine/strategy.hpp"
#include "tests/support/time_draws.hpp"

namespace hypermesh::testing {

namespace {

/// The number of this attack in THREATS.md.
constexpr unsigned needless_view_change = 32;

constexpr moment chaos_ends{6s};
/// The time is long enough for several checkpoints before the occasion.
constexpr moment occasion_begins{1s};
constexpr moment suspended_until{3'500ms};
constexpr moment cut_off_until{3s};

strategy_occasion occasion_of(const std::vector<const strategy*>& played) {
  for (const auto* each : played) {
    if (each->occasion != strategy_occasion::none) return each->occasion;
  }
  return strategy_occasion::none;
}

/// Sets up a state of many chunks, small windows, and operations during the whole run.
void prepare(run_plan& plan, const adversary_options& options) {
  auto& settings = plan.settings;
  settings.clients = std::max<std::uint64_t>(settings.clients, 3);
  settings.processes_per_client = 1;
  settings.checkpoint_period = 4;
  settings.watermark_window = 8 * (1 + options.seed % 2);
  settings.requests_per_batch_max = options.seed % 3 == 0 ? 4 : 1;
  settings.bundle_operations_max = 1;
  settings.leaf_bytes = 64;
  const auto played = strategies_in(options.strategies);
  settings.authenticators = std::ranges::any_of(played, &strategy::without_signatures) ? 1 : 0;
  plan.heals_at = chaos_ends;
  plan.profile = fault_profile::calm;
  splitmix64 chance{options.seed};
  plan.operations =
      draw_workload(options.operations, static_cast<std::uint32_t>(settings.clients), plan.heals_at, chance);
  // For every seed, these operations are committed before the occasion begins.
  const auto operation = key_value::encode(key_value::increment{as_byte_span("early"), 1});
  std::vector<planned_operation> early;
  for (std::uint32_t number = 0; number < 12; ++number) {
    const client_id client{static_cast<std::uint32_t>(number % settings.clients)};
    early.push_back({moment{50ms * (1 + number)}, client, operation});
  }
  plan.operations.insert(plan.operations.begin(), early.begin(), early.end());
  std::ranges::stable_sort(plan.operations, {}, &planned_operation::when);
}

std::vector<principal> players_of(const run_plan& plan, strategy_occasion occasion, std::uint64_t seed) {
  const auto replicas = static_cast<std::uint32_t>(plan.settings.replicas);
  const auto faulty = group_size{replicas}.faulty_max();
  if (occasion == strategy_occasion::as_client) {
    return {principal::of(client_id{static_cast<std::uint32_t>(plan.settings.clients - 1)})};
  }
  std::uint32_t first = 0;
  if (occasion == strategy_occasion::none) first = static_cast<std::uint32_t>(seed % replicas);
  if (occasion == strategy_occasion::view_change) first = 2;
  if (occasion == strategy_occasion::new_primary) first = 1;
  std::vector<principal> players;
  for (std::uint32_t number = 0; number < faulty; ++number)
    players.push_back(principal::of(replica_id{(first + number) % replicas}));
  return players;
}

/// One backup receives the batch of its half and the PREPAREs for this batch, while its own frames are dropped; then it
/// is cut off. The others commit another batch at the same sequence, in the next view of a correct primary. This
/// primary is suspended, so that they change to the view of the witness, whose certificate is older than theirs (attack
/// 10).
void add_lone_witness(run_plan& plan, std::uint64_t seed) {
  const auto replicas = static_cast<std::uint32_t>(plan.settings.replicas);
  const replica_id witness{replicas / 2};
  splitmix64 chance{seed};
  const auto deaf_at = occasion_begins + 50ms + draw_below(chance, 110ms);
  const auto back_at = occasion_begins + 2'600ms + draw_below(chance, 1'200ms);
  // The suspension begins before a checkpoint covers the sequence that the witness has prepared.
  const auto left_at = occasion_begins + 200ms + draw_below(chance, 200ms);
  std::set<endpoint> others;
  for (std::uint32_t number = 0; number < replicas; ++number) {
    if (number != witness.value) others.insert(principal::of(replica_id{number}));
  }
  plan.faults.push_back({moment{}, chaos_ends, link_delay{10ms, 30ms}});
  plan.faults.push_back({occasion_begins - 100ms, back_at, link_break{{principal::of(witness)}, others}});
  plan.faults.push_back({deaf_at, back_at, link_break{others, {principal::of(witness)}}});
  plan.faults.push_back({left_at, chaos_ends - 500ms, node_pause{replica_id{witness.value - 1}}});
  const auto operation = key_value::encode(key_value::increment{as_byte_span("witnessed"), 1});
  for (std::uint32_t number = 0; number < 3; ++number)
    plan.operations.push_back({occasion_begins + 1ms, client_id{number}, operation});
  std::ranges::stable_sort(plan.operations, {}, &planned_operation::when);
}

void add_occasion(run_plan& plan, strategy_occasion occasion, std::uint64_t seed) {
  if (occasion == strategy_occasion::lone_witness) return add_lone_witness(plan, seed);
  if (occasion == strategy_occasion::view_change || occasion == strategy_occasion::new_primary) {
    plan.faults.push_back({occasion_begins, suspended_until, node_pause{replica_id{0}}});
  } else if (occasion == strategy_occasion::laggard || occasion == strategy_occasion::slow_laggard) {
    const replica_id last{static_cast<std::uint32_t>(plan.settings.replicas - 1)};
    plan.faults.push_back({occasion_begins, cut_off_until, link_partition{{principal::of(last)}}});
  }
}

adversary_end end_of(const adversary_options& options, strategy_occasion occasion) {
  // If a client flooded small windows until the end of the run, the replicas would rarely be at the same sequence
  // number.
  const bool stays = options.seed % 2 == 0 && occasion != strategy_occasion::as_client;
  return stays ? adversary_end::stays : adversary_end::leaves;
}

/// The plan of the seed, in which the adversaries replace the faults that would make other replicas faulty.
run_plan plan_under(const adversary_options& options, strategy_occasion occasion) {
  auto plan = make_plan({options.seed, options.replicas, options.operations, options.under});
  std::erase_if(plan.faults, [](const planned_fault& each) { return !spoiled_by({each}).empty(); });
  const auto where = occasion == strategy_occasion::as_client ? occasion : strategy_occasion::none;
  for (const auto who : players_of(plan, where, options.seed))
    plan.faults.push_back(
        {moment{}, plan.heals_at, adversarial_play{who, {options.strategies}, end_of(options, occasion)}});
  return plan;
}

run_plan plan_with(const adversary_options& options, const strategy_names& plays) {
  const auto played = strategies_in(options.strategies);
  require(!played.empty(), "an adversary plays strategies that there are");
  if (options.under != fault_profile::calm) return plan_under(options, occasion_of(played));
  auto plan = make_plan({options.seed, options.replicas, options.operations, fault_profile::calm});
  plan.faults.clear();
  prepare(plan, options);
  const auto occasion = occasion_of(played);
  const bool is_slow = occasion == strategy_occasion::slow_laggard;
  plan.faults.push_back({moment{}, chaos_ends, is_slow ? link_delay{40ms, 90ms} : link_delay{100us, 3ms}});
  add_occasion(plan, occasion, options.seed);
  // A primary that is convicted before the occasion would not lead any more, so the strategy begins with the occasion.
  const auto begin = occasion == strategy_occasion::lone_witness ? occasion_begins : moment{};
  for (const auto who : players_of(plan, occasion, options.seed))
    plan.faults.push_back({begin, chaos_ends, adversarial_play{who, plays, end_of(options, occasion)}});
  return plan;
}

/// If a primary is suspended or a replica is cut off in addition to f faulty replicas, nothing can be ordered for a
/// while.
bool leaves_a_quorum(strategy_occasion occasion) {
  using enum strategy_occasion;
  return occasion == none || occasion == as_primary || occasion == as_client;
}

/// The longest time of a trial when `players` may lead one after the other. Evidence of a provable strategy is found
/// against all of them at once. If a player with bad service is proven faulty only by chance, another primary must
/// order the case, so the player must be suspected first. This takes a few time-outs for each player, because it has to
/// be slow twice.
duration trial_bound(bool is_provable, std::size_t players) {
  const auto others = is_provable ? 0 : players - 1;
  return trial_max + others * 4 * view_change_settings{}.request_timeout;
}

bool is_convicted(const std::vector<const strategy*>& played, std::size_t players, const notice_tally& noticed) {
  const auto is_provable = std::ranges::any_of(played, [](const strategy* each) { return each->provable; });
  if (noticed.has_open_trial()) return false;
  const auto longest = noticed.longest_trial();
  if (is_provable && !longest) return false;
  return !longest || *longest <= trial_bound(is_provable, players) || !leaves_a_quorum(occasion_of(played));
}

}  // namespace

run_plan make_adversary_plan(const adversary_options& options) { return plan_with(options, {options.strategies}); }

adversary_report run_adversaries(const adversary_options& options, event_log::line_sink trace) {
  adversary_report report{run_simulation(make_adversary_plan(options), std::move(trace))};
  report.run.options = {options.seed, options.replicas, options.operations, options.under};
  // Under other faults, correct replicas may show the same signs.
  if (options.under != fault_profile::calm) return report;
  const auto played = strategies_in(options.strategies);
  report.convicted = is_convicted(played, group_size{options.replicas}.faulty_max(), report.run.noticed);
  const bool is_of_needless_changes = std::ranges::all_of(played, [](const strategy* each) {
    return each->role == strategy_role::client && std::ranges::count(each->attacks, needless_view_change) > 0;
  });
  report.clients_blame_nobody =
      !is_of_needless_changes || report.run.noticed.count_of(notice_tally::honest_suspected) == 0;
  const auto seen = std::ranges::find_if(played, [](const strategy* each) { return !each->noticed_by.empty(); });
  if (seen == played.end() || !report.run.passed()) return report;
  notice_tally without;
  if (needs_comparison(**seen)) {
    without = run_simulation(plan_with(options, {std::string{honest_play}})).noticed;
  }
  report.noticed = is_noticed(**seen, report.run.noticed, without);
  return report;
}

std::string replay_command(const adversary_options& options) {
  const auto under =
      options.under == fault_profile::calm ? std::string{} : fmt::format(" --under {}", to_string(options.under));
  return fmt::format("hypermesh-lab sim --strategies {} --seed {} --replicas {} --operations {}{}", options.strategies,
                     options.seed, options.replicas, options.operations, under);
}

}  // namespace hypermesh::testing
