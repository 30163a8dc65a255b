#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/expected.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

/// The words of a line, separated by spaces or tabs. Double quotes group several words; inside of them \" and \\ stand
/// for the characters. The failure names the quotation mark that has no counterpart.
[[nodiscard]] or_reason<std::vector<std::string>> words_of(std::string_view line);

/// The outcome of one operation, ready to be printed.
struct shown_outcome {
  exit_code code = exit_code::ok;
  /// The machine's answer, which may have several lines; or `malformed: WHY`, or `error: NAME`.
  std::string line;
  /// The keys `status`, `result`, `result_hex` and `payload`.
  nlohmann::ordered_json json;
};

/// `operation` holds the submitted bytes.
[[nodiscard]] shown_outcome show_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome);
/// The outcome of a line of stdin that is no operation.
[[nodiscard]] shown_outcome show_malformed(std::string_view why);

/// Prints exactly one line on stdout.
void print_outcome_line(const shown_outcome& shown, bool as_json);

/// Prints the machine's answer, or reports why there is none.
[[nodiscard]] exit_code print_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome,
                                      bool as_json);

/// The exit code of the worse outcome.
[[nodiscard]] exit_code worse_of(exit_code left, exit_code right);

/// An error if this program does not know the operations of the cluster's state machine, because a host application
/// brings it.
[[nodiscard]] or_error<void> check_machine(const genesis& cluster);

/// Lines for a command's help: the operations of every machine.
[[nodiscard]] std::string all_operations_usage();

}  // namespace hypermesh::cli
