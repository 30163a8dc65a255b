#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "messages/expected.hpp"
#include "messages/types.hpp"
#include "runtime/state_machines/redis/redis_commands.hpp"

/// Operations of the machine "redis" as bytes. Numbers are little-endian, and every operation has exactly one encoding:
///
/// | octet | operation   | then                                                                          |
/// |-------|-------------|-------------------------------------------------------------------------------|
/// | 1     | command     | a command: u32 count of words, then each word as u32 length and bytes         |
/// | 2     | transaction | u32 count of watched keys, each as u32 length, bytes and u64 version;         |
/// |       |             | u32 count of commands, each as above without the octet                        |
///
/// The result of each operation is one reply in the encoding RESP3 of Redis. A transaction answers with an array of the
/// replies of its commands, with the null `_` if a watched key has another version, or with `-EXECABORT …`. An error of
/// Redis, for example a wrong type, is a reply that begins with `-`, and the status of its result is `applied`. Only
/// bytes that are no operation are `malformed`.
///
/// The replies of all operations of one request have at most `limits::reply_bytes_max` bytes together. An operation
/// whose reply would not fit is not executed: its result is `refused` with the payload `no_room_for_reply`, and the
/// client may submit the operation again. It fits if it is the first one of its request.
namespace hypermesh::machines::redis {

/// The most commands of a transaction. It is also the most operations of one request of the consensus.
inline constexpr std::size_t transaction_commands_max = 1'024;
/// The most watched keys of a transaction.
inline constexpr std::size_t watched_keys_max = 1'024;

/// What the machine says of an operation that it did not execute, because its reply has no room in its request.
inline constexpr std::string_view no_room_for_reply =
    "the reply does not fit beside the replies of the same request: nothing was executed; submit the operation again";
/// Bytes of a reply that have room in any case: each command of a transaction and each operation of a request may use
/// as many, whatever those before it returned. An integer, a score or an error of a known command fits, so a command
/// that returns no data is never refused for its reply.
inline constexpr std::size_t reply_bytes_reserved = 192;

/// The words of one command: its name, then its arguments. There is at least one word.
struct command {
  std::vector<std::string> words;

  friend bool operator==(const command&, const command&) = default;
};

/// A key whose version the client read before; 0 means that the key was absent.
struct watched_key {
  std::string key;
  std::uint64_t version = 0;

  friend bool operator==(const watched_key&, const watched_key&) = default;
};

/// Commands that are executed together, if no watched key changed.
struct transaction {
  std::vector<watched_key> watched;
  std::vector<command> commands;

  friend bool operator==(const transaction&, const transaction&) = default;
};

using operation = std::variant<command, transaction>;

/// Encodes an operation. A machine refuses an encoding of more than `limits::operation_bytes_max` bytes.
[[nodiscard]] byte_vector encode(const operation& value);

/// Accepts any bytes. The failure says why the bytes are not a valid operation. Memory: 32 bytes for each word besides
/// the words, and a word takes at least 4 octets of the operation, so eight times the bytes.
[[nodiscard]] or_reason<operation> decode(byte_span bytes);

/// Whether `query` answers the command: it changes nothing, or it is unknown, so the answer is an error.
[[nodiscard]] bool is_read_only(const command& value);
[[nodiscard]] bool is_read_only(const operation& value);

/// Whether the command may change something and return data of any size, for example GETDEL or LPOP. The reply of every
/// other command that writes has at most `reply_bytes_reserved` bytes.
[[nodiscard]] bool returns_data(const command& value);

/// Whether all commands of the transaction write, and each reply has at most `reply_bytes_reserved` bytes.
[[nodiscard]] bool has_small_replies(const transaction& several);

/// Whether the reply is an array of pairs in RESP3 that RESP2 writes as one flat array, for example ZRANGE with
/// WITHSCORES, ZPOPMIN with a count, and HRANDFIELD with WITHVALUES.
[[nodiscard]] bool has_pairs(const command& value);

}  // namespace hypermesh::machines::redis
