#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tools/hypermesh/runs/absence_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// The load in its phases, the return of the replica, what was lost, doubled or diverged, and a verdict.
[[nodiscard]] std::string text_of(const absence_result& result, const text_style& style);

/// The same for programs. Keys: tools/README.md.
[[nodiscard]] nlohmann::ordered_json json_of(const absence_result& result);

}  // namespace hypermesh::cli
