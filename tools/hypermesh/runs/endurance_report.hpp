#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/runs/endurance_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// The report for people: one row for each tenth of the operations, then the growth of memory and disk, the pauses of
/// checkpoints, lost or doubled operations, divergence, and a verdict.
[[nodiscard]] std::string text_of(const endurance_result& result, const text_style& style);

/// The report for programs. tools/README.md describes the keys.
[[nodiscard]] nlohmann::ordered_json json_of(const endurance_result& result);

}  // namespace hypermesh::cli
