#include "runtime/node_condition.hpp"

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"

namespace hypermesh::runtime {

void condition_facts::note(const observation& what) {
  if (const auto* progress = std::get_if<replica_progress>(&what)) {
    view = progress->view;
    view_is_active = progress->active;
  } else if (const auto* wrong = std::get_if<divergence_found>(&what)) {
    diverged_at = wrong->sequence;
  } else if (std::holds_alternative<state_was_installed>(what)) {
    diverged_at.reset();
  } else if (const auto* changed = std::get_if<probation_changed>(&what)) {
    probation = changed->over ? std::nullopt : std::optional{*changed};
  } else if (const auto* queued = std::get_if<batcher_progress>(&what)) {
    requests_pending = queued->requests_pending;
    is_admitting = queued->is_admitting;
  }
}

node_health health_of(replica_id self, const condition_facts& facts, const std::optional<std::string>& complaint) {
  node_health health;
  health.running = facts.running;
  health.is_draining = facts.is_draining;
  health.is_live = facts.running.has_value() && !facts.is_stopped;
  auto& reasons = health.reasons;
  if (!facts.running) reasons.push_back("it failed: " + base::visible_text(facts.running.error().what));
  if (facts.is_stopped && facts.running) reasons.emplace_back("it was stopped");
  if (facts.is_draining && !facts.is_stopped) reasons.emplace_back("it is being drained");
  if (complaint) reasons.push_back(base::visible_text(*complaint));
  if (facts.diverged_at) {
    reasons.push_back(
        fmt::format("its state after sequence {} is wrong; it fetches the certified state", facts.diverged_at->value));
  }
  if (facts.probation) {
    reasons.push_back(fmt::format("it lost its disk and votes only above sequence {}, from view {} on",
                                  facts.probation->floor.value, facts.probation->first_view.value));
  }
  if (!facts.view_is_active) reasons.push_back(fmt::format("it waits for view {}", facts.view.value));
  health.is_ready = reasons.empty();
  health.sentence = fmt::format("replica {} is {}", self.value, health.is_ready ? "ready" : "not ready");
  for (const auto& each : reasons)
    health.sentence += (&each == reasons.data() ? ": " : "; ") + each;
  return health;
}

template <class Change>
void node_condition::change(const Change& by) {
  {
    const std::scoped_lock lock{guard_};
    by(facts_);
  }
  changed_.notify_all();
}

void node_condition::on_observation(const observation& what) {
  change([&](auto& facts) { facts.note(what); });
}

bool node_condition::on_failure(const world_error& error) {
  bool is_first = false;
  change([&](auto& facts) {
    is_first = facts.running.has_value();
    if (is_first) facts.running = tl::unexpected(error);
  });
  return is_first;
}

void node_condition::on_draining() {
  change([](auto& facts) { facts.is_draining = true; });
}

void node_condition::on_hurry() {
  change([](auto& facts) { facts.is_hurried = true; });
}

void node_condition::on_stopped() {
  change([](auto& facts) { facts.is_stopped = true; });
}

condition_facts node_condition::facts() const {
  const std::scoped_lock lock{guard_};
  return facts_;
}

bool node_condition::wait_until(std::chrono::steady_clock::time_point deadline,
                                const std::function<bool(const condition_facts&)>& holds) const {
  std::unique_lock lock{guard_};
  return changed_.wait_until(lock, deadline, [&] { return holds(facts_); });
}

}  // namespace hypermesh::runtime
