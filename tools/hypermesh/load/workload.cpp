#include "tools/hypermesh/load/workload.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/state_machines/resource_scheduler.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

/// A trace with enough tasks for `operations` events, because each task is submitted, placed and mostly released. As in
/// the real trace, there is about one machine for sixteen operations, so placing costs as much as there. But there are
/// not more machines than a short workload can fill.
cluster_trace made_up_trace(std::uint64_t seed, std::size_t operations) {
  const auto nodes = std::clamp<std::size_t>(operations / 16, 1, 1'500);
  const auto tasks = operations > nodes ? (operations - nodes) / 2 + 1 : 0;
  return synthetic_trace(seed, std::min(nodes, operations), tasks);
}

}  // namespace

std::string workload::description() const {
  return fmt::format("{} machines, {} tasks: {} operations", grouped(trace.nodes.size()), grouped(trace.tasks.size()),
                     grouped(events.size()));
}

or_error<workload> load_workload(const workload_source& source) {
  if (source.nodes_file.empty() != source.pods_file.empty()) {
    return tl::unexpected(
        world_error{"--nodes and --pods belong together", "name both files of the trace, or neither"});
  }
  workload work;
  work.made_up = source.nodes_file.empty();
  auto operations = source.operations;
  if (work.made_up) {
    if (operations == 0) operations = source.operations_default;
    work.trace = made_up_trace(source.seed, operations);
  } else {
    auto read = read_trace(source.nodes_file, source.pods_file);
    if (!read) {
      return tl::unexpected(world_error{read.error(), "compare the columns of both files with: hypermesh replay --help",
                                        fault_origin::configuration});
    }
    work.trace = std::move(*read);
  }
  work.events = events_of(work.trace);
  if (operations > 0 && work.events.size() > operations) work.events.resize(operations);
  if (work.events.empty())
    return tl::unexpected(world_error{"the workload has no operation", "name files with machines or tasks"});
  return work;
}

reference_run run_reference(const workload& work, std::size_t count) {
  reference_run reference;
  resource_scheduler machine;
  reference.results.reserve(count);
  for (std::size_t index = 0; index < count; ++index) {
    reference.results.push_back(machine.apply({}, work.events[index].operation));
  }
  reference.totals = machine.summary();
  return reference;
}

}  // namespace hypermesh::cli
