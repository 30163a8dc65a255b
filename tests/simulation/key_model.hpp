#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::testing {

/// A value of one key, numbered; 0 is "none".
using value_number = std::uint32_t;

/// The effect of an operation on one key of the key-value store, written a second time and without a store around it:
/// operations on different keys are independent as long as the store is not full, which no simulated run fills. Pure.
/// Memory: every value that the key was seen or computed to have.
class key_model {
 public:
  key_model();

  struct step {
    operation_result result;
    value_number after = 0;
  };

  /// What `operation` yields where the key has the value `before`.
  [[nodiscard]] step apply(const key_value::operation& operation, value_number before);

 private:
  struct acting;

  value_number number_of(byte_span value);

  /// By number; the bytes are the map's keys, which stay where they are.
  std::vector<const byte_vector*> values_;
  std::map<byte_vector, value_number> numbers_;
};

/// The key that an operation touches.
[[nodiscard]] byte_span key_of(const key_value::operation& operation);

}  // namespace hypermesh::testing
