#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/runs/gap_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// The run for people.
[[nodiscard]] std::string text_of(const gap_result& result, const text_style& style);

/// The run for programs. The keys are listed in `tools/README.md`.
[[nodiscard]] nlohmann::ordered_json json_of(const gap_result& result);

}  // namespace hypermesh::cli
