#include "tests/simulation/shrinker.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::testing {

namespace {

/// Makes the plan consistent after an edit: faults end when the network heals, and they are possible in the cluster.
/// Operations of removed clients are given to another client.
run_plan fitted(run_plan plan) {
  const auto cluster = world_of(plan).cluster;
  const auto processes = processes_of(plan.settings);
  for (auto& each : plan.faults)
    each.end = std::min(each.end, plan.heals_at);
  std::erase_if(plan.faults, [&](const planned_fault& each) { return !is_possible(each, cluster); });
  for (auto& each : plan.operations)
    each.client.value %= processes;
  return plan;
}

class shrinker {
 public:
  shrinker(const run_plan& plan, const plan_runner& run, const shrink_settings& settings,
           const std::function<void(const shrink_progress&)>& progress)
      : run_(run), settings_(settings), progress_(progress) {
    result_.plan = plan;
  }

  std::optional<shrink_result> shrink() {
    require(settings_.schedules >= 1, "each plan is run");
    result_.report = run(result_.plan);
    if (result_.report.passed()) return std::nullopt;
    forget_the_rest();
    bool helped = true;
    while (helped && has_budget()) {
      while (helped && has_budget())
        helped = take_away();
      // Softening comes last, because a fault of the shortest possible length makes the plan fail in only one order of
      // events.
      helped = has_budget() && soften();
    }
    result_.finished = !helped && has_budget();
    return std::move(result_);
  }

 private:
  [[nodiscard]] bool has_budget() const { return result_.runs < settings_.runs_max; }

  run_report run(const run_plan& plan) {
    ++result_.runs;
    auto report = run_(plan);
    if (progress_) progress_({result_.runs, settings_.runs_max, what_, result_.plan});
    return report;
  }

  /// Adopts `candidate` as the plan if it fails in the same way under at least one of some schedules.
  bool try_plan(run_plan candidate) {
    candidate = fitted(std::move(candidate));
    if (candidate == result_.plan || !check(candidate)) return false;
    const auto scheduling_seed = candidate.scheduling_seed;
    for (std::size_t schedule = 0; schedule < settings_.schedules && has_budget(); ++schedule) {
      candidate.scheduling_seed = scheduling_seed + schedule;
      auto report = run(candidate);
      if (report.passed() || report.failure->invariant != result_.report.failure->invariant) continue;
      result_.plan = std::move(candidate);
      result_.report = std::move(report);
      return true;
    }
    return false;
  }

  /// Applies `edit` to the plan and tries the result.
  template <class Edit>
  bool try_edit(Edit edit) {
    auto candidate = result_.plan;
    edit(candidate);
    return try_plan(std::move(candidate));
  }

  /// Removes parts of a list of the plan: halves, then smaller and smaller parts, down to single items. Returns whether
  /// the plan became smaller.
  template <class Item>
  bool reduce(std::vector<Item> run_plan::*list) {
    bool helped = false;
    for (auto size = (result_.plan.*list).size(); size >= 1; size /= 2) {
      // The loop begins at the end, because later items depend on earlier items more often than the other way round.
      for (auto end = (result_.plan.*list).size(); end > 0 && has_budget();) {
        const auto begin = end - std::min(end, size);
        if (try_edit([&](run_plan& plan) {
              auto& items = plan.*list;
              items.erase(items.begin() + static_cast<std::ptrdiff_t>(begin),
                          items.begin() + static_cast<std::ptrdiff_t>(end));
            })) {
          helped = true;
        }
        // An edit may remove more items than it names, so the end is limited to the present size of the list.
        end = std::min(begin, (result_.plan.*list).size());
      }
    }
    return helped;
  }

  bool take_away() {
    what_ = "faults";
    bool helped = reduce(&run_plan::faults);
    what_ = "operations";
    helped = reduce(&run_plan::operations) || helped;
    return make_plain() || helped;
  }

  bool soften() {
    bool helped = heal_earlier();
    helped = weaken_faults() || helped;
    return begin_earlier() || helped;
  }

  bool weaken_faults() {
    what_ = "weaker faults";
    bool helped = false;
    for (std::size_t index = 0; index < result_.plan.faults.size(); ++index) {
      bool again = true;
      while (again && index < result_.plan.faults.size() && has_budget()) {
        const auto candidates = weaker(result_.plan.faults[index]);
        again = std::ranges::any_of(candidates, [&](const planned_fault& each) {
          return try_edit([&](run_plan& plan) { plan.faults[index] = each; });
        });
        helped = helped || again;
      }
    }
    return helped;
  }

  bool heal_earlier() {
    what_ = "earlier healing";
    moment last;
    for (const auto& each : result_.plan.faults)
      last = std::max(last, each.end);
    bool helped = try_edit([&](run_plan& plan) { plan.heals_at = last; });
    while (has_budget() &&
           try_edit([](run_plan& plan) { plan.heals_at = moment{plan.heals_at.time_since_epoch() / 2}; }))
      helped = true;
    return helped;
  }

  /// Removes the time before the first planned item. Returns whether the plan still fails.
  bool begin_earlier() {
    what_ = "earlier beginning";
    return try_edit([](run_plan& plan) {
      auto first = plan.heals_at;
      for (const auto& each : plan.operations)
        first = std::min(first, each.when);
      for (const auto& each : plan.faults)
        first = std::min(first, each.begin == moment{} ? each.end - 1us : each.begin);
      const auto idle = first - moment{};
      for (auto& each : plan.operations)
        each.when -= idle;
      for (auto& each : plan.faults) {
        each.begin -= std::min(each.begin - moment{}, idle);
        each.end -= idle;
      }
      plan.heals_at -= idle;
    });
  }

  bool make_plain() {
    what_ = "plain settings";
    const plan_settings plain;
    bool helped = false;
    const auto attempt = [&](std::uint64_t plan_settings::*member, std::uint64_t value) {
      helped = (has_budget() && try_edit([&](run_plan& plan) { plan.settings.*member = value; })) || helped;
    };
    for (const auto& row : setting_rows)
      attempt(row.member, plain.*row.member);
    // If the plan does not fail with the plain value, it may still fail with a value halfway between the plain and the
    // present one.
    for (const auto member : {&plan_settings::clients, &plan_settings::replicas}) {
      const auto now = result_.plan.settings.*member;
      if (now > plain.*member) attempt(member, plain.*member + (now - plain.*member) / 2);
    }
    return helped;
  }

  /// Removes items that begin after the failure, because they did not contribute to it. Faults that last beyond the
  /// failure keep their length, because a later removal may delay the failure.
  void forget_the_rest() {
    what_ = "what comes after the failure";
    try_edit([end = moment{result_.report.virtual_time}](run_plan& plan) {
      std::erase_if(plan.operations, [&](const planned_operation& each) { return each.when > end; });
      std::erase_if(plan.faults, [&](const planned_fault& each) { return each.begin > end; });
    });
  }

  const plan_runner& run_;
  shrink_settings settings_;
  const std::function<void(const shrink_progress&)>& progress_;
  std::string_view what_ = "nothing";
  shrink_result result_;
};

}  // namespace

std::optional<shrink_result> shrink(const run_plan& plan, const plan_runner& run, const shrink_settings& settings,
                                    const std::function<void(const shrink_progress&)>& progress) {
  return shrinker{plan, run, settings, progress}.shrink();
}

}  // namespace hypermesh::testing
