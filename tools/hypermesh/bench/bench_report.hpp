#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "tools/hypermesh/bench/bench_session.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

/// The result as text of at most 80 columns, with what makes it doubtful at its end.
[[nodiscard]] std::string text_of(const bench_result& result, const text_style& style);

/// The result with settings, environment and seed. The keys stand in `../schema/bench.json`.
[[nodiscard]] nlohmann::ordered_json json_of(const bench_result& result);

}  // namespace hypermesh::cli
