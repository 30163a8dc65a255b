#pragma once

#include <string>
#include <string_view>

#include "runtime/state_machines/redis/redis_operations.hpp"
#include "tools/hypermesh/gateway/resp_convert.hpp"
#include "tools/hypermesh/gateway/resp_reader.hpp"
#include "tools/hypermesh/gateway/resp_writer.hpp"

namespace hypermesh::cli {

/// All commands of the gateway: those of the machine `redis`, from the machine's own table, and those that the gateway
/// answers. Pure.

/// The name of a command in lower case, clipped to a length that no known name exceeds.
[[nodiscard]] std::string command_name(const command_words& words);

/// Whether there is a command of this name, in lower case.
[[nodiscard]] bool is_command(std::string_view name);

/// Whether the gateway answers this command outside of MULTI, by its name in lower case.
[[nodiscard]] bool is_own_command(std::string_view name);

/// Why a command cannot be executed: it is unknown, or has a wrong number of arguments. Empty if it can. The texts are
/// those of Redis 7.0.
[[nodiscard]] std::string command_flaw(const command_words& words);

/// How RESP2 shows the reply of the machine to this command.
[[nodiscard]] reply_shape shape_of(const machines::redis::command& command);

[[nodiscard]] std::string wrong_arguments(std::string_view name);
[[nodiscard]] std::string unknown_subcommand(std::string_view command, std::string_view subcommand);

/// The reply to COMMAND and its subcommands COUNT, LIST, INFO, DOCS and GETKEYS.
[[nodiscard]] std::string command_reply(const command_words& words, resp_version version);

}  // namespace hypermesh::cli
