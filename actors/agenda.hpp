#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "messages/time.hpp"

namespace hypermesh::actors {

/// What an actor has to look at later, with one timer for all. A timer of the actor system costs a wake-up of its clock,
/// and thousands of requests may each have to be looked at once, 20 ms after they arrived. Memory: one entry for each
/// item.
template <class Item>
class agenda {
 public:
  /// The shortest time between two timers. So an item may be late by this if there are many.
  static constexpr duration grain{2'000};

  /// Notes an item. Returns the time after which the caller must call `take_due`; nothing if a timer runs that is early
  /// enough.
  [[nodiscard]] std::optional<duration> add(Item item, moment due, moment now) {
    items_.emplace(due, std::move(item));
    return arm(now);
  }

  /// A timer has passed. Returns the items that are due.
  [[nodiscard]] std::vector<Item> take_due(moment now) {
    std::vector<Item> due;
    const auto end = items_.upper_bound(now);
    for (auto each = items_.begin(); each != end; ++each)
      due.push_back(std::move(each->second));
    items_.erase(items_.begin(), end);
    armed_for_.reset();
    return due;
  }

  /// After the items of `take_due` were handled: the time after which the caller must call `take_due` again.
  [[nodiscard]] std::optional<duration> arm(moment now) {
    if (items_.empty()) return std::nullopt;
    const auto next = std::max(items_.begin()->first, now + grain);
    if (armed_for_ && *armed_for_ <= next) return std::nullopt;
    armed_for_ = next;
    return next - now;
  }

 private:
  std::multimap<moment, Item> items_;
  /// When the running timer passes.
  std::optional<moment> armed_for_;
};

}  // namespace hypermesh::actors
