#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/runs/chaos_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// One row for each kill, then what was lost, doubled or diverged, and a verdict.
[[nodiscard]] std::string text_of(const chaos_result& result, const text_style& style);

/// The same for programs. Keys: tools/README.md.
[[nodiscard]] nlohmann::ordered_json json_of(const chaos_result& result);

}  // namespace hypermesh::cli
