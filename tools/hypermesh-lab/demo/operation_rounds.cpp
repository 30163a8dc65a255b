#include "tools/hypermesh-lab/demo/operation_rounds.hpp"

#include <iterator>

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
  note_running();
}

const byte_vector& operation_rounds::next() {
  if (position_ == events_.size()) begin_round();
  return events_[position_++].operation;
}

void operation_rounds::note_running() {
  running_.clear();
  for (const auto& each : events_) {
    if (each.kind == cli::trace_event_kind::submit) running_.insert(each.subject);
    // A task that ended is not known any more, and a second end would be refused.
    if (each.kind == cli::trace_event_kind::release || each.kind == cli::trace_event_kind::late_release)
      running_.erase(each.subject);
  }
}

void operation_rounds::begin_round() {
  std::vector<cli::trace_event> endings;
  for (const auto subject : running_) {
    const auto known = name_in(history_.trace.tasks[subject].spec.name, round_);
    endings.push_back({0, cli::trace_event_kind::release, subject,
                       machines::scheduler::encode(machines::scheduler::end_task{known})});
  }
  ++round_;
  cli::cluster_trace again;
  again.tasks = history_.trace.tasks;
  for (auto& each : again.tasks)
    each.spec.name = name_in(each.spec.name, round_);
  events_ = cli::events_of(again);
  note_running();
  events_.insert(events_.begin(), std::make_move_iterator(endings.begin()), std::make_move_iterator(endings.end()));
  position_ = 0;
  // A history without tasks has nothing to repeat but its machines, which the replicas refuse equally.
  if (events_.empty()) events_ = history_.events;
}

}  // namespace hypermesh::lab
