#pragma once

#include <optional>
#include <string_view>

#include <CLI/CLI.hpp>

namespace hypermesh::cli {

/// The seconds that "5s", "500ms", "2min", "2m" or "1h" means; a number without a unit is seconds. Nothing for
/// everything else: only decimal digits and a point make a number.
[[nodiscard]] std::optional<double> seconds_of(std::string_view text);

/// For `transform` of an option that is a number of seconds: reads it as `seconds_of` does, and refuses what lies
/// outside of the bounds.
[[nodiscard]] CLI::Validator duration_between(double seconds_min, double seconds_max);

}  // namespace hypermesh::cli
