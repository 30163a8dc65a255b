#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::testing {

/// The number of a value of one key; 0 means that the key has no value.
using value_number = std::uint32_t;

/// The effect of an operation on one key of the key-value store, implemented a second time without a store. Operations
/// on different keys are independent unless the store is full, and no simulated run fills it. Pure. Memory: every value
/// that the key had or could have.
class key_model {
 public:
  key_model();

  struct step {
    operation_result result;
    value_number after = 0;
  };

  /// The result of `operation` when the key has the value `before`.
  [[nodiscard]] step apply(const key_value::operation& operation, value_number before);

 private:
  struct acting;

  value_number number_of(byte_span value);

  /// The values by number. They point to the keys of the map, which never move.
  std::vector<const byte_vector*> values_;
  std::map<byte_vector, value_number> numbers_;
};

/// The key that an operation touches.
[[nodiscard]] byte_span key_of(const key_value::operation& operation);

}  // namespace hypermesh::testing
