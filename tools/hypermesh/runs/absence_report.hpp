#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/runs/absence_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// The report for people: the load in its phases, the return of the replica, lost or doubled operations, divergence,
/// and a verdict.
[[nodiscard]] std::string text_of(const absence_result& result, const text_style& style);

/// The report for programs. tools/README.md describes the keys.
[[nodiscard]] nlohmann::ordered_json json_of(const absence_result& result);

}  // namespace hypermesh::cli
