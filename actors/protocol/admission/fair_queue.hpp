#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// A queue with a lane for each sender. The lanes take turns, so that a flood of one sender delays only that sender
/// (attack 33). The items of one lane keep their order. A sender whose items are of two kinds may have two lanes.
///
/// Deficit round robin (Shreedhar and Varghese, 1995): in each turn up to `quantum_bytes` of the items in a lane are
/// handled. The cost of an item is counted in bytes, because every kind of message has about one signature in each 150
/// bytes, and signature checks are the largest cost. Pure. Memory: the items, which the inbound windows of the links
/// bound.
template <class Item, class Lane = principal>
class fair_queue {
 public:
  /// The bytes of about twenty votes.
  static constexpr std::size_t quantum_bytes = 4'096;
  /// The cost of each item in addition to its bytes.
  static constexpr std::size_t item_bytes = 64;

  void push(Lane name, Item item, std::size_t bytes) {
    auto& lane = lanes_[name];
    if (lane.items.empty()) turns_.push_back(name);
    lane.items.emplace_back(std::move(item), bytes + item_bytes);
    lane.bytes += bytes + item_bytes;
  }

  [[nodiscard]] bool empty() const { return turns_.empty(); }
  /// The cost of all items in a lane.
  [[nodiscard]] std::size_t bytes_of(Lane name) const {
    const auto lane = lanes_.find(name);
    return lane == lanes_.end() ? 0 : lane->second.bytes;
  }

  /// The next item; nothing if there is none.
  [[nodiscard]] std::optional<Item> pop() {
    if (turns_.empty()) return std::nullopt;
    while (true) {
      const auto name = turns_.front();
      auto& lane = lanes_.at(name);
      if (!std::exchange(lane.has_turn, true)) lane.bytes_left += quantum_bytes;
      auto& [item, bytes] = lane.items.front();
      if (bytes > lane.bytes_left) {
        // The unused bytes of this turn are added to the next turn of the lane.
        lane.has_turn = false;
        turns_.pop_front();
        turns_.push_back(name);
        continue;
      }
      lane.bytes_left -= bytes;
      lane.bytes -= bytes;
      std::optional<Item> next{std::move(item)};
      lane.items.pop_front();
      if (lane.items.empty()) {
        turns_.pop_front();
        lanes_.erase(name);
      }
      return next;
    }
  }

 private:
  struct lane_content {
    std::deque<std::pair<Item, std::size_t>> items;
    /// Of all items.
    std::size_t bytes = 0;
    std::size_t bytes_left = 0;
    bool has_turn = false;
  };
  std::map<Lane, lane_content> lanes_;
  /// Lanes with items, the next one first.
  std::deque<Lane> turns_;
};

}  // namespace hypermesh::protocol
