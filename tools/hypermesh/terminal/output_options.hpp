#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace hypermesh::cli {

/// The option -o table|json.
struct output_options {
  std::string format = "table";

  [[nodiscard]] bool is_json() const { return format == "json"; }
};

inline void add_output_option(CLI::App& command, output_options& into) {
  command.add_option("-o,--output", into.format, "table, or json with stable keys")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
}

}  // namespace hypermesh::cli
