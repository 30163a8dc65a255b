#include "tools/hypermesh/bench/arrival_times.hpp"

#include <cmath>

namespace hypermesh::cli {

std::string_view to_string(arrival_spacing spacing) { return spacing == arrival_spacing::poisson ? "poisson" : "even"; }

arrival_times::arrival_times(double rate, arrival_spacing spacing, std::uint64_t seed)
    : gap_us_(1e6 / rate), spacing_(spacing), random_(seed) {}

duration arrival_times::next() {
  if (spacing_ == arrival_spacing::even) {
    next_us_ += gap_us_;
  } else {
    // 53 random bits give a number from 0 to just below 1, so the logarithm is finite.
    const auto share = static_cast<double>(random_.next() >> 11U) * 0x1p-53;
    next_us_ -= gap_us_ * std::log1p(-share);
  }
  return duration{static_cast<duration::rep>(next_us_)};
}

}  // namespace hypermesh::cli
