#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state_machines/placement_index.hpp"
#include "runtime/state_machines/scheduler_operations.hpp"
#include "runtime/state_machines/scheduler_results.hpp"

namespace hypermesh::machines::scheduler {

/// The largest number of nodes.
inline constexpr std::size_t nodes_max = 65'536;
/// The largest number of GPU models that nodes have at a time. A set of models is a mask of 64 bits.
inline constexpr std::size_t gpu_models_max = 64;

/// The amounts of a demand, without the names of models. A waiting task keeps these in memory.
struct demand_amounts {
  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_mib = 0;
  std::uint16_t gpu_milli = 0;
  std::uint8_t gpus = 0;
  /// Whether the demand names models, which have to be read as well.
  bool names_models = false;

  [[nodiscard]] static demand_amounts of(const demand& needs) {
    return {needs.cpu_milli, needs.memory_mib, needs.gpu_milli, needs.gpus, !needs.models.empty()};
  }
};

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
/// A drained node keeps its tasks and gets no new ones.
///
/// Memory: `nodes_max` nodes of about 300 bytes.
class node_pool {
 public:
  static constexpr std::uint64_t weight_of_cpu_milli = 4;
  static constexpr std::uint64_t weight_of_memory_mib = 1;
  static constexpr std::uint64_t weight_of_gpu_milli = 64;

  [[nodiscard]] std::size_t size() const { return by_name_.size(); }
  [[nodiscard]] std::optional<node_index> find(std::string_view name) const;
  [[nodiscard]] const node_spec& spec(node_index index) const { return nodes_[index].spec; }
  [[nodiscard]] bool is_drained(node_index index) const { return nodes_[index].is_drained; }
  [[nodiscard]] std::uint32_t tasks_on(node_index index) const { return nodes_[index].tasks; }
  /// The number of the node in the order of registration, and of the event that changed the node last.
  [[nodiscard]] std::uint64_t number_of(node_index index) const { return rooms_[index].number; }
  [[nodiscard]] std::uint64_t changed_by(node_index index) const { return nodes_[index].changed_by; }
  void set_changed_by(node_index index, std::uint64_t event) { nodes_[index].changed_by = event; }
  /// The nodes in the order of their names.
  [[nodiscard]] const std::map<std::string, node_index, std::less<>>& by_name() const { return by_name_; }

  /// The reason why the pool cannot take this node; empty if it can.
  [[nodiscard]] std::string_view flaw_of(const node_spec& spec) const;
  /// Adds a node for which `flaw_of` is empty. `number` is larger than the number of every node before.
  node_index add(const node_spec& spec, std::uint64_t number);
  /// Removes a node without tasks.
  void remove(node_index index);
  void set_drained(node_index index, bool is_drained);

  /// Whether the node accepts tasks and has these amounts free now, whatever its model.
  [[nodiscard]] bool has_room(node_index index, const demand_amounts& needs) const;
  /// Whether the task may use the model of the node.
  [[nodiscard]] bool has_model(node_index index, const demand& needs) const;
  /// The best fit among all nodes that accept tasks; nothing if none of them can take the task. `cost` counts the work.
  [[nodiscard]] std::optional<node_index> best_for(const demand& needs, search_cost* cost = nullptr) const;
  /// The GPUs that the task would take on a node where it fits.
  [[nodiscard]] gpu_set choose_gpus(node_index index, const demand& needs) const;

  /// Whether a task can occupy exactly these GPUs of the node. This checks records that are read back.
  [[nodiscard]] bool can_occupy(node_index index, const demand& needs, gpu_set gpus) const;
  void occupy(node_index index, const demand& needs, gpu_set gpus);
  void vacate(node_index index, const demand& needs, gpu_set gpus);

  [[nodiscard]] node_view view(node_index index) const;
  /// Sets the fields of `into` that concern nodes and resources.
  void summarise(summary_view& into) const;
  /// The free capacity of each GPU model, in the order of the names. The cost is one step for each model.
  [[nodiscard]] capacity_view capacity() const;
  /// Why the nodes whose names follow `after` cannot take a task now. Reads at most `limit` nodes, by name.
  [[nodiscard]] fit_view explain(const demand& needs, std::string_view after = {},
                                 std::size_t limit = nodes_explained_max) const;

 private:
  struct node {
    node_spec spec;
    std::array<std::uint16_t, gpus_per_node_max> gpu_milli_free{};
    std::uint32_t tasks = 0;
    bool is_drained = false;
    std::uint64_t changed_by = 0;
  };
  /// A model, and what its nodes have. A model without nodes leaves its number to a later one.
  struct model_use {
    std::string name;
    std::uint32_t nodes = 0;
    model_capacity capacity;
  };

  [[nodiscard]] std::optional<std::uint8_t> find_model(std::string_view name) const;
  [[nodiscard]] requirement requirement_of(const demand& needs) const;
  void refresh_gpus(node_index index);
  /// Removes a node from the index and from the sums, before it changes.
  void withdraw(node_index index);
  /// Adds a node to the index and to the sums, after it changed.
  void publish(node_index index);
  /// Adds what a node has to the sums of its model, or subtracts it.
  void count(node_index index, bool add);

  std::vector<node_room> rooms_;
  std::vector<node> nodes_;
  /// Places of removed nodes.
  std::vector<node_index> vacant_;
  std::map<std::string, node_index, std::less<>> by_name_;
  placement_index index_;
  /// "No GPU" has the number 0.
  std::vector<model_use> models_ = std::vector<model_use>(1);
  /// The numbers of the models that have nodes, and of "no GPU".
  std::map<std::string, std::uint8_t, std::less<>> model_numbers_ = {{"", std::uint8_t{0}}};
  std::uint64_t cpu_milli_total_ = 0;
  std::uint64_t cpu_milli_used_ = 0;
  std::uint64_t memory_mib_total_ = 0;
  std::uint64_t memory_mib_used_ = 0;
  std::uint64_t gpu_milli_total_ = 0;
  std::uint64_t gpu_milli_used_ = 0;
};

}  // namespace hypermesh::machines::scheduler
