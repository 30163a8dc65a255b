#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/runs/chaos_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// The report for people: one row for each kill, then lost or doubled operations, divergence, and a verdict.
[[nodiscard]] std::string text_of(const chaos_result& result, const text_style& style);

/// The report for programs. tools/README.md describes the keys.
[[nodiscard]] nlohmann::ordered_json json_of(const chaos_result& result);

}  // namespace hypermesh::cli
