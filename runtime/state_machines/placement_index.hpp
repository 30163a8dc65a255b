#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace hypermesh::machines::scheduler {

/// The place of a node in the tables of this process. A removed node leaves its place to a later one, so a place is
/// never part of the state and never decides anything.
using node_index = std::uint32_t;

/// The free resources of one node, and what decides among the nodes that fit.
struct node_room {
  /// The measure of all free resources (node_pool.hpp).
  std::uint64_t weight = 0;
  /// The number of the node in the order of registration.
  std::uint64_t number = 0;
  node_index node = 0;
  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_mib = 0;
  /// The largest free part of one GPU.
  std::uint16_t gpu_milli = 0;
  std::uint8_t whole_gpus = 0;
  std::uint8_t model = 0;

  /// Best fit first: the least free resources; among equal nodes, the node that was registered first.
  [[nodiscard]] bool precedes(const node_room& other) const {
    return weight != other.weight ? weight < other.weight : number < other.number;
  }
};

/// A demand, expressed in the fields of `node_room`.
struct requirement {
  /// A node that meets the requirement weighs at least this much.
  std::uint64_t weight = 0;
  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_mib = 0;
  std::uint16_t gpu_milli = 0;
  std::uint8_t whole_gpus = 0;
  /// Bit i stands for the model with the number i.
  std::uint64_t models = 0;

  [[nodiscard]] bool allows(std::uint8_t model) const { return ((models >> model) & 1U) != 0; }
  [[nodiscard]] bool is_met_by(const node_room& offer) const {
    return offer.cpu_milli >= cpu_milli && offer.memory_mib >= memory_mib && offer.gpu_milli >= gpu_milli &&
           offer.whole_gpus >= whole_gpus && allows(offer.model);
  }
};

/// The work of searches. It is the same on every machine, so tests can bound it.
struct search_cost {
  std::uint64_t blocks = 0;
  std::uint64_t rooms = 0;
};

/// The nodes that accept tasks, in an order that finds the best fit without reading every node.
///
/// The nodes of one GPU model with the same number of free whole GPUs form a class, in which they stand in the order of
/// `precedes`. A class is cut into blocks of at most 128 nodes, and a block knows the largest amounts in it. Two blocks
/// in a row always have more than 64 nodes together, so a class of n nodes has at most n / 32 + 1 blocks. A search
/// reads only classes that the demand allows. In a class it begins at the weight of the demand, skips blocks in which
/// no node has enough of one resource, and stops at the first node that fits. In a loaded cluster of 10,000 nodes, a
/// search reads about 40 nodes and 30 blocks (`hypermesh-lab bench placement`). The worst case is a class in which each
/// block has one node with processors and another one with memory: such a search reads the whole class, like a scan.
///
/// This is derived state. The division into blocks depends on the history and differs between replicas, so neither a
/// result nor a budget may depend on it. Memory: a block has room for 129 nodes of 40 bytes from the beginning, so a
/// node costs at most 170 bytes, and each of at most 64 × 17 classes at most one block more.
class placement_index {
 public:
  void insert(const node_room& room);
  /// Removes exactly this room, which was inserted before.
  void erase(const node_room& room);

  /// The first node by `precedes` that meets the requirement; nothing if there is none.
  [[nodiscard]] std::optional<node_index> best_for(const requirement& wanted, search_cost* cost = nullptr) const;

  /// The number of blocks of all classes.
  [[nodiscard]] std::size_t block_count() const;

  static constexpr std::size_t block_rooms_max = 128;

 private:
  struct block {
    block() { rooms.reserve(block_rooms_max + 1); }

    std::vector<node_room> rooms;
    std::uint32_t cpu_milli_max = 0;
    std::uint32_t memory_mib_max = 0;
    std::uint16_t gpu_milli_max = 0;

    void note(const node_room& room);
    void measure_again();
    /// Whether both blocks are so small that they are to be one.
    [[nodiscard]] bool joins(const block& other) const {
      return rooms.size() + other.rooms.size() <= block_rooms_max / 2;
    }
  };
  /// A model and a number of free whole GPUs.
  struct class_key {
    std::uint8_t model = 0;
    std::uint8_t whole_gpus = 0;

    auto operator<=>(const class_key&) const = default;
  };
  using blocks = std::vector<block>;

  [[nodiscard]] static blocks::iterator block_for(blocks& within, const node_room& room);
  /// Moves the rooms of the block behind `into` to its end.
  static void join_next(blocks& within, blocks::iterator into);
  static void search(const blocks& within, const requirement& wanted, const node_room*& best, search_cost& cost);

  /// No class is empty, and no block.
  std::map<class_key, blocks> classes_;
};

}  // namespace hypermesh::machines::scheduler
