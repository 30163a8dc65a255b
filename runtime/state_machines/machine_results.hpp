#pragma once

#include <string_view>

#include <hypermesh/state_machine.hpp>

namespace hypermesh::machines {

[[nodiscard]] inline operation_result applied(byte_vector payload = {}) {
  return {operation_status::applied, std::move(payload)};
}

[[nodiscard]] inline operation_result refused(std::string_view why) {
  return {operation_status::refused, to_byte_vector(why)};
}

[[nodiscard]] inline operation_result malformed(std::string_view why) {
  return {operation_status::malformed, to_byte_vector(why)};
}

}  // namespace hypermesh::machines
