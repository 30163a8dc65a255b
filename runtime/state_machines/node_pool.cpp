#include "runtime/state_machines/node_pool.hpp"

#include <algorithm>
#include <bit>

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

std::optional<std::uint8_t> node_pool::find_model(std::string_view name) const {
  const auto found = model_numbers_.find(name);
  if (found == model_numbers_.end()) return std::nullopt;
  return found->second;
}

std::string_view node_pool::flaw_of(const node_spec& spec) const {
  if (size() >= nodes_max) return "the cluster has the maximum number of nodes";
  if (by_name_.contains(spec.name)) return "a node with this name is already registered";
  const bool is_full = models_.size() >= gpu_models_max &&
                       std::all_of(models_.begin() + 1, models_.end(), [](const auto& each) { return each.nodes > 0; });
  if (is_full && !find_model(spec.gpu_model)) return "the cluster has the maximum number of GPU models";
  return {};
}

node_index node_pool::add(const node_spec& spec, std::uint64_t number) {
  require(flaw_of(spec).empty(), "a node is added after it was checked");
  require(spec.gpus <= gpus_per_node_max, "a node's GPUs were checked");
  auto model = find_model(spec.gpu_model);
  if (!model) {
    auto unused = std::find_if(models_.begin() + 1, models_.end(), [](const auto& each) { return each.nodes == 0; });
    if (unused == models_.end()) unused = models_.insert(unused, model_use{});
    *unused = {spec.gpu_model, 0, {}};
    model = static_cast<std::uint8_t>(unused - models_.begin());
    model_numbers_.emplace(spec.gpu_model, *model);
  }
  if (vacant_.empty()) {
    vacant_.push_back(static_cast<node_index>(nodes_.size()));
    nodes_.emplace_back();
    rooms_.emplace_back();
  }
  const auto index = vacant_.back();
  vacant_.pop_back();

  node added{spec, {}, 0, false, 0};
  std::fill_n(added.gpu_milli_free.begin(), spec.gpus, gpu_milli_whole);
  const auto gpu_milli = std::uint64_t{spec.gpus} * gpu_milli_whole;
  nodes_[index] = std::move(added);
  auto& offer = rooms_[index];
  offer = {};
  offer.weight =
      weight_of_cpu_milli * spec.cpu_milli + weight_of_memory_mib * spec.memory_mib + weight_of_gpu_milli * gpu_milli;
  offer.number = number;
  offer.node = index;
  offer.cpu_milli = spec.cpu_milli;
  offer.memory_mib = spec.memory_mib;
  offer.model = *model;
  refresh_gpus(index);
  by_name_.emplace(spec.name, index);
  ++models_[*model].nodes;
  publish(index);
  cpu_milli_total_ += spec.cpu_milli;
  memory_mib_total_ += spec.memory_mib;
  gpu_milli_total_ += gpu_milli;
  return index;
}

void node_pool::remove(node_index index) {
  const auto& there = nodes_[index];
  require(there.tasks == 0, "a node is removed when it has no task");
  withdraw(index);
  const auto model = rooms_[index].model;
  if (--models_[model].nodes == 0 && model != 0) model_numbers_.erase(there.spec.gpu_model);
  cpu_milli_total_ -= there.spec.cpu_milli;
  memory_mib_total_ -= there.spec.memory_mib;
  gpu_milli_total_ -= std::uint64_t{there.spec.gpus} * gpu_milli_whole;
  require(by_name_.erase(there.spec.name) == 1, "a removed node was known by its name");
  nodes_[index] = {};
  vacant_.push_back(index);
}

void node_pool::set_drained(node_index index, bool is_drained) {
  withdraw(index);
  nodes_[index].is_drained = is_drained;
  publish(index);
}

void node_pool::withdraw(node_index index) {
  count(index, false);
  if (!nodes_[index].is_drained) index_.erase(rooms_[index]);
}

void node_pool::publish(node_index index) {
  count(index, true);
  if (!nodes_[index].is_drained) index_.insert(rooms_[index]);
}

requirement node_pool::requirement_of(const demand& needs) const {
  requirement result;
  result.weight = weight_of(needs);
  result.cpu_milli = needs.cpu_milli;
  result.memory_mib = needs.memory_mib;
  result.gpu_milli = needs.gpus == 0 ? std::uint16_t{0} : needs.gpu_milli;
  result.whole_gpus = needs.gpu_milli == gpu_milli_whole ? needs.gpus : std::uint8_t{0};
  if (needs.models.empty()) {
    result.models = ~std::uint64_t{0};
    return result;
  }
  for (const auto& name : needs.models) {
    if (const auto model = find_model(name)) result.models |= std::uint64_t{1} << *model;
  }
  return result;
}

bool node_pool::has_room(node_index index, const demand_amounts& needs) const {
  const auto& room = rooms_[index];
  if (nodes_[index].is_drained || room.cpu_milli < needs.cpu_milli || room.memory_mib < needs.memory_mib) return false;
  if (needs.gpus == 0) return true;
  return room.gpu_milli >= needs.gpu_milli && (needs.gpu_milli < gpu_milli_whole || room.whole_gpus >= needs.gpus);
}

bool node_pool::has_model(node_index index, const demand& needs) const {
  const auto& models = needs.models;
  return models.empty() || std::find(models.begin(), models.end(), nodes_[index].spec.gpu_model) != models.end();
}

std::optional<node_index> node_pool::best_for(const demand& needs, search_cost* cost) const {
  return index_.best_for(requirement_of(needs), cost);
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
  if (!has_model(index, needs)) return false;
  for (std::size_t gpu = 0; gpu < there.spec.gpus; ++gpu) {
    if (((gpus >> gpu) & 1U) != 0 && there.gpu_milli_free[gpu] < needs.gpu_milli) return false;
  }
  return true;
}

void node_pool::occupy(node_index index, const demand& needs, gpu_set gpus) {
  require(can_occupy(index, needs, gpus), "a task is placed where it fits");
  withdraw(index);
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
  publish(index);
  cpu_milli_used_ += needs.cpu_milli;
  memory_mib_used_ += needs.memory_mib;
  gpu_milli_used_ += gpu_milli_of(needs);
}

void node_pool::vacate(node_index index, const demand& needs, gpu_set gpus) {
  withdraw(index);
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
  publish(index);
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

}  // namespace hypermesh::machines::scheduler
