#include "tools/hypermesh-lab/demo/operation_rounds.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "messages/require.hpp"

namespace hypermesh::lab {

namespace {

std::string name_in(const std::string& name, std::size_t round) {
  const auto ending = round == 1 ? std::string{} : fmt::format("-{}", round);
  return name.substr(0, machines::scheduler::name_bytes_max - ending.size()) + ending;
}

}  // namespace

operation_rounds::operation_rounds(cli::workload history) : history_(std::move(history)), events_(history_.events) {
  require(!events_.empty(), "a history has an operation");
}

const byte_vector& operation_rounds::next() {
  if (position_ == events_.size()) begin_round();
  return events_[position_++].operation;
}

void operation_rounds::begin_round() {
  std::vector<cli::trace_event> endings;
  cli::cluster_trace again;
  for (const auto& each : history_.trace.tasks) {
    const auto known = name_in(each.spec.name, round_);
    // A task that ended in its history is not known any more, and its end would be refused.
    if (!each.release_time) {
      endings.push_back(
          {0, cli::trace_event_kind::release, 0, machines::scheduler::encode(machines::scheduler::end_task{known})});
    }
    auto task = each;
    task.spec.name = name_in(each.spec.name, round_ + 1);
    again.tasks.push_back(std::move(task));
  }
  ++round_;
  auto arrivals = cli::events_of(again);
  events_ = std::move(endings);
  std::ranges::move(arrivals, std::back_inserter(events_));
  position_ = 0;
  // A history without tasks has nothing to repeat but its machines, which the replicas refuse equally.
  if (events_.empty()) events_ = history_.events;
}

}  // namespace hypermesh::lab
