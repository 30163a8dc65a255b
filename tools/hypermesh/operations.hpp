#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "runtime/state_machines/checked.hpp"
#include "tools/hypermesh/cluster_session.hpp"
#include "tools/hypermesh/output_options.hpp"

namespace hypermesh::cli {

/// The words of a line: separated by spaces or tabs; "…" holds several, with \" and \\ inside. The failure says which
/// quotation mark is alone.
[[nodiscard]] checked<std::vector<std::string>> words_of(std::string_view line);

/// What became of one operation, ready to be printed.
struct shown_outcome {
  exit_code code = exit_code::ok;
  /// What the machine answered, which may have several lines; or `malformed: WHY`, or `error: NAME`.
  std::string line;
  /// The keys `status`, `result`, `result_hex` and `payload`.
  nlohmann::ordered_json json;
};

/// `operation` is what was submitted.
[[nodiscard]] shown_outcome show_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome);
/// A line of stdin that is no operation.
[[nodiscard]] shown_outcome show_malformed(std::string_view why);

/// Exactly one line on stdout.
void print_outcome_line(const shown_outcome& shown, bool as_json);

/// Prints what the machine answered, or reports why there is no answer.
[[nodiscard]] exit_code print_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome,
                                      bool as_json);

/// Of two exit codes that of the worse outcome.
[[nodiscard]] exit_code worse_of(exit_code left, exit_code right);

/// Lines for a command's help: the operations of every machine.
[[nodiscard]] std::string all_operations_usage();

}  // namespace hypermesh::cli
