#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "messages/expected.hpp"

namespace hypermesh::testing {

/// The cost of one stage: processor time divided by that of the calibration, and allocations, for one item.
struct stage_ratio {
  double time = 0;
  double allocations = 0;
};

using ratio_table = std::map<std::string, stage_ratio>;

/// A stage may be this many times slower than stored. Processors differ in the relative speed of hashes, memory and
/// locks, and other processes share caches with the run.
inline constexpr double ratio_factor_max = 3;
/// Allocations for one item do not depend on the machine. Containers that grow make them differ a little between runs
/// of different length.
inline constexpr double allocation_factor_max = 1.1;

/// Reads lines "NAME TIME ALLOCATIONS". A line that begins with # is a comment. The failure names the line.
[[nodiscard]] or_reason<ratio_table> read_ratios(std::string_view text);
/// The text that `read_ratios` reads, with a heading.
[[nodiscard]] std::string text_of(const ratio_table& table);

/// What is wrong with the measured stages, one sentence for each; empty if nothing is. A stage that is stored and was
/// not measured is wrong, and the other way round.
[[nodiscard]] std::vector<std::string> regressions(const ratio_table& measured, const ratio_table& stored);

}  // namespace hypermesh::testing
