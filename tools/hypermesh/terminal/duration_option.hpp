#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>

namespace hypermesh::cli {

/// The number of seconds for a text such as "5s", "500ms", "2min", "2m" or "1h". A number without a unit is in seconds.
/// A number consists of decimal digits and a point only. Returns nothing for any other text.
[[nodiscard]] std::optional<double> seconds_of(std::string_view text);

[[nodiscard]] inline std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::milliseconds{static_cast<std::int64_t>(1'000 * seconds)};
}

/// A validator for `transform` of an option that is a number of seconds. It reads the text as `seconds_of` does, and
/// refuses values outside of the bounds.
[[nodiscard]] CLI::Validator duration_between(double seconds_min, double seconds_max);

}  // namespace hypermesh::cli
