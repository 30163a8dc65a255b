#pragma once

#include <optional>
#include <string>

#include "actors/ports.hpp"

namespace hypermesh {

/// What a machine's result says, for people and for programs.
struct machine_answer {
  /// That of the result; also `refused` where the operation has a condition that did not hold, so that it changed
  /// nothing: a failed compare-and-swap.
  operation_status status = operation_status::applied;
  /// For people: a line, or several for a report. Nothing in it steers a terminal, and no two values look alike.
  std::string line;
  /// For programs: the answer as UTF-8; a value that was read comes as it is. Nothing: no value is there, or `bytes`.
  std::optional<std::string> text;
  /// A value that is not UTF-8.
  std::optional<byte_vector> bytes;
};

/// An applied operation's answer in the machine's own words.
[[nodiscard]] machine_answer text_answer(std::string text);

/// An applied operation's answer that is a value of a client's.
[[nodiscard]] machine_answer value_answer(byte_span value);

/// The operation was applied, and there is nothing that it could answer with: (none).
[[nodiscard]] machine_answer no_value_answer();

/// The answer to an operation that was not applied, or whose result was too large.
[[nodiscard]] machine_answer unapplied_answer(const operation_result& result);

}  // namespace hypermesh
