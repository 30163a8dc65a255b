#pragma once

#include <map>
#include <string>

#include "tools/hypermesh/command.hpp"

namespace hypermesh::cli {

/// -o table|json
struct output_options {
  std::string format = "table";

  [[nodiscard]] bool is_json() const { return format == "json"; }
};

/// Turns "5s", "500ms" or "2min" into seconds; a number without a unit is seconds.
inline CLI::Validator duration_option() {
  return CLI::AsNumberWithUnit(std::map<std::string, double>{{"ms", 0.001}, {"s", 1.0}, {"min", 60.0}},
                               CLI::AsNumberWithUnit::UNIT_OPTIONAL, "TIME");
}

inline void add_output_option(CLI::App& command, output_options& into) {
  command.add_option("-o,--output", into.format, "table, or json with stable keys")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
}

}  // namespace hypermesh::cli
