#include "runtime/state_machines/node_pool.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "messages/require.hpp"

namespace hypermesh::machines::scheduler {

namespace {

static_assert(nodes_max * (node_pool::weight_of_cpu_milli * cpu_milli_max) < (1ULL << 62U));
static_assert(nodes_max * (node_pool::weight_of_memory_mib * memory_mib_max) < (1ULL << 62U));

std::uint64_t gpu_milli_of(const demand& needs) { return std::uint64_t{needs.gpus} * needs.gpu_milli; }

std::uint64_t weight_of(const demand& needs) {
  return node_pool::weight_of_cpu_milli * needs.cpu_milli + node_pool::weight_of_memory_mib * needs.memory_mib +
         node_pool::weight_of_gpu_milli * gpu_milli_of(needs);
}

}  // namespace

std::optional<node_index> node_pool::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::string_view node_pool::flaw_of(const node_spec& spec) const {
  if (nodes_.size() >= nodes_max) return "the cluster has the maximum number of nodes";
  if (by_name_.contains(spec.name)) return "a node with this name is already registered";
  const bool is_new = std::find(models_.begin(), models_.end(), spec.gpu_model) == models_.end();
  if (is_new && models_.size() >= gpu_models_max) return "the cluster has the maximum number of GPU models";
  return {};
}

node_index node_pool::add(const node_spec& spec) {
  require(flaw_of(spec).empty(), "a node is added after it was checked");
  require(spec.gpus <= gpus_per_node_max, "a node's GPUs were checked");
  const auto index = static_cast<node_index>(nodes_.size());
  const auto model = std::find(models_.begin(), models_.end(), spec.gpu_model);
  room offer;
  offer.model = static_cast<std::uint8_t>(model - models_.begin());
  if (model == models_.end()) models_.push_back(spec.gpu_model);

  node added{spec, {}, 0};
  std::fill_n(added.gpu_milli_free.begin(), spec.gpus, gpu_milli_whole);
  const auto gpu_milli = std::uint64_t{spec.gpus} * gpu_milli_whole;
  offer.cpu_milli = spec.cpu_milli;
  offer.memory_mib = spec.memory_mib;
  offer.weight =
      weight_of_cpu_milli * spec.cpu_milli + weight_of_memory_mib * spec.memory_mib + weight_of_gpu_milli * gpu_milli;
  rooms_.push_back(offer);
  nodes_.push_back(std::move(added));
  by_name_.emplace(spec.name, index);
  refresh_gpus(index);
  cpu_milli_total_ += spec.cpu_milli;
  memory_mib_total_ += spec.memory_mib;
  gpu_milli_total_ += gpu_milli;
  return index;
}

node_pool::requirement node_pool::requirement_of(const demand& needs) const {
  requirement result;
  result.cpu_milli = needs.cpu_milli;
  result.memory_mib = needs.memory_mib;
  result.gpu_milli = needs.gpus == 0 ? std::uint16_t{0} : needs.gpu_milli;
  result.whole_gpus = needs.gpu_milli == gpu_milli_whole ? needs.gpus : std::uint8_t{0};
  if (needs.models.empty()) {
    result.models = ~std::uint64_t{0};
    return result;
  }
  for (std::size_t model = 0; model < models_.size(); ++model) {
    const bool is_wanted = std::find(needs.models.begin(), needs.models.end(), models_[model]) != needs.models.end();
    if (is_wanted) result.models |= std::uint64_t{1} << model;
  }
  return result;
}

bool node_pool::fits(node_index index, const demand& needs) const {
  return requirement_of(needs).is_met_by(rooms_[index]);
}

std::optional<node_index> node_pool::best_for(const demand& needs) const {
  const auto wanted = requirement_of(needs);
  auto least = std::numeric_limits<std::uint64_t>::max();
  std::optional<node_index> best;
  for (std::size_t index = 0; index < rooms_.size(); ++index) {
    const auto& offer = rooms_[index];
    // The comparison is strict, so among equal nodes the node that was registered first is chosen.
    if (offer.weight < least && wanted.is_met_by(offer)) {
      least = offer.weight;
      best = static_cast<node_index>(index);
    }
  }
  return best;
}

gpu_set node_pool::choose_gpus(node_index index, const demand& needs) const {
  if (needs.gpus == 0) return 0;
  const auto& free = nodes_[index].gpu_milli_free;
  const std::size_t count = nodes_[index].spec.gpus;
  unsigned chosen = 0;
  if (needs.gpu_milli == gpu_milli_whole) {
    int missing = needs.gpus;
    for (std::size_t gpu = 0; gpu < count && missing > 0; ++gpu) {
      if (free[gpu] != gpu_milli_whole) continue;
      chosen |= 1U << gpu;
      --missing;
    }
    require(missing == 0, "whole GPUs are chosen on a node that has them");
    return static_cast<gpu_set>(chosen);
  }
  std::size_t best = count;
  for (std::size_t gpu = 0; gpu < count; ++gpu) {
    if (free[gpu] >= needs.gpu_milli && (best == count || free[gpu] < free[best])) best = gpu;
  }
  require(best < count, "a share is chosen on a node that has it");
  return static_cast<gpu_set>(1U << best);
}

bool node_pool::can_occupy(node_index index, const demand& needs, gpu_set gpus) const {
  if (index >= nodes_.size()) return false;
  const auto& there = nodes_[index];
  if (rooms_[index].cpu_milli < needs.cpu_milli || rooms_[index].memory_mib < needs.memory_mib) return false;
  if (std::popcount(gpus) != needs.gpus || (gpus >> there.spec.gpus) != 0) return false;
  const auto& models = needs.models;
  if (!models.empty() && std::find(models.begin(), models.end(), there.spec.gpu_model) == models.end()) return false;
  for (std::size_t gpu = 0; gpu < there.spec.gpus; ++gpu) {
    if (((gpus >> gpu) & 1U) != 0 && there.gpu_milli_free[gpu] < needs.gpu_milli) return false;
  }
  return true;
}

void node_pool::occupy(node_index index, const demand& needs, gpu_set gpus) {
  require(can_occupy(index, needs, gpus), "a task is placed where it fits");
  auto& offer = rooms_[index];
  offer.cpu_milli -= needs.cpu_milli;
  offer.memory_mib -= needs.memory_mib;
  offer.weight -= weight_of(needs);
  for (std::size_t gpu = 0; gpu < nodes_[index].spec.gpus; ++gpu) {
    auto& free = nodes_[index].gpu_milli_free[gpu];
    if (((gpus >> gpu) & 1U) != 0) free = static_cast<std::uint16_t>(free - needs.gpu_milli);
  }
  ++nodes_[index].tasks;
  refresh_gpus(index);
  cpu_milli_used_ += needs.cpu_milli;
  memory_mib_used_ += needs.memory_mib;
  gpu_milli_used_ += gpu_milli_of(needs);
}

void node_pool::vacate(node_index index, const demand& needs, gpu_set gpus) {
  auto& offer = rooms_[index];
  auto& there = nodes_[index];
  offer.cpu_milli += needs.cpu_milli;
  offer.memory_mib += needs.memory_mib;
  offer.weight += weight_of(needs);
  require(offer.cpu_milli <= there.spec.cpu_milli, "no more CPU is free than there is");
  require(offer.memory_mib <= there.spec.memory_mib && there.tasks > 0, "no more memory is free than there is");
  for (std::size_t gpu = 0; gpu < there.spec.gpus; ++gpu) {
    if (((gpus >> gpu) & 1U) == 0) continue;
    auto& free = there.gpu_milli_free[gpu];
    free = static_cast<std::uint16_t>(free + needs.gpu_milli);
    require(free <= gpu_milli_whole, "no more of a GPU is free than there is");
  }
  --there.tasks;
  refresh_gpus(index);
  cpu_milli_used_ -= needs.cpu_milli;
  memory_mib_used_ -= needs.memory_mib;
  gpu_milli_used_ -= gpu_milli_of(needs);
}

void node_pool::refresh_gpus(node_index index) {
  const auto begin = nodes_[index].gpu_milli_free.begin();
  const auto end = begin + nodes_[index].spec.gpus;
  rooms_[index].gpu_milli = begin == end ? std::uint16_t{0} : *std::max_element(begin, end);
  rooms_[index].whole_gpus = static_cast<std::uint8_t>(std::count(begin, end, gpu_milli_whole));
}

node_view node_pool::view(node_index index) const {
  const auto& there = nodes_[index];
  node_view result;
  result.spec = there.spec;
  result.cpu_milli_free = rooms_[index].cpu_milli;
  result.memory_mib_free = rooms_[index].memory_mib;
  result.gpu_milli_free.assign(there.gpu_milli_free.begin(), there.gpu_milli_free.begin() + there.spec.gpus);
  result.tasks = there.tasks;
  return result;
}

void node_pool::summarise(summary_view& into) const {
  into.nodes = nodes_.size();
  into.cpu_milli_total = cpu_milli_total_;
  into.cpu_milli_used = cpu_milli_used_;
  into.memory_mib_total = memory_mib_total_;
  into.memory_mib_used = memory_mib_used_;
  into.gpu_milli_total = gpu_milli_total_;
  into.gpu_milli_used = gpu_milli_used_;
}

}  // namespace hypermesh::machines::scheduler
