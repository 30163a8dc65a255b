#include "tests/simulation/linearization_search.hpp"

#include <algorithm>
#include <numeric>

#include "messages/require.hpp"

namespace hypermesh::testing {

namespace {

/// Whether the result says that the operation changed nothing, whatever the state was.
bool only_reads(const key_operation& each) {
  if (each.returned == key_operation::never) return false;
  if (key_value::is_read(each.what) || each.result.status == operation_status::refused) return true;
  const bool has_flag = std::holds_alternative<key_value::remove>(each.what) ||
                        std::holds_alternative<key_value::compare_and_swap>(each.what);
  return has_flag && each.result == operation_result{operation_status::applied, {std::byte{0}}};
}

}  // namespace

linearization_search::linearization_search(std::vector<key_operation> operations, std::uint64_t states_max)
    : operations_(std::move(operations)),
      states_max_(states_max),
      transitions_(operations_.size()),
      ranks_(operations_.size()),
      reads_(operations_.size(), false),
      leads_(operations_.size(), false),
      placed_(operations_.size(), false) {
  require(std::ranges::is_sorted(operations_, {}, &key_operation::invoked), "operations come as they were invoked");
  for (std::size_t index = 0; index < operations_.size(); ++index) {
    const auto& each = operations_[index];
    reads_[index] = only_reads(each);
    if (each.after != key_operation::none) leads_.at(each.after) = true;
  }
  std::vector<std::size_t> order(operations_.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t index) { return operations_[index].returned; });
  for (std::size_t rank = 0; rank < order.size(); ++rank)
    ranks_[order[rank]] = rank;
  open_ = static_cast<std::size_t>(std::ranges::count_if(
      operations_, [](const key_operation& each) { return each.returned != key_operation::never; }));
}

search_outcome linearization_search::run() {
  path_.push_back({0, 0, 0});
  bool is_new = true;
  while (!path_.empty()) {
    const auto value = path_.back().value;
    if (is_new) {
      absorb(value);
      if (open_ == 0) return search_outcome::linearizable;
      if (!remember(value)) {
        undo(path_.back().begin);
        path_.pop_back();
        is_new = false;
        continue;
      }
      if (++states_ > states_max_) return search_outcome::undecided;
    }
    const auto chosen = find_next(path_.back().rank, value);
    is_new = chosen != key_operation::none;
    if (is_new) {
      path_.back().rank = ranks_[chosen] + 1;
      const auto begin = trail_.size();
      put(chosen);
      path_.push_back({begin, 0, transition_of(chosen, value).after});
    } else {
      undo(path_.back().begin);
      path_.pop_back();
    }
  }
  return search_outcome::violated;
}

void linearization_search::put(std::size_t index) {
  require(!placed_[index], "an operation is placed once");
  placed_[index] = true;
  trail_.push_back(index);
  if (operations_[index].returned != key_operation::never) --open_;
  while (first_open_ < placed_.size() && placed_[first_open_])
    ++first_open_;
}

void linearization_search::undo(std::size_t begin) {
  while (trail_.size() > begin) {
    const auto index = trail_.back();
    trail_.pop_back();
    placed_[index] = false;
    if (operations_[index].returned != key_operation::never) ++open_;
    first_open_ = std::min(first_open_, index);
  }
}

// If an operation changes nothing, may be next and has a fitting result, any valid order remains valid when it executes
// here. So the search places it at once and never tries an alternative, and reads cause no branches.
void linearization_search::absorb(value_number value) {
  while (absorb_once(value)) {
  }
}

bool linearization_search::absorb_once(value_number value) {
  const auto end = horizon();
  bool any = false;
  for (auto index = first_open_; index < end; ++index) {
    if (!reads_[index] || !may_be_next(index) || !transition_of(index, value).fits) continue;
    put(index);
    any = true;
  }
  return any;
}

std::size_t linearization_search::find_next(std::size_t rank, value_number value) {
  const auto end = horizon();
  auto best = key_operation::none;
  for (auto index = first_open_; index < end; ++index) {
    if (ranks_[index] < rank || (best != key_operation::none && ranks_[index] > ranks_[best])) continue;
    if (reads_[index] || !may_be_next(index)) continue;
    const auto step = transition_of(index, value);
    // An operation without a result that changes nothing matters only if another operation executes after it.
    const bool is_idle = operations_[index].returned == key_operation::never && step.after == value && !leads_[index];
    if (step.fits && !is_idle) best = index;
  }
  return best;
}

bool linearization_search::may_be_next(std::size_t index) const {
  const auto after = operations_[index].after;
  return !placed_[index] && (after == key_operation::none || placed_[after]);
}

std::size_t linearization_search::horizon() const {
  auto earliest = key_operation::never;
  auto index = first_open_;
  // Operations invoked later have returned later too, so the search ends at the first such operation.
  for (; index < operations_.size() && operations_[index].invoked <= earliest; ++index) {
    if (!placed_[index]) earliest = std::min(earliest, operations_[index].returned);
  }
  return index;
}

linearization_search::transition linearization_search::transition_of(std::size_t index, value_number value) {
  const auto [known, is_new] = transitions_[index].try_emplace(value);
  if (is_new) {
    const auto& each = operations_[index];
    const auto step = model_.apply(each.what, value);
    // If a result was too large for its reply, the client knows only that the operation was executed.
    const bool fits = each.returned == key_operation::never ||
                      each.result.status == operation_status::result_too_large || each.result == step.result;
    known->second = {fits, step.after};
  }
  return known->second;
}

bool linearization_search::remember(value_number value) {
  std::string name;
  const auto add = [&](std::uint64_t number) {
    for (; number >= 0x80; number >>= 7U)
      name.push_back(static_cast<char>(number | 0x80U));
    name.push_back(static_cast<char>(number));
  };
  add(value);
  add(first_open_);
  // One bit for each operation from `first_open_` to the horizon is enough: all operations before are placed, and no
  // operation at the horizon or later is.
  const auto end = horizon();
  std::uint64_t bits = 0;
  for (auto index = first_open_; index < end; ++index) {
    const auto offset = (index - first_open_) % 7;
    bits |= (placed_[index] ? 1ULL : 0ULL) << offset;
    if (offset == 6 || index + 1 == end) {
      add(bits);
      bits = 0;
    }
  }
  return visited_.insert(std::move(name)).second;
}

}  // namespace hypermesh::testing
