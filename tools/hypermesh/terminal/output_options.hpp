#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

/// The option -o table|json. A command with more columns than a terminal has also takes "wide".
struct output_options {
  std::string format = "table";

  [[nodiscard]] bool is_json() const { return format == "json"; }
  [[nodiscard]] bool is_wide() const { return format == "wide"; }
};

inline void add_output_option(CLI::App& command, output_options& into) {
  command.add_option("-o,--output", into.format, "table, or json with stable keys")
      ->check(one_of({"table", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
}

inline void add_wide_output_option(CLI::App& command, output_options& into) {
  command
      .add_option("-o,--output", into.format, "table of 80 columns, wide with all columns, or json with stable keys")
      ->check(one_of({"table", "wide", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
}

}  // namespace hypermesh::cli
