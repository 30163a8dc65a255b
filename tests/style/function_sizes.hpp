#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hypermesh::style {

struct function_size {
  /// The words before the parameter list, for the report.
  std::string name;
  /// First line of the declaration, from 1.
  std::size_t line = 0;
  /// From the first line of the declaration to the closing brace.
  std::size_t lines = 0;
};

/// The functions of a file, from its `statements` view (see source_text). A heuristic that matches braces: a body in a
/// namespace or class is a function when its head has a parameter list; lambdas and local classes count with their
/// function.
[[nodiscard]] std::vector<function_size> measure_functions(std::string_view statements);

}  // namespace hypermesh::style
