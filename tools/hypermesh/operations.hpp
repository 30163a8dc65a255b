#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/hypermesh/cluster_session.hpp"
#include "tools/hypermesh/output_options.hpp"

namespace hypermesh::cli {

/// The words of a line: separated by spaces or tabs; "…" holds several, with \" and \\ inside.
[[nodiscard]] std::vector<std::string> words_of(std::string_view line);

/// Prints what the machine answered, or reports why there is no answer. `operation` is what was submitted.
[[nodiscard]] exit_code print_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome,
                                      bool as_json);

/// Of two exit codes that of the worse outcome.
[[nodiscard]] exit_code worse_of(exit_code left, exit_code right);

/// Lines for a command's help: the operations of every machine.
[[nodiscard]] std::string all_operations_usage();

}  // namespace hypermesh::cli
