#include "runtime/node_condition.hpp"

namespace hypermesh::runtime {

void condition_facts::note(const observation& what) {
  if (const auto* progress = std::get_if<replica_progress>(&what)) {
    view = progress->view;
  } else if (const auto* queued = std::get_if<batcher_progress>(&what)) {
    requests_pending = queued->requests_pending;
    is_admitting = queued->is_admitting;
  }
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

void node_condition::on_hurry() {
  change([](auto& facts) { facts.is_hurried = true; });
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
