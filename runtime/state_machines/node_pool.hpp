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

namespace hypermesh::machines::scheduler {

/// The number of a node in the order of registration.
using node_index = std::uint32_t;

/// The largest number of nodes. A scan for a place reads 24 bytes for each node, 1.5 MiB at most. This fits into the
/// cache of a core.
inline constexpr std::size_t nodes_max = 65'536;
/// The largest number of GPU models in a cluster. A set of models is a mask of 64 bits.
inline constexpr std::size_t gpu_models_max = 64;

/// The free resources of each node, and the choice of a node for a task. This is derived state: the scheduler rebuilds
/// it from its records.
///
/// The rule is best fit: of the nodes that can take the task, the pool chooses the node with the least free resources
/// left afterwards. The measure of free resources is
///
///     4 · cpu_milli  +  1 · memory_mib  +  64 · gpu_milli
///
/// A core counts as much as 4 GB, and a GPU as much as 16 cores. On the machines of the trace the three kinds of
/// resources then weigh about the same. A task takes the same amount from every node, so the chosen node is the node
/// with the least free now. If nodes are equal, the node that was registered first is chosen. A share of a GPU goes to
/// the GPU with the smallest sufficient rest. If GPUs are equal, it goes to the GPU with the lowest number. Whole GPUs
/// are the lowest-numbered GPUs that are entirely free.
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

  /// The reason why the pool cannot take this node; empty if it can.
  [[nodiscard]] std::string_view flaw_of(const node_spec& spec) const;
  /// Adds a node for which `flaw_of` is empty.
  node_index add(const node_spec& spec);

  /// Whether the node can meet `needs` now.
  [[nodiscard]] bool fits(node_index index, const demand& needs) const;
  /// The best fit among all nodes; nothing if no node can take the task.
  [[nodiscard]] std::optional<node_index> best_for(const demand& needs) const;
  /// The GPUs that the task would take on a node where it fits.
  [[nodiscard]] gpu_set choose_gpus(node_index index, const demand& needs) const;

  /// Whether a task can occupy exactly these GPUs of the node. This checks records that are read back.
  [[nodiscard]] bool can_occupy(node_index index, const demand& needs, gpu_set gpus) const;
  void occupy(node_index index, const demand& needs, gpu_set gpus);
  void vacate(node_index index, const demand& needs, gpu_set gpus);

  [[nodiscard]] node_view view(node_index index) const;
  /// Sets the fields of `into` that concern nodes and resources.
  void summarise(summary_view& into) const;

 private:
  /// Only the fields that a scan for a place reads.
  struct room {
    std::uint64_t weight = 0;
    std::uint32_t cpu_milli = 0;
    std::uint32_t memory_mib = 0;
    /// The largest free part of one GPU.
    std::uint16_t gpu_milli = 0;
    std::uint8_t whole_gpus = 0;
    std::uint8_t model = 0;
  };
  struct node {
    node_spec spec;
    std::array<std::uint16_t, gpus_per_node_max> gpu_milli_free{};
    std::uint32_t tasks = 0;
  };
  /// A demand, expressed in the fields of `room`.
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
  /// Models in the order of their registration. "No GPU" has the number 0.
  std::vector<std::string> models_ = {""};
  std::uint64_t cpu_milli_total_ = 0;
  std::uint64_t cpu_milli_used_ = 0;
  std::uint64_t memory_mib_total_ = 0;
  std::uint64_t memory_mib_used_ = 0;
  std::uint64_t gpu_milli_total_ = 0;
  std::uint64_t gpu_milli_used_ = 0;
};

}  // namespace hypermesh::machines::scheduler
