#pragma once

#include <optional>
#include <string>

#include <hypermesh/state_machine.hpp>

namespace hypermesh::machines {

/// The meaning of a machine's result, for people and for programs.
struct machine_answer {
  /// The status of the result. It is also `refused` if the condition of the operation was false, so the operation
  /// changed nothing. Example: a failed compare-and-swap.
  operation_status status = operation_status::applied;
  /// The answer for people: one line, or several lines for a report. It contains no control characters for a terminal,
  /// and different values always look different.
  std::string line;
  /// The answer for programs, as UTF-8. A value that was read appears unchanged. Nothing if there is no value, or if
  /// `bytes` has the value.
  std::optional<std::string> text;
  /// The value, if it is not UTF-8.
  std::optional<byte_vector> bytes;
};

/// The answer of an applied operation, as a text of the machine.
[[nodiscard]] machine_answer text_answer(std::string text);

/// The answer of an applied operation, as a value that a client stored.
[[nodiscard]] machine_answer value_answer(byte_span value);

/// The answer (none) of an applied operation that has no value to return.
[[nodiscard]] machine_answer no_value_answer();

/// The answer to an operation that was not applied, or whose result was too large.
[[nodiscard]] machine_answer unapplied_answer(const operation_result& result);

}  // namespace hypermesh::machines
