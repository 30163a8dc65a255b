#pragma once

#include <string_view>

#include <hypermesh/state_machine.hpp>

namespace hypermesh::cli {

/// The name of the status in JSON and in reports.
[[nodiscard]] constexpr std::string_view name_of(operation_status status) {
  switch (status) {
    case operation_status::applied:
      return "applied";
    case operation_status::refused:
      return "refused";
    case operation_status::malformed:
      return "malformed";
    case operation_status::result_too_large:
      return "result_too_large";
  }
  return "unknown";
}

}  // namespace hypermesh::cli
