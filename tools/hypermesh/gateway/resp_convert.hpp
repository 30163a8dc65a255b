#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/hypermesh/gateway/resp_writer.hpp"

namespace hypermesh::cli {

/// What RESP2 does with the reply of a command besides the usual rules.
enum class reply_shape : std::uint8_t {
  plain,
  /// The elements of the array are pairs, which RESP2 writes without arrays of their own (`redis::has_pairs`).
  pairs,
  /// The null stands for an array, which RESP2 writes as "*-1". Example: LPOP with a count, of an absent list.
  nullable_array,
};

/// The reply of the machine, which is one value in RESP3, in the version of a connection. Pure. In RESP2 a map becomes
/// a flat array, a set an array, a double a bulk string, a boolean 0 or 1, and the null "$-1".
///
/// Nothing if the bytes are not exactly one reply: then more than f replicas are faulty, or the machine is wrong. The
/// values are read in a loop, so their depth costs no stack.
[[nodiscard]] std::optional<std::string> converted_reply(std::string_view reply, resp_version to, reply_shape shape);

/// One reply of a transaction: the machine's reply to the next of its commands, or a reply of the gateway itself.
struct transaction_part {
  reply_shape shape = reply_shape::plain;
  /// Set for a command that the gateway answers. It is in the version of the connection already.
  std::optional<std::string> own_reply = std::nullopt;
};

/// The reply to EXEC: an array with one reply for each part, or the null (in RESP2 "*-1") if a watched key has changed,
/// or an error. Nothing if the bytes are not such a reply.
[[nodiscard]] std::optional<std::string> converted_transaction(std::string_view reply, resp_version to,
                                                               const std::vector<transaction_part>& parts);

}  // namespace hypermesh::cli
