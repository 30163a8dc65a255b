#include <doctest/doctest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "runtime/state_machines/node_pool.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"
#include "tools/hypermesh/traces/trace.hpp"

namespace hypermesh::testing {

using namespace scheduler;

namespace {

const std::vector<std::string> models = {"G2", "T4", "P100"};

std::uint64_t weight_of(const node_view& node) {
  std::uint64_t gpu_milli = 0;
  for (const auto free : node.gpu_milli_free)
    gpu_milli += free;
  return node_pool::weight_of_cpu_milli * node.cpu_milli_free + node_pool::weight_of_memory_mib * node.memory_mib_free +
         node_pool::weight_of_gpu_milli * gpu_milli;
}

bool has_room(const node_view& node, const demand& needs) {
  if (node.is_drained || node.cpu_milli_free < needs.cpu_milli || node.memory_mib_free < needs.memory_mib) return false;
  if (!needs.models.empty() && std::ranges::find(needs.models, node.spec.gpu_model) == needs.models.end()) return false;
  std::size_t suitable = 0;
  for (const auto free : node.gpu_milli_free) {
    if (needs.gpus > 0 && free >= needs.gpu_milli) ++suitable;
  }
  return suitable >= needs.gpus;
}

/// The rule of placement, read from the public views of every node. This is the oracle for the index.
std::optional<node_index> best_by_scan(const node_pool& pool, const std::vector<node_index>& in_order,
                                       const demand& needs) {
  std::optional<node_index> best;
  std::uint64_t least = 0;
  for (const auto index : in_order) {
    const auto node = pool.view(index);
    if (!has_room(node, needs)) continue;
    const auto weight = weight_of(node);
    if (best && weight >= least) continue;
    best = index;
    least = weight;
  }
  return best;
}

node_spec random_node(splitmix64& random, std::size_t number) {
  node_spec node;
  node.name = "n" + std::to_string(number);
  // There are few sizes, so that many nodes are equal and the order of registration decides.
  node.cpu_milli = static_cast<std::uint32_t>(4'000 * (1 + random.below(4)));
  node.memory_mib = static_cast<std::uint32_t>(8'000 * (1 + random.below(3)));
  node.gpus = static_cast<std::uint8_t>(random.below(5));
  if (node.gpus > 0) node.gpu_model = models[random.below(models.size())];
  return node;
}

demand random_demand(splitmix64& random) {
  demand needs;
  needs.cpu_milli = static_cast<std::uint32_t>(500 * random.below(10));
  needs.memory_mib = static_cast<std::uint32_t>(500 * random.below(20));
  needs.gpus = static_cast<std::uint8_t>(random.below(4));
  if (needs.gpus == 1) needs.gpu_milli = static_cast<std::uint16_t>(100 * (1 + random.below(10)));
  if (needs.gpus > 1) needs.gpu_milli = gpu_milli_whole;
  if (needs.gpus > 0 && random.below(3) == 0) needs.models = {models[random.below(3)], "unknown"};
  return needs;
}

struct placed_task {
  node_index node;
  demand needs;
  gpu_set gpus;
};

/// A pool that changes at random, with the nodes in the order of registration.
struct changing_pool {
  splitmix64 random;
  node_pool pool;
  std::vector<node_index> in_order;
  std::vector<placed_task> tasks;
  std::uint64_t next_number = 0;
  /// Whether no node has GPUs, so that all nodes are in one class of the index.
  bool is_one_class = false;
  /// The most blocks that one search read.
  std::uint64_t blocks_read_max = 0;

  void add() {
    auto spec = random_node(random, next_number);
    if (is_one_class) {
      spec.gpus = 0;
      spec.gpu_model.clear();
    }
    in_order.push_back(pool.add(spec, next_number++));
  }
  void remove_one() {
    const auto at = random.below(in_order.size());
    const auto index = in_order[at];
    std::erase_if(tasks, [&](const placed_task& task) {
      if (task.node == index) pool.vacate(index, task.needs, task.gpus);
      return task.node == index;
    });
    pool.remove(index);
    in_order.erase(in_order.begin() + static_cast<std::ptrdiff_t>(at));
  }
  void end_one() {
    const auto at = random.below(tasks.size());
    pool.vacate(tasks[at].node, tasks[at].needs, tasks[at].gpus);
    tasks.erase(tasks.begin() + static_cast<std::ptrdiff_t>(at));
  }
  /// Returns whether index and scan choose the same node.
  bool place() {
    auto needs = random_demand(random);
    if (is_one_class) needs = {needs.cpu_milli, needs.memory_mib, 0, 0, {}};
    search_cost cost;
    const auto found = pool.best_for(needs, &cost);
    blocks_read_max = std::max(blocks_read_max, cost.blocks);
    if (found != best_by_scan(pool, in_order, needs)) return false;
    if (!found) return true;
    const auto gpus = pool.choose_gpus(*found, needs);
    pool.occupy(*found, needs, gpus);
    tasks.push_back({*found, needs, gpus});
    return true;
  }
};

}  // namespace

TEST_CASE("the index chooses the same node as a scan of all nodes, whatever happened before") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    changing_pool changing{splitmix64{seed}, {}, {}, {}};
    auto& random = changing.random;
    // In some pools, one class of the index has several blocks, which are divided and joined.
    changing.is_one_class = seed % 3 == 0;
    const auto nodes = changing.is_one_class ? 700 : 40;
    for (int number = 0; number < nodes; ++number)
      changing.add();
    bool is_equal = true;
    for (int step = 0; step < 1'500 && is_equal; ++step) {
      const auto draw = random.below(20);
      if (draw == 0) changing.add();
      if (draw == 1 && !changing.in_order.empty()) changing.remove_one();
      if (draw == 2 && !changing.in_order.empty()) {
        const auto index = changing.in_order[random.below(changing.in_order.size())];
        changing.pool.set_drained(index, !changing.pool.is_drained(index));
      }
      if (draw >= 3 && draw < 8 && !changing.tasks.empty()) changing.end_one();
      if (draw >= 8) is_equal = changing.place();
      CAPTURE(step);
      REQUIRE(is_equal);
    }
    CHECK(changing.pool.size() == changing.in_order.size());
    if (changing.is_one_class) CHECK(changing.blocks_read_max >= 3);
  }
}

TEST_CASE("an index that shrinks joins its blocks, wherever its rooms are erased") {
  placement_index index;
  const auto room_at = [](std::uint32_t number) {
    node_room room;
    room.weight = number;
    room.number = number;
    room.node = number;
    return room;
  };
  constexpr std::uint32_t rooms = 10'000;
  for (std::uint32_t number = 0; number < rooms; ++number)
    index.insert(room_at(number));
  std::size_t left = rooms;
  // Each block keeps some rooms, and is small only after the block behind it was full, or before it.
  const auto is_kept = [](std::uint32_t number) { return number % 64 < 20; };
  const auto is_bounded = [&] { return index.block_count() <= left / 32 + 1; };
  for (std::uint32_t number = 0; number < rooms / 2; ++number) {
    if (is_kept(number)) continue;
    index.erase(room_at(number));
    --left;
    REQUIRE(is_bounded());
  }
  for (std::uint32_t number = rooms - 1; number >= rooms / 2; --number) {
    if (is_kept(number)) continue;
    index.erase(room_at(number));
    --left;
    REQUIRE(is_bounded());
  }
  requirement any;
  any.models = 1;
  CHECK(index.best_for(any) == 0U);
  for (std::uint32_t number = 0; number < rooms; ++number) {
    if (is_kept(number)) index.erase(room_at(number));
  }
  CHECK(index.block_count() == 0);
}

TEST_CASE("a search among 10,000 loaded nodes reads a small part of them") {
  const auto trace = synthetic_trace(7, 10'000, 60'000);
  node_pool pool;
  std::uint64_t number = 0;
  for (const auto& node : trace.nodes)
    pool.add(node, number++);
  search_cost cost;
  std::uint64_t searches = 0;
  for (const auto& task : trace.tasks) {
    const auto node = pool.best_for(task.spec.needs, &cost);
    ++searches;
    if (node) pool.occupy(*node, task.spec.needs, pool.choose_gpus(*node, task.spec.needs));
  }
  // A scan would read 10,000 nodes each time. The bounds are some times the measured 38 nodes and 31 blocks.
  const auto rooms = cost.rooms / searches;
  const auto blocks = cost.blocks / searches;
  MESSAGE("nodes and blocks read by each search: " << rooms << ", " << blocks);
  CHECK(rooms < 200);
  CHECK(blocks < 100);
}

TEST_CASE("capacity and fragmentation follow from the free GPUs of each node") {
  node_pool pool;
  const auto full = pool.add({"a", 64'000, 65'536, 8, "G2"}, 0);
  const auto partly = pool.add({"b", 64'000, 65'536, 4, "G2"}, 1);
  pool.add({"c", 32'000, 1'024, 0, ""}, 2);
  const auto drained = pool.add({"d", 64'000, 65'536, 8, "T4"}, 3);
  pool.set_drained(drained, true);
  const demand three{1'000, 1'024, 3, gpu_milli_whole, {}};
  pool.occupy(full, three, pool.choose_gpus(full, three));
  const demand share{1'000, 1'024, 1, 400, {}};
  pool.occupy(partly, share, pool.choose_gpus(partly, share));
  const auto capacity = pool.capacity();
  REQUIRE(capacity.models.size() == 3);
  CHECK(capacity.models[0].model == "");
  CHECK(capacity.models[0].cpu_milli_free == 32'000);
  CHECK(capacity.models[1].model == "G2");
  CHECK(capacity.models[1].nodes == 2);
  CHECK(capacity.models[1].gpu_milli_free == 5'000 + 3'600);
  CHECK(capacity.models[1].gpus_whole_free == 5 + 3);
  // For 1, 2, 4 and 8 GPUs: node a has 5 whole ones, node b has 3 and a rest of 600.
  CHECK(capacity.models[1].gpu_milli_stranded ==
        std::array<std::uint64_t, 4>{600, 1'000 + 1'600, 1'000 + 3'600, 5'000 + 3'600});
  CHECK(capacity.models[2].model == "T4");
  CHECK(capacity.models[2].nodes_drained == 1);
  CHECK(capacity.models[2].gpu_milli_free == 0);
}

TEST_CASE("an explanation counts each node under its first obstacle") {
  node_pool pool;
  const auto add = [&](const node_spec& spec) { return pool.add(spec, pool.size()); };
  pool.set_drained(add({"drained", 64'000, 65'536, 8, "G2"}), true);
  add({"other", 64'000, 65'536, 8, "T4"});
  add({"small", 1'000, 65'536, 8, "G2"});
  add({"thin", 64'000, 1'024, 8, "G2"});
  add({"few", 64'000, 65'536, 1, "G2"});
  const auto busy = add({"busy", 64'000, 65'536, 4, "G2"});
  const demand all{1'000, 1'024, 4, gpu_milli_whole, {}};
  pool.occupy(busy, all, 0b1111);
  const auto why = pool.explain({2'000, 2'048, 2, gpu_milli_whole, {"G2"}});
  CHECK(why.nodes == 6);
  CHECK(why.fitting == 0);
  CHECK(why.first_blocker == std::array<std::uint32_t, 5>{1, 1, 1, 1, 2});
  CHECK(why.only_blocker == std::array<std::uint32_t, 5>{1, 1, 1, 1, 2});
  CHECK(why.fitting_when_empty == 1);
  CHECK(pool.explain({1'000, 1'024, 0, 0, {}}).fitting == 5);
}

TEST_CASE("a model without nodes leaves its number to another one") {
  node_pool pool;
  std::uint64_t number = 0;
  std::vector<node_index> added;
  for (std::size_t model = 1; model < gpu_models_max; ++model) {
    const auto name = "m" + std::to_string(model);
    added.push_back(pool.add({name, 1'000, 1'000, 1, name}, number++));
  }
  const node_spec more{"more", 1'000, 1'000, 1, "more"};
  CHECK_FALSE(pool.flaw_of(more).empty());
  pool.remove(added[10]);
  CHECK(pool.flaw_of(more).empty());
  const auto index = pool.add(more, number++);
  CHECK(pool.best_for({1, 1, 1, 100, {"more"}}) == index);
  CHECK_FALSE(pool.best_for({1, 1, 1, 100, {"m11"}}));
}

}  // namespace hypermesh::testing
