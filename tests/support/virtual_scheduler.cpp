#include "tests/support/virtual_scheduler.hpp"

#include <algorithm>
#include <utility>

#include <caf/init_global_meta_objects.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "messages/require.hpp"

namespace hypermesh::testing {

namespace {

/// The clock begins at this time and not at zero, because CAF takes a time point of zero for "none" in some places.
constexpr duration origin = 1ms;

moment moment_of(caf::actor_clock::time_point when) {
  return moment{std::chrono::ceil<duration>(when.time_since_epoch() - origin)};
}

}  // namespace

virtual_scheduler::virtual_scheduler() : config_(std::make_unique<caf::actor_system_config>()) {
  config_->set("scheduler.policy", caf::atom("testing"));
  system_ = std::make_unique<caf::actor_system>(*config_);
  coordinator_ = dynamic_cast<caf::scheduler::test_coordinator*>(&system_->scheduler());
  require(coordinator_ != nullptr, "the testing policy has the test coordinator");
  coordinator_->clock().current_time = caf::actor_clock::time_point{origin};
}

virtual_scheduler::~virtual_scheduler() { run_all(); }

std::size_t virtual_scheduler::jobs() const { return coordinator_->jobs.size(); }

caf::actor_id virtual_scheduler::actor_of(std::size_t index) const {
  const auto* actor = dynamic_cast<const caf::abstract_actor*>(coordinator_->jobs.at(index));
  require(actor != nullptr, "the jobs of the test coordinator are actors");
  return actor->id();
}

void virtual_scheduler::run_job(std::size_t index) {
  auto& jobs = coordinator_->jobs;
  require(index < jobs.size(), "a job that runs is there");
  if (index != 0) std::swap(jobs.front(), jobs[index]);
  coordinator_->run_once();
}

void virtual_scheduler::run_next() {
  auto& waiting = coordinator_->jobs;
  require(!waiting.empty(), "a job that runs is there");
  const auto* served = waiting.front();
  coordinator_->run_once();
  // If the actor has more messages, it returns to the front. Moving it to the end lets the other actors run first.
  if (waiting.size() > 1 && waiting.front() == served) std::rotate(waiting.begin(), waiting.begin() + 1, waiting.end());
}

void virtual_scheduler::run_all() {
  while (jobs() > 0)
    run_next();
}

moment virtual_scheduler::now() const { return moment_of(coordinator_->clock().now()); }

std::optional<moment> virtual_scheduler::next_timer() const {
  const auto& schedule = coordinator_->clock().schedule();
  if (schedule.empty()) return std::nullopt;
  return moment_of(schedule.begin()->first);
}

void virtual_scheduler::advance_to(moment time) {
  require(time >= now(), "time does not run backwards");
  if (time > now()) coordinator_->advance_time(time - now());
  for (auto due = next_timer(); due && *due <= now(); due = next_timer())
    coordinator_->trigger_timeout();
}

}  // namespace hypermesh::testing
