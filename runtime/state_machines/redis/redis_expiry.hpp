#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "runtime/state_machines/redis/redis_call.hpp"

/// The words of commands that say when a key expires. An expiry is kept as a time in milliseconds since the Unix epoch,
/// and compared with the ordered time, so all replicas remove a key at the same operation.
namespace hypermesh::machines::redis {

/// How a command gives the end of a key: EX, PX, EXAT and PXAT of SET.
enum class expiry_unit { seconds, milliseconds, seconds_since_epoch, milliseconds_since_epoch };

/// The unit of an option in lower case, for example "px".
[[nodiscard]] std::optional<expiry_unit> read_expiry_unit(std::string_view option);

/// The number in milliseconds since the Unix epoch. No value, and the error, if it is not in the range of 64 bits. A
/// negative number is a time before the epoch.
[[nodiscard]] std::optional<std::int64_t> expiry_after(const keyspace& data, const call& run, std::int64_t number,
                                                       expiry_unit unit);

/// The end in word `number`, for commands that refuse an end that is not positive.
[[nodiscard]] std::optional<std::uint64_t> read_expiry(const keyspace& data, const call& run, std::size_t number,
                                                       expiry_unit unit);

}  // namespace hypermesh::machines::redis
