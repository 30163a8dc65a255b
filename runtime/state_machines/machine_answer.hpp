#pragma once

#include <optional>
#include <string>

#include "actors/ports.hpp"

namespace hypermesh {

/// The meaning of a machine's result, for people and for programs.
struct machine_answer {
  /// The status of the result. It is also `refused` if the operation had a condition that did not hold and so changed
  /// nothing: a failed compare-and-swap.
  operation_status status = operation_status::applied;
  /// For people: one line, or several for a report. It contains no control characters for a terminal, and no two values
  /// look alike.
  std::string line;
  /// For programs: the answer as UTF-8; a value that was read appears unchanged. Nothing if there is no value, or if
  /// `bytes` has it.
  std::optional<std::string> text;
  /// A value that is not UTF-8.
  std::optional<byte_vector> bytes;
};

/// The answer of an applied operation, as a text of the machine.
[[nodiscard]] machine_answer text_answer(std::string text);

/// The answer of an applied operation, as a value that a client stored.
[[nodiscard]] machine_answer value_answer(byte_span value);

/// The operation was applied and has no value to return: (none).
[[nodiscard]] machine_answer no_value_answer();

/// The answer to an operation that was not applied, or whose result was too large.
[[nodiscard]] machine_answer unapplied_answer(const operation_result& result);

}  // namespace hypermesh
