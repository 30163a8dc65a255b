#include "runtime/state_machines/placement_index.hpp"

#include <algorithm>
#include <iterator>

#include "messages/require.hpp"

namespace hypermesh::machines::scheduler {

namespace {

bool precedes(const node_room& left, const node_room& right) { return left.precedes(right); }

}  // namespace

void placement_index::block::note(const node_room& room) {
  cpu_milli_max = std::max(cpu_milli_max, room.cpu_milli);
  memory_mib_max = std::max(memory_mib_max, room.memory_mib);
  gpu_milli_max = std::max(gpu_milli_max, room.gpu_milli);
}

void placement_index::block::measure_again() {
  cpu_milli_max = 0;
  memory_mib_max = 0;
  gpu_milli_max = 0;
  for (const auto& each : rooms)
    note(each);
}

placement_index::blocks::iterator placement_index::block_for(blocks& within, const node_room& room) {
  return std::lower_bound(within.begin(), within.end(), room, [](const block& each, const node_room& wanted) {
    return each.rooms.back().precedes(wanted);
  });
}

void placement_index::insert(const node_room& room) {
  auto& within = classes_[{room.model, room.whole_gpus}];
  auto into = block_for(within, room);
  if (into == within.end()) {
    if (within.empty()) within.emplace_back();
    into = std::prev(within.end());
  }
  auto& rooms = into->rooms;
  rooms.insert(std::lower_bound(rooms.begin(), rooms.end(), room, precedes), room);
  into->note(room);
  if (rooms.size() <= block_rooms_max) return;
  block upper;
  const auto middle = rooms.begin() + static_cast<std::ptrdiff_t>(rooms.size() / 2);
  upper.rooms.assign(middle, rooms.end());
  rooms.erase(middle, rooms.end());
  upper.measure_again();
  into->measure_again();
  within.insert(std::next(into), std::move(upper));
}

void placement_index::erase(const node_room& room) {
  const auto found = classes_.find({room.model, room.whole_gpus});
  require(found != classes_.end(), "a room is erased from the class into which it was inserted");
  auto& within = found->second;
  const auto from = block_for(within, room);
  require(from != within.end(), "a room is erased after it was inserted");
  auto& rooms = from->rooms;
  const auto at = std::lower_bound(rooms.begin(), rooms.end(), room, precedes);
  require(at != rooms.end() && at->node == room.node, "a room is erased exactly as it was inserted");
  rooms.erase(at);
  if (rooms.empty()) {
    within.erase(from);
    if (within.empty()) classes_.erase(found);
    return;
  }
  const bool was_largest = room.cpu_milli == from->cpu_milli_max || room.memory_mib == from->memory_mib_max ||
                           room.gpu_milli == from->gpu_milli_max;
  // Two small blocks in a row are joined, so that the number of blocks stays in proportion to that of the nodes.
  if (const auto next = std::next(from); next != within.end() && from->joins(*next)) {
    join_next(within, from);
  } else if (from != within.begin() && from->joins(*std::prev(from))) {
    join_next(within, std::prev(from));
  } else if (was_largest) {
    from->measure_again();
  }
}

void placement_index::join_next(blocks& within, blocks::iterator into) {
  const auto next = std::next(into);
  into->rooms.insert(into->rooms.end(), next->rooms.begin(), next->rooms.end());
  within.erase(next);
  into->measure_again();
}

std::size_t placement_index::block_count() const {
  std::size_t count = 0;
  for (const auto& [key, within] : classes_)
    count += within.size();
  return count;
}

void placement_index::search(const blocks& within, const requirement& wanted, const node_room*& best,
                             search_cost& cost) {
  const auto begin =
      std::lower_bound(within.begin(), within.end(), wanted.weight,
                       [](const block& each, std::uint64_t weight) { return each.rooms.back().weight < weight; });
  for (auto current = begin; current != within.end(); ++current) {
    ++cost.blocks;
    // All further nodes of the class are worse than the best one.
    if (best != nullptr && !current->rooms.front().precedes(*best)) return;
    if (current->cpu_milli_max < wanted.cpu_milli || current->memory_mib_max < wanted.memory_mib ||
        current->gpu_milli_max < wanted.gpu_milli) {
      continue;
    }
    for (const auto& room : current->rooms) {
      ++cost.rooms;
      if (best != nullptr && !room.precedes(*best)) return;
      if (!wanted.is_met_by(room)) continue;
      best = &room;
      return;
    }
  }
}

std::optional<node_index> placement_index::best_for(const requirement& wanted, search_cost* cost) const {
  search_cost spent;
  const node_room* best = nullptr;
  for (const auto& [key, within] : classes_) {
    if (key.whole_gpus < wanted.whole_gpus || !wanted.allows(key.model)) continue;
    search(within, wanted, best, spent);
  }
  if (cost != nullptr) {
    cost->blocks += spent.blocks;
    cost->rooms += spent.rooms;
  }
  if (best == nullptr) return std::nullopt;
  return best->node;
}

}  // namespace hypermesh::machines::scheduler
