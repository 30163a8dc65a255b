#include "tools/hypermesh/terminal/duration_option.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace hypermesh::cli {

namespace {

constexpr std::array<std::pair<std::string_view, double>, 6> units = {
    {{"", 1}, {"s", 1}, {"ms", 0.001}, {"m", 60}, {"min", 60}, {"h", 3'600}}};

}  // namespace

std::optional<double> seconds_of(std::string_view text) {
  const auto number = text.substr(0, text.find_first_not_of("0123456789."));
  auto unit = text.substr(number.size());
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  const auto* const known = std::ranges::find(units, unit, &std::pair<std::string_view, double>::first);
  double value = 0;
  const auto [end, wrong] =
      std::from_chars(number.data(), number.data() + number.size(), value, std::chars_format::fixed);
  const bool is_number = wrong == std::errc{} && end == number.data() + number.size();
  if (!is_number || known == units.end()) return std::nullopt;
  return value * known->second;
}

CLI::Validator duration_between(double seconds_min, double seconds_max) {
  return CLI::Validator{[seconds_min, seconds_max](std::string& text) -> std::string {
                          const auto seconds = seconds_of(text);
                          if (!seconds)
                            return fmt::format("'{}' is not a time; write 5s, 500ms, 2min, or a number of seconds",
                                               text);
                          if (*seconds < seconds_min || *seconds > seconds_max) {
                            return fmt::format("'{}' is out of range; write a time from {} to {} seconds", text,
                                               seconds_min, seconds_max);
                          }
                          text = fmt::format("{}", *seconds);
                          return {};
                        },
                        ""};
}

}  // namespace hypermesh::cli
