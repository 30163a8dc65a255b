#pragma once

#include <cstdint>
#include <string_view>

#include "messages/time.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::cli {

/// How the intended send times of an open loop follow each other.
enum class arrival_spacing : std::uint8_t {
  /// The gaps are exponential, so the operations arrive as those of many independent users do.
  poisson,
  /// All gaps are equal.
  even,
};

[[nodiscard]] std::string_view to_string(arrival_spacing spacing);

/// The intended send times of an open loop, as times since its beginning. They follow from the rate and the seed alone
/// and never from the answers, so a cluster that stalls does not delay the load that measures it. Pure.
class arrival_times {
 public:
  /// `rate` is a number of operations in a second, above 0.
  arrival_times(double rate, arrival_spacing spacing, std::uint64_t seed);

  /// The next time. The times never decrease.
  [[nodiscard]] duration next();

 private:
  double gap_us_;
  arrival_spacing spacing_;
  splitmix64 random_;
  double next_us_ = 0;
};

}  // namespace hypermesh::cli
