#include <array>

#include <hypermesh/receipt.hpp>

namespace hypermesh {

// Programs read these names in JSON, so a name never changes. The order is that of the enumerators, and the assertions
// fail if one is added without a name.

std::string_view to_string(receipt_strength what) {
  static constexpr std::array<std::string_view, 3> names = {"insufficient", "sufficient", "quorum"};
  static_assert(names.size() == static_cast<std::size_t>(receipt_strength_last) + 1);
  return names[static_cast<std::size_t>(what)];
}

std::string_view to_string(receipt_contradiction what) {
  static constexpr std::array<std::string_view, 4> names = {"none", "two_statements", "executed_twice", "time_fell"};
  static_assert(names.size() == static_cast<std::size_t>(receipt_contradiction_last) + 1);
  return names[static_cast<std::size_t>(what)];
}

}  // namespace hypermesh
