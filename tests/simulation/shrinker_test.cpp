#include <doctest/doctest.h>

#include <algorithm>

#include "tests/simulation/operation_text.hpp"
#include "tests/simulation/shrinker.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

byte_vector operation(std::string_view words) { return *operation_of(split_words(words)); }

bool has_operation(const run_plan& plan, std::string_view words) {
  return std::ranges::find(plan.operations, operation(words), &planned_operation::operation) != plan.operations.end();
}

template <class Kind>
bool has_fault(const std::vector<planned_fault>& faults) {
  return std::ranges::any_of(faults, [](const planned_fault& each) { return std::holds_alternative<Kind>(each.what); });
}

run_report failed(std::string invariant) {
  run_report report;
  report.failure = violation{std::move(invariant), "planted"};
  report.virtual_time = 60s;
  return report;
}

/// The plan of a seed with two additional operations that the shrinker has to find.
run_plan marked_plan(std::uint64_t seed, fault_profile profile = fault_profile::everything) {
  auto plan = make_plan({seed, 4, 80, profile});
  for (const auto& [place, words] : {std::pair{20, "put planted 1"}, {60, "put planted 2"}}) {
    auto& planted = plan.operations[static_cast<std::size_t>(place)];
    planted = {planted.when, planted.client, operation(words)};
  }
  return plan;
}

/// Breaks the invariant "planted" when a replica commits `put planted 2` after `put planted 1` while `is_wrong` is
/// true.
class planted_fault {
 public:
  explicit planted_fault(std::function<bool(const run_moment&)> is_wrong) : is_wrong_(std::move(is_wrong)) {}

  run_report operator()(const run_plan& plan) const {
    bool seen_first = false;
    return run_simulation(plan, {}, [&](const run_moment& moment) -> std::optional<violation> {
      const auto* committed = std::get_if<slot_committed>(&moment.what);
      if (committed == nullptr) return std::nullopt;
      seen_first = seen_first || orders(*committed, "put planted 1");
      if (!seen_first || !orders(*committed, "put planted 2") || !is_wrong_(moment)) return std::nullopt;
      return violation{"planted", "the second one is committed"};
    });
  }

 private:
  static bool orders(const slot_committed& committed, std::string_view words) {
    const auto wanted = operation(words);
    return std::ranges::any_of(committed.content.body->requests, [&](const request& each) {
      for (std::size_t index = 0; index < each.operation_count(); ++index) {
        if (std::ranges::equal(each.operation(index), wanted)) return true;
      }
      return false;
    });
  }

  std::function<bool(const run_moment&)> is_wrong_;
};

}  // namespace

TEST_CASE("a plan that does not fail is not shrunk") {
  CHECK_FALSE(shrink(marked_plan(1), [](const run_plan&) { return run_report{}; }).has_value());
}

TEST_CASE("a shrunk plan contains only what the failure needs") {
  const auto run = [](const run_plan& plan) {
    const bool fails = has_operation(plan, "put planted 1") && has_operation(plan, "put planted 2") &&
                       has_fault<frame_loss>(plan.faults) && plan.settings.pipeline_depth >= 2;
    return fails ? failed("I1") : run_report{};
  };
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    auto plan = marked_plan(seed);
    plan.settings.pipeline_depth = 4;
    const auto shrunken = shrink(plan, run);
    CAPTURE(seed);
    REQUIRE(shrunken.has_value());
    CHECK(shrunken->finished);
    CHECK(shrunken->plan.operations.size() == 2);
    CHECK(shrunken->plan.faults.size() == 1);
    CHECK(std::get<frame_loss>(shrunken->plan.faults[0].what).permille == 1);
    CHECK(shrunken->plan.settings.clients == 1);
    CHECK(shrunken->plan.settings.pipeline_depth == 4);
    CHECK(shrunken->plan.heals_at < moment{5ms});
  }
}

TEST_CASE("a violation of another invariant does not count as the failure") {
  const auto run = [](const run_plan& plan) {
    const bool first = has_operation(plan, "put planted 1");
    if (first && has_operation(plan, "put planted 2")) return failed("I1");
    return first || plan.operations.empty() ? failed("I2") : run_report{};
  };
  const auto shrunken = shrink(marked_plan(1), run);
  REQUIRE(shrunken.has_value());
  CHECK(shrunken->report.failure->invariant == "I1");
  CHECK(shrunken->plan.operations.size() == 2);
}

TEST_CASE("shrinking ends with its budget and returns the smallest plan so far") {
  std::size_t runs = 0;
  const auto run = [&](const run_plan& plan) {
    ++runs;
    return has_operation(plan, "put planted 1") ? failed("I1") : run_report{};
  };
  std::size_t told = 0;
  const auto plan = marked_plan(1);
  const auto shrunken = shrink(plan, run, {15, 3}, [&](const shrink_progress& progress) { told = progress.runs; });
  REQUIRE(shrunken.has_value());
  CHECK(runs == 15);
  CHECK(told == 15);
  CHECK(shrunken->runs == 15);
  CHECK_FALSE(shrunken->finished);
  CHECK(has_operation(shrunken->plan, "put planted 1"));
  CHECK(shrunken->plan.operations.size() < plan.operations.size());
}

TEST_CASE("a failure of two operations during a partition shrinks to little more than these") {
  const planted_fault run{[](const run_moment& moment) { return has_fault<link_partition>(moment.active_faults); }};
  std::size_t found = 0;
  std::size_t longer = 0;
  for (std::uint64_t seed = 1; seed <= 40 && found < 4; ++seed) {
    CAPTURE(seed);
    const auto shrunken = shrink(marked_plan(seed, fault_profile::partitioned), run, {800, 2});
    if (!shrunken) continue;
    ++found;
    CAPTURE(text_of(shrunken->plan));
    CHECK(shrunken->report.failure->invariant == "planted");
    // The plan may need a third operation that keeps a client busy until the partition has begun.
    const auto more = shrunken->plan.operations.size() - 2;
    CHECK(more <= 1);
    longer += more;
    CHECK(has_fault<link_partition>(shrunken->plan.faults));
    // The plan may need one more operation. It begins before the partition but is committed in it, because frames take
    // long.
    const auto rest = shrunken->plan.faults.size() - 1;
    CHECK(rest <= 1);
    CHECK(rest == (has_fault<link_delay>(shrunken->plan.faults) ? 1 : 0));
    CHECK(shrunken->plan.settings == plan_settings{});
    CHECK(run(*plan_of(text_of(shrunken->plan))).event_hash == shrunken->report.event_hash);
  }
  CHECK(found == 4);
  CHECK(longer <= 1);
}

TEST_CASE("a failure that needs a paused actor keeps the pause") {
  const planted_fault run{[](const run_moment& moment) { return has_fault<actor_pause>(moment.active_faults); }};
  const auto shrunken = shrink(marked_plan(3, fault_profile::pausing), run, {800, 2});
  REQUIRE(shrunken.has_value());
  CHECK(shrunken->plan.operations.size() == 2);
  CHECK(shrunken->plan.faults.size() == 1);
  CHECK(has_fault<actor_pause>(shrunken->plan.faults));
}
