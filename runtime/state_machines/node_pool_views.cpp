#include <algorithm>
#include <iterator>

#include "runtime/state_machines/node_pool.hpp"

namespace hypermesh::machines::scheduler {

namespace {

template <class Number>
void shift(std::uint64_t& sum, Number amount, bool add) {
  sum = add ? sum + amount : sum - amount;
}

/// The first constraint of `fit_blocker` that keeps the task away from a node, and how many keep it away.
struct obstacles {
  std::optional<fit_blocker> first;
  int count = 0;

  void note(bool blocks, fit_blocker kind) {
    if (!blocks) return;
    if (!first) first = kind;
    ++count;
  }
};

}  // namespace

node_view node_pool::view(node_index index) const {
  const auto& there = nodes_[index];
  node_view result;
  result.spec = there.spec;
  result.is_drained = there.is_drained;
  result.cpu_milli_free = rooms_[index].cpu_milli;
  result.memory_mib_free = rooms_[index].memory_mib;
  result.gpu_milli_free.assign(there.gpu_milli_free.begin(), there.gpu_milli_free.begin() + there.spec.gpus);
  result.tasks = there.tasks;
  result.changed_by = there.changed_by;
  return result;
}

void node_pool::summarise(summary_view& into) const {
  into.nodes = size();
  into.cpu_milli_total = cpu_milli_total_;
  into.cpu_milli_used = cpu_milli_used_;
  into.memory_mib_total = memory_mib_total_;
  into.memory_mib_used = memory_mib_used_;
  into.gpu_milli_total = gpu_milli_total_;
  into.gpu_milli_used = gpu_milli_used_;
}

void node_pool::count(node_index index, bool add) {
  const auto& there = nodes_[index];
  const auto& room = rooms_[index];
  auto& sums = models_[room.model].capacity;
  shift(sums.nodes, 1U, add);
  if (there.is_drained) {
    shift(sums.nodes_drained, 1U, add);
    return;
  }
  std::uint64_t gpu_milli = 0;
  for (std::size_t gpu = 0; gpu < there.spec.gpus; ++gpu)
    gpu_milli += there.gpu_milli_free[gpu];
  shift(sums.cpu_milli_free, room.cpu_milli, add);
  shift(sums.memory_mib_free, room.memory_mib, add);
  shift(sums.gpu_milli_free, gpu_milli, add);
  shift(sums.gpus_whole_free, room.whole_gpus, add);
  for (std::size_t each = 0; each < fragment_sizes.size(); ++each) {
    const std::uint64_t size = fragment_sizes[each];
    const auto usable = room.whole_gpus / size * size * gpu_milli_whole;
    shift(sums.gpu_milli_stranded[each], gpu_milli - usable, add);
  }
}

capacity_view node_pool::capacity() const {
  capacity_view result;
  for (const auto& each : models_) {
    if (each.nodes == 0) continue;
    result.models.push_back(each.capacity);
    result.models.back().model = each.name;
  }
  std::ranges::sort(result.models, {}, &model_capacity::model);
  return result;
}

fit_view node_pool::explain(const demand& needs, std::string_view after, std::size_t limit) const {
  const auto wanted = requirement_of(needs);
  fit_view result;
  for (auto next = by_name_.upper_bound(after); next != by_name_.end(); ++next) {
    if (result.nodes == limit) {
      result.next = std::prev(next)->first;
      break;
    }
    const auto index = next->second;
    const auto& room = rooms_[index];
    const auto& spec = nodes_[index].spec;
    obstacles found;
    found.note(nodes_[index].is_drained, fit_blocker::drained);
    found.note(!wanted.allows(room.model), fit_blocker::model);
    found.note(room.cpu_milli < wanted.cpu_milli, fit_blocker::cpu);
    found.note(room.memory_mib < wanted.memory_mib, fit_blocker::memory);
    found.note(room.gpu_milli < wanted.gpu_milli || room.whole_gpus < wanted.whole_gpus, fit_blocker::gpu);
    ++result.nodes;
    if (!found.first) {
      ++result.fitting;
      continue;
    }
    const auto blocker = static_cast<std::size_t>(*found.first);
    ++result.first_blocker[blocker];
    if (found.count == 1) ++result.only_blocker[blocker];
    const bool is_large_enough = spec.cpu_milli >= needs.cpu_milli && spec.memory_mib >= needs.memory_mib &&
                                 spec.gpus >= needs.gpus && wanted.allows(room.model);
    if (is_large_enough && !nodes_[index].is_drained) ++result.fitting_when_empty;
  }
  return result;
}

}  // namespace hypermesh::machines::scheduler
