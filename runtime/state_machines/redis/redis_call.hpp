#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/state_machines/redis/redis_keyspace.hpp"
#include "runtime/state_machines/redis/redis_reply.hpp"
#include "runtime/state_machines/redis/redis_work.hpp"

namespace hypermesh::machines::redis {

/// The errors of Redis, with its texts, because programs compare them. An error begins with its code, which clients
/// turn into the kind of an exception.
namespace errors {
inline constexpr std::string_view wrong_type = "WRONGTYPE Operation against a key holding the wrong kind of value";
inline constexpr std::string_view syntax = "ERR syntax error";
inline constexpr std::string_view not_an_integer = "ERR value is not an integer or out of range";
inline constexpr std::string_view not_a_float = "ERR value is not a valid float";
inline constexpr std::string_view overflow = "ERR increment or decrement would overflow";
inline constexpr std::string_view not_finite = "ERR increment would produce NaN or Infinity";
inline constexpr std::string_view no_such_key = "ERR no such key";
inline constexpr std::string_view not_positive = "ERR value is out of range, must be positive";
inline constexpr std::string_view out_of_range = "ERR value is out of range";
inline constexpr std::string_view string_too_long = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
inline constexpr std::string_view out_of_memory = "OOM command not allowed when used memory > 'maxmemory'.";

// Errors of bounds that Redis does not have. The texts name the bound, so the person who reads one knows what to do:
// use smaller ranges, or split the collection.
inline constexpr std::string_view too_costly =
    "ERR the command takes more than the 100000 steps of an operation, or more than its batch has left: use a smaller "
    "range, or try again";
inline constexpr std::string_view reply_too_long =
    "ERR the reply would be longer than 262144 bytes, the bound of the results of one operation";
inline constexpr std::string_view pattern_too_long = "ERR a pattern has at most 1024 bytes";
inline constexpr std::string_view key_too_long = "ERR a key has at most 1023 bytes";
inline constexpr std::string_view member_too_long = "ERR a member or field has at most 1015 bytes";
static_assert(key_bytes_max == 1023 && member_bytes_max == 1015 && limits::result_bytes_max == 262'144);
static_assert(work_budget::units_max_default == 100'000);
}  // namespace errors

/// One command while it is executed: its words, where its reply goes, and the work that is left. The functions read the
/// words as Redis does. If one of them returns no value or false, it has written the error to the reply, and the
/// command returns without a change.
///
/// Owned by the machine for the time of one command. The words and the reply live longer than the call.
struct call {
  /// The name of the command, then its arguments. Their number suits the arity in the table.
  std::span<const std::string> words;
  reply_writer& reply;
  /// Shared by all commands of a transaction.
  work_budget& work;

  [[nodiscard]] const std::string& word(std::size_t number) const { return words[number]; }
  [[nodiscard]] std::size_t size() const { return words.size(); }
  /// A word in lower case, to compare it with the name of an option. Empty for a word that is longer than any name.
  [[nodiscard]] std::string option(std::size_t number) const;
  /// The name of the command in lower case.
  [[nodiscard]] std::string name() const { return option(0); }

  void error(std::string_view text) const { reply.error(text); }
  /// For commands whose number of arguments depends on more than the arity, for example MSET, which takes pairs.
  void wrong_arity() const;

  /// A word as a 64-bit integer: decimal digits without a plus sign, leading zeros or spaces.
  [[nodiscard]] std::optional<std::int64_t> integer(std::size_t number,
                                                    std::string_view otherwise = errors::not_an_integer) const;
  /// A word as a score or as an operand of INCRBYFLOAT.
  [[nodiscard]] std::optional<decimal> number(std::size_t place,
                                              std::string_view otherwise = errors::not_a_float) const;
  /// A score, or a weight of scores.
  [[nodiscard]] std::optional<decimal> score(std::size_t place, std::string_view otherwise = errors::not_a_float) const;
  /// A count that may not be negative.
  [[nodiscard]] std::optional<std::size_t> positive(std::size_t number) const;
  /// Takes `units` of work, or writes the error that the command costs too much. A command that changes something asks
  /// before its first change, because it cannot stop in the middle.
  [[nodiscard]] bool affords(std::size_t units) const;
  /// Whether the words from `first` on, each `step`-th, may be members or fields.
  [[nodiscard]] bool members_fit(std::size_t first, std::size_t step = 1) const;

  /// The key, or null if it is absent. No value if it has another type.
  template <class Keyspace>
  [[nodiscard]] auto find(Keyspace& data, std::string_view key, value_type type) const
      -> std::optional<decltype(data.find(key))> {
    auto* entry = data.find(key);
    if (entry == nullptr || entry->second.type == type) return entry;
    error(errors::wrong_type);
    return std::nullopt;
  }
};

/// The integer that all of `text` is, in the only way to write it.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);

/// The part of a sequence that two indexes name; negative ones count from the end. Empty if the last is before the
/// first.
struct index_range {
  std::size_t first = 0;
  std::size_t count = 0;
};
[[nodiscard]] index_range range_of(std::int64_t first, std::int64_t last, std::size_t size);

/// The words of LMPOP and ZMPOP: the count of keys, the keys, the end of the collection and COUNT.
struct multi_pop {
  std::span<const std::string> keys;
  /// Whether the end is `first`, and not the other one.
  bool is_first = true;
  /// At least 1.
  std::size_t count = 1;
};

/// `first` and `last` are the words for the ends of a collection. No value if the error was written.
[[nodiscard]] std::optional<multi_pop> read_multi_pop(const call& run, std::string_view first, std::string_view last);

/// A command of the table, and the function that executes it. Exactly one of both functions is set, and it is of the
/// kind that the table says: a read gets a constant keyspace, so a query can execute it. The machine checks this when
/// it is made.
struct handler {
  std::string_view name;
  void (*read)(const keyspace&, const call&) = nullptr;
  void (*write)(keyspace&, const call&) = nullptr;
};

/// The handlers of each subject, one file for each.
[[nodiscard]] std::span<const handler> string_handlers();
[[nodiscard]] std::span<const handler> bit_handlers();
[[nodiscard]] std::span<const handler> number_handlers();
[[nodiscard]] std::span<const handler> key_handlers();
[[nodiscard]] std::span<const handler> expiry_handlers();
[[nodiscard]] std::span<const handler> scan_handlers();
[[nodiscard]] std::span<const handler> hash_handlers();
[[nodiscard]] std::span<const handler> list_handlers();
[[nodiscard]] std::span<const handler> list_edit_handlers();
[[nodiscard]] std::span<const handler> set_handlers();
[[nodiscard]] std::span<const handler> set_algebra_handlers();
[[nodiscard]] std::span<const handler> sorted_set_handlers();
[[nodiscard]] std::span<const handler> sorted_set_range_handlers();
[[nodiscard]] std::span<const handler> sorted_set_store_handlers();

/// HDEL, SREM and ZREM: removes the elements from word 2 on, and replies how many there were.
void remove_elements(keyspace& data, const call& run, value_type type);

/// Ranks below `size` for SPOP, SRANDMEMBER, HRANDFIELD and ZRANDMEMBER. A negative count gives as many ranks, which
/// may repeat. A positive one gives different ranks, at most `size`. The choice is a function of the operation and of
/// the state
/// (`keyspace::random_number`). The caller bounds the count.
[[nodiscard]] std::vector<std::size_t> random_ranks(const keyspace& data, std::size_t size, std::int64_t count);

/// What HRANDFIELD and ZRANDMEMBER answer.
struct random_pick {
  const keyspace::key_entry* entry = nullptr;
  std::vector<std::size_t> ranks;
  /// Whether each element comes with its value or its score.
  bool is_paired = false;
};

/// Reads the words `KEY [COUNT [paired]]` and begins the array of the reply. No value if the reply is complete.
[[nodiscard]] std::optional<random_pick> pick_at_random(const keyspace& data, const call& run, value_type type,
                                                        std::string_view paired);

}  // namespace hypermesh::machines::redis
