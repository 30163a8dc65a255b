#pragma once

#include <nlohmann/json.hpp>

#include "messages/values.hpp"

namespace hypermesh::http {

/// The JSON form of the report of a node: view, positions, and all counters by name. `/api/v1/status` and `hypermesh
/// status --report json` have the same keys because both use this function. The caller adds what only it knows.
[[nodiscard]] nlohmann::ordered_json json_of_report(const node_report& report);

}  // namespace hypermesh::http
