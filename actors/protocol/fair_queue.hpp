#pragma once

#include <deque>
#include <map>
#include <optional>
#include <utility>

#include "messages/types.hpp"

namespace hypermesh {

/// What several senders sent, to be worked off in turns, so that who sends much stands in its own way only (attack 33).
/// Of one sender everything stays in its order. Deficit round robin (Shreedhar and Varghese, 1995): in each turn a
/// sender has `quantum_bytes` worth of items worked off; bytes stand for the checks that they cost, as a signature
/// comes with each hundred and fifty or so of every kind. Pure. Memory: the items, which the senders' links bound.
template <class Item>
class fair_queue {
 public:
  /// Twenty votes.
  static constexpr std::size_t quantum_bytes = 4'096;
  /// What each item costs besides its bytes.
  static constexpr std::size_t item_bytes = 64;

  void push(principal sender, Item item, std::size_t bytes) {
    auto& lane = lanes_[sender];
    if (lane.items.empty()) turns_.push_back(sender);
    lane.items.emplace_back(std::move(item), bytes + item_bytes);
  }

  [[nodiscard]] bool empty() const { return turns_.empty(); }

  /// The next one; nothing when there is none.
  [[nodiscard]] std::optional<Item> pop() {
    if (turns_.empty()) return std::nullopt;
    while (true) {
      const auto sender = turns_.front();
      auto& lane = lanes_.at(sender);
      if (!std::exchange(lane.has_turn, true)) lane.bytes_left += quantum_bytes;
      auto& [item, bytes] = lane.items.front();
      if (bytes > lane.bytes_left) {
        // What is left over counts in its next turn.
        lane.has_turn = false;
        turns_.pop_front();
        turns_.push_back(sender);
        continue;
      }
      lane.bytes_left -= bytes;
      std::optional<Item> next{std::move(item)};
      lane.items.pop_front();
      if (lane.items.empty()) {
        turns_.pop_front();
        lanes_.erase(sender);
      }
      return next;
    }
  }

 private:
  struct lane_of_sender {
    std::deque<std::pair<Item, std::size_t>> items;
    std::size_t bytes_left = 0;
    bool has_turn = false;
  };
  std::map<principal, lane_of_sender> lanes_;
  /// Senders of which there is something, the next one first.
  std::deque<principal> turns_;
};

}  // namespace hypermesh
