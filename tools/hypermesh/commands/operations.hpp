#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "messages/expected.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

/// Splits a line into words at spaces or tabs. Double quotes group several words; inside of them, \" and \\ stand for
/// the characters. The failure names the quotation mark without a counterpart.
[[nodiscard]] or_reason<std::vector<std::string>> words_of(std::string_view line);

/// The outcome of one operation in the form for printing.
struct shown_outcome {
  exit_code code = exit_code::ok;
  /// The machine's answer, which may have several lines; or `malformed: WHY`, or `error: NAME`.
  std::string line;
  /// The keys `status`, `result`, `result_hex` and `payload`.
  nlohmann::ordered_json json;
};

/// `operation` contains the submitted bytes.
[[nodiscard]] shown_outcome show_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome);
/// The outcome of a line of stdin that is not a valid operation.
[[nodiscard]] shown_outcome show_malformed(std::string_view why);

/// Whether an operation of the cluster's machine only reads.
[[nodiscard]] operation_kind kind_of_operation(const genesis& cluster, byte_span operation);

/// Prints exactly one line on stdout.
void print_outcome_line(const shown_outcome& shown, bool as_json);

/// Prints the machine's answer, or reports the reason why there is none.
[[nodiscard]] exit_code print_outcome(const genesis& cluster, byte_span operation, const submit_outcome& outcome,
                                      bool as_json);

/// The worse of two exit codes.
[[nodiscard]] exit_code worse_of(exit_code left, exit_code right);

/// Returns an error if this program does not know the operations of the cluster's state machine, because a host
/// application brings the machine.
[[nodiscard]] or_error<void> check_machine(const genesis& cluster);

/// The operations of every machine, as lines for the help of a command.
[[nodiscard]] std::string all_operations_usage();

}  // namespace hypermesh::cli
