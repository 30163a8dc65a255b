#pragma once

#include <limits>
#include <map>
#include <unordered_set>
#include <vector>

#include "tests/simulation/key_model.hpp"
#include "tests/simulation/linearizability.hpp"

namespace hypermesh::testing {

/// An operation on the key that is searched.
struct key_operation {
  static constexpr moment never = moment::max();
  static constexpr std::size_t none = std::numeric_limits<std::size_t>::max();

  key_value::operation what;
  moment invoked;
  /// `never` means that the result is unknown, and that the operation may not have happened.
  moment returned = never;
  operation_result result;
  /// The index of the operation of the same request that executes directly before this operation.
  std::size_t after = none;
};

enum class search_outcome : std::uint8_t { linearizable, violated, undecided };

/// Searches for an order of the operations on one key that explains their results. Pure. Memory: `states_max` places,
/// and a step for each pair of operation and value that occurred. Each place has one bit for each operation between the
/// first that is not placed and the last that is placed.
class linearization_search {
 public:
  /// `operations` must be in the order of their invocations.
  linearization_search(std::vector<key_operation> operations, std::uint64_t states_max);

  [[nodiscard]] search_outcome run();
  [[nodiscard]] std::uint64_t states() const { return states_; }

 private:
  /// A place in the search. `trail_` lists the placed operations; going back undoes its part from `begin`.
  struct place {
    std::size_t begin = 0;
    /// Operations of lower ranks were tried already.
    std::size_t rank = 0;
    value_number value = 0;
  };
  struct transition {
    bool fits = false;
    value_number after = 0;
  };

  void put(std::size_t index);
  void undo(std::size_t begin);
  /// Places all operations that only read and whose results fit now.
  void absorb(value_number value);
  bool absorb_once(value_number value);
  /// The first operation with a rank of at least `rank` that may be next, fits the value and makes a difference.
  [[nodiscard]] std::size_t find_next(std::size_t rank, value_number value);
  [[nodiscard]] bool may_be_next(std::size_t index) const;
  /// The end of the candidates for the next place. An operation at this index or later was invoked after some operation
  /// had returned that is not placed yet, so it cannot be next.
  [[nodiscard]] std::size_t horizon() const;
  [[nodiscard]] transition transition_of(std::size_t index, value_number value);
  /// Returns false if the search has been at this place before.
  bool remember(value_number value);

  std::vector<key_operation> operations_;
  std::uint64_t states_max_;
  std::uint64_t states_ = 0;
  key_model model_;
  std::vector<std::map<value_number, transition>> transitions_;
  /// The ranks by the times of return. This order is close to the order of execution, so the first try usually fits.
  std::vector<std::size_t> ranks_;
  /// Whether the result of each operation says that it changed nothing.
  std::vector<bool> reads_;
  /// Whether another operation executes after each operation.
  std::vector<bool> leads_;
  std::vector<bool> placed_;
  /// Every operation before this one is placed.
  std::size_t first_open_ = 0;
  /// The number of returned operations that are not placed.
  std::size_t open_ = 0;
  std::vector<std::size_t> trail_;
  std::vector<place> path_;
  std::unordered_set<std::string> visited_;
};

}  // namespace hypermesh::testing
