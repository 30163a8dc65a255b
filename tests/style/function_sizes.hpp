#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace hypermesh::style {

struct function_size {
  /// The words before the parameter list. The report shows them.
  std::string name;
  /// The first line of the declaration, counted from 1.
  std::size_t line = 0;
  /// The number of lines from the declaration to the closing brace.
  std::size_t lines = 0;
};

/// Measures the functions of a file from its `statements` view (see source_text). The function is a heuristic that
/// matches braces: a body in a namespace or class is a function when its head has a parameter list. Lambdas and local
/// classes count with their enclosing function.
[[nodiscard]] std::vector<function_size> measure_functions(std::string_view statements);

}  // namespace hypermesh::style
