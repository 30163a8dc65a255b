#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state_machines/scheduler_operations.hpp"
#include "runtime/state_machines/scheduler_results.hpp"

namespace hypermesh::scheduler {

/// Number of a node in the order of registration.
using node_index = std::uint32_t;

/// A scan for a place reads 24 bytes a node: 1.5 MiB at most, within a core's cache.
inline constexpr std::size_t nodes_max = 65'536;
/// Different GPU models of a cluster; a set of them has 64 bits.
inline constexpr std::size_t gpu_models_max = 64;

/// What is free where, and the choice of a place. Derived state: the scheduler rebuilds
/// it from its records.
///
/// Best fit: of the nodes that can take the task, the one that would be left with the
/// least, where what is left counts
///
///     4 · cpu_milli  +  1 · memory_mib  +  64 · gpu_milli
///
/// (a core as much as 4 GB, a GPU as much as 16 cores: on the machines of the trace the
/// three kinds then weigh about the same). A task takes the same from every node, so
/// this is the node with the least free now. Equal nodes: the one registered first. A
/// share of a GPU goes to the GPU with the smallest sufficient rest, equal ones: the
/// lowest number; whole GPUs are the lowest-numbered ones that are wholly free.
///
/// Memory: `nodes_max` nodes of about 250 bytes.
class node_pool {
 public:
  static constexpr std::uint64_t weight_of_cpu_milli = 4;
  static constexpr std::uint64_t weight_of_memory_mib = 1;
  static constexpr std::uint64_t weight_of_gpu_milli = 64;

  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  [[nodiscard]] std::optional<node_index> find(std::string_view name) const;
  [[nodiscard]] const node_spec& spec(node_index index) const { return nodes_[index].spec; }

  /// Why the pool has no room for one more node like this; empty when it has.
  [[nodiscard]] std::string_view flaw_of(const node_spec& spec) const;
  /// Adds a node without `flaw_of`.
  node_index add(const node_spec& spec);

  /// Whether `needs` can be met there now.
  [[nodiscard]] bool fits(node_index index, const demand& needs) const;
  /// Best fit over all nodes.
  [[nodiscard]] std::optional<node_index> best_for(const demand& needs) const;
  /// The GPUs that a task that fits there takes.
  [[nodiscard]] gpu_set choose_gpus(node_index index, const demand& needs) const;

  /// Whether a task with exactly these GPUs can be there; for records that are read back.
  [[nodiscard]] bool can_occupy(node_index index, const demand& needs, gpu_set gpus) const;
  void occupy(node_index index, const demand& needs, gpu_set gpus);
  void vacate(node_index index, const demand& needs, gpu_set gpus);

  [[nodiscard]] node_view view(node_index index) const;
  /// Sets the fields about nodes and resources.
  void summarise(summary_view& into) const;

 private:
  /// What a scan for a place looks at, and nothing else.
  struct room {
    std::uint64_t weight = 0;
    std::uint32_t cpu_milli = 0;
    std::uint32_t memory_mib = 0;
    /// Most that is free on one GPU.
    std::uint16_t gpu_milli = 0;
    std::uint8_t whole_gpus = 0;
    std::uint8_t model = 0;
  };
  struct node {
    node_spec spec;
    std::array<std::uint16_t, gpus_per_node_max> gpu_milli_free{};
    std::uint32_t tasks = 0;
  };
  /// The same in terms of `room`.
  struct requirement {
    std::uint32_t cpu_milli = 0;
    std::uint32_t memory_mib = 0;
    std::uint16_t gpu_milli = 0;
    std::uint8_t whole_gpus = 0;
    std::uint64_t models = 0;

    [[nodiscard]] bool is_met_by(const room& offer) const {
      return offer.cpu_milli >= cpu_milli && offer.memory_mib >= memory_mib && offer.gpu_milli >= gpu_milli &&
             offer.whole_gpus >= whole_gpus && ((models >> offer.model) & 1U) != 0;
    }
  };

  [[nodiscard]] requirement requirement_of(const demand& needs) const;
  void refresh_gpus(node_index index);

  std::vector<room> rooms_;
  std::vector<node> nodes_;
  std::map<std::string, node_index, std::less<>> by_name_;
  /// Models in the order in which they came; the number of "none" is 0.
  std::vector<std::string> models_ = {""};
  std::uint64_t cpu_milli_total_ = 0;
  std::uint64_t cpu_milli_used_ = 0;
  std::uint64_t memory_mib_total_ = 0;
  std::uint64_t memory_mib_used_ = 0;
  std::uint64_t gpu_milli_total_ = 0;
  std::uint64_t gpu_milli_used_ = 0;
};

}  // namespace hypermesh::scheduler
