#include "tests/micro/ratio_table.hpp"

#include <cmath>
#include <sstream>

#include <fmt/format.h>

namespace hypermesh::testing {

or_reason<ratio_table> read_ratios(std::string_view text) {
  ratio_table table;
  std::istringstream lines{std::string{text}};
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words{line};
    std::string name;
    std::string more;
    stage_ratio ratio;
    if (!(words >> name >> ratio.time >> ratio.allocations) || words >> more || !std::isfinite(ratio.time) ||
        !std::isfinite(ratio.allocations) || ratio.time <= 0 || ratio.allocations < 0) {
      return invalid(fmt::format("line {} is not \"NAME TIME ALLOCATIONS\"", number));
    }
    if (!table.emplace(name, ratio).second) return invalid(fmt::format("line {} repeats {}", number, name));
  }
  if (table.empty()) return invalid("no line has a ratio");
  return table;
}

std::string text_of(const ratio_table& table) {
  std::string text =
      "# Processor time of a stage divided by that of BLAKE2b over 1 KiB, and allocations, for one item.\n"
      "# hypermesh_micro --write makes this file.\n";
  for (const auto& [name, ratio] : table)
    text += fmt::format("{} {:.3f} {:.2f}\n", name, ratio.time, ratio.allocations);
  return text;
}

std::vector<std::string> regressions(const ratio_table& measured, const ratio_table& stored) {
  std::vector<std::string> wrong;
  for (const auto& [name, ratio] : measured) {
    const auto found = stored.find(name);
    if (found == stored.end()) {
      wrong.push_back(fmt::format("{} has no stored ratio", name));
      continue;
    }
    const auto& old = found->second;
    if (ratio.time > ratio_factor_max * old.time)
      wrong.push_back(fmt::format("{} takes {:.2f} calibrations, stored are {:.2f}", name, ratio.time, old.time));
    // One more allocation in a stage that had none is a regression, and rounding is not.
    if (ratio.allocations > allocation_factor_max * old.allocations + 0.5) {
      wrong.push_back(
          fmt::format("{} makes {:.2f} allocations, stored are {:.2f}", name, ratio.allocations, old.allocations));
    }
  }
  for (const auto& [name, ratio] : stored) {
    if (!measured.contains(name)) wrong.push_back(fmt::format("{} is stored and was not measured", name));
  }
  return wrong;
}

}  // namespace hypermesh::testing
