#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runtime/state_machines/machine_answer.hpp"
#include "runtime/state_machines/redis/redis_operations.hpp"

/// Commands of the machine "redis" as words of a command line, and its replies as text.
namespace hypermesh::machines::redis {

/// The help text: an example, then the names of the commands of each group. `redis.io` describes their arguments.
[[nodiscard]] std::string_view usage();

/// Encodes the command that the words are, one argument of the command line for each word, so `set k "a b"` of a shell
/// has three words. The failure says what to write instead.
[[nodiscard]] or_reason<byte_vector> parse_operation(std::span<const std::string> words);

/// Whether the bytes are an operation that only reads.
[[nodiscard]] bool reads(byte_span operation_bytes);

/// A reply in the form of redis-cli, for example `(integer) 1`, or several lines for a list. Empty if the bytes are no
/// reply.
[[nodiscard]] std::string reply_text(byte_span reply);

/// Interprets the result of the operation `submitted`. An error of Redis is an operation that was refused.
[[nodiscard]] machine_answer interpret(byte_span submitted, const operation_result& result);

}  // namespace hypermesh::machines::redis
