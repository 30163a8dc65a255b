#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "actors/ports.hpp"
#include "messages/expected.hpp"
#include "runtime/state_machines/machine_answer.hpp"

/// The state machines that come with the product, by name.
namespace hypermesh::machines {

/// The names as a list for people: "key-value, scheduler, redis, null".
[[nodiscard]] std::string state_machine_names();

/// Makes a machine in its initial state. The failure lists the known names.
[[nodiscard]] or_reason<std::unique_ptr<state_machine>> make_state_machine(std::string_view name);

/// Encodes the operation of `machine` that the words of a command line describe. The failure says what to write
/// instead.
[[nodiscard]] or_reason<byte_vector> parse_operation(std::string_view machine, std::span<const std::string> words);

/// Whether the encoded `operation` only reads, so `machine` changes nothing when it executes it. False for bytes that
/// are not an operation of the machine, and for an unknown machine.
[[nodiscard]] bool is_read(std::string_view machine, byte_span operation);

/// Interprets the machine's result of the operation `submitted`.
[[nodiscard]] machine_answer interpret(std::string_view machine, byte_span submitted, const operation_result& result);

/// The operations of `machine`, one on each line; empty for an unknown name.
[[nodiscard]] std::string_view operations_usage(std::string_view machine);

}  // namespace hypermesh::machines
