#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The commands of the machine "redis": the one table that the machine, COMMAND of the gateway and the help share.
namespace hypermesh::machines::redis {

/// What a command does to the database. The kind decides whether a query may answer the command, whether the sweep runs
/// in front of it, and whether it is refused when the memory is full.
enum class command_kind {
  /// The command changes nothing, so a query may answer it.
  read,
  /// The command changes keys, and is also executed if the memory is full, for example DEL.
  write,
  /// The command may need memory: it is refused if the content is at its bound.
  growing_write,
};

/// The facts about one command, as COMMAND INFO of Redis shows them. The gateway checks the arity when it queues a
/// command of a transaction, and takes the keys for WATCH and COMMAND GETKEYS from here.
struct command_specification {
  /// In lower case, for example "set".
  std::string_view name;
  /// The number of words with the name, or the negative of the least number, for example 2 for GET and -3 for SET.
  int arity = 1;
  command_kind kind = command_kind::read;
  /// The word number of the first key, or 0 if there is none at a fixed place.
  int first_key = 0;
  /// The word number of the last key; negative numbers count from the end, so -1 is the last word.
  int last_key = 0;
  /// The distance from one key to the next one.
  int key_step = 0;
  /// The word number of a count of keys, which then follow it, or 0, for example 2 for ZUNIONSTORE.
  int key_count_at = 0;
  /// The group in COMMAND DOCS: "string", "hash", "list", "set", "sorted-set", "generic" or "connection".
  std::string_view group;

  [[nodiscard]] bool is_write() const { return kind != command_kind::read; }
};

/// All commands, in ascending order of their names.
[[nodiscard]] std::span<const command_specification> command_table();

/// The command of this name, in any case; null for an unknown one.
[[nodiscard]] const command_specification* find_command(std::string_view name);

/// The text in which ASCII capitals are replaced by small letters, as Redis compares names and options.
[[nodiscard]] std::string lowered(std::string_view text);

/// Whether a command with this number of words, including the name, has a valid number of arguments.
[[nodiscard]] bool is_arity_valid(const command_specification& specification, std::size_t words);

/// The numbers of the words that are keys, in ascending order of their places in the table. Empty if the words do not
/// suit the command.
[[nodiscard]] std::vector<std::size_t> key_places(std::span<const std::string> words);

}  // namespace hypermesh::machines::redis
