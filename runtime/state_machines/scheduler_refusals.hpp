#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/scheduler_operations.hpp"

namespace hypermesh::machines::scheduler {

/// The refusal of an operation about a task or a node that does not exist. A client may send any bytes as a name, so
/// the answer repeats the name only if it is valid.
[[nodiscard]] inline operation_result refused_unknown(std::string_view kind, std::string_view name) {
  if (!is_name(name)) return refused("a name has 1 to 64 visible characters");
  return refused(fmt::format("there is no {} {}", kind, name));
}

}  // namespace hypermesh::machines::scheduler
