#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

/// A value, or the reason why there is none. Every function that can fail returns one of the aliases below; there is
/// one alias for each kind of fault that is not a bug of the product. A function that has nothing to return on success
/// uses `void` as the value.
///
///     const auto key = read_secret_key(path);
///     if (!key) return failure_of(key);
///     use(*key);
namespace hypermesh {

/// Where the cause of a `world_error` is. The binaries have a different exit code for each origin.
enum class fault_origin {
  /// A fault of the disk, the memory, the network or another process.
  machine,
  /// A fault in the input of the operator: a file, an option, or the path of a directory.
  configuration,
};

/// An error of the environment, and how the operator can repair it.
struct world_error {
  std::string what;
  std::string remedy;
  fault_origin origin = fault_origin::machine;
};

/// A value, or an error of disk, network, operating system or configuration.
template <class Value>
using or_error = tl::expected<Value, world_error>;

/// A value, or the reason why an input is invalid, as a phrase for people. The phrase does not name the source of the
/// input, because the caller knows it.
template <class Value>
using or_reason = tl::expected<Value, std::string>;

/// The error of `outcome`, for a caller that fails for the same reason. `outcome` must have an error.
template <class Value, class Error>
[[nodiscard]] tl::unexpected<Error> failure_of(const tl::expected<Value, Error>& outcome) {
  return tl::unexpected<Error>{outcome.error()};
}

/// The same for an outcome that the caller no longer needs: its error is moved.
template <class Value, class Error>
[[nodiscard]] tl::unexpected<Error> failure_of(tl::expected<Value, Error>&& outcome) {
  return tl::unexpected<Error>{std::move(outcome).error()};
}

/// An input that has no value, as an `or_reason`.
[[nodiscard]] inline tl::unexpected<std::string> invalid(std::string reason) {
  return tl::unexpected<std::string>{std::move(reason)};
}

/// Why an operation of a client has no result.
enum class client_error : std::uint8_t {
  /// f+1 matching replies did not arrive before the deadline. The operation may still be executed.
  timed_out = 1,
  /// The queue of the client is full.
  too_many_pending,
  /// f+1 replicas refused the request before its deadline, because their queues were full or they are being drained.
  overloaded,
  /// f+1 replicas refused the timestamp: it lies below the window of its session.
  stale_timestamp,
  /// The operation exceeds `limits::operation_bytes_max`.
  too_large,
  /// The client was stopped.
  stopped,
  /// The session ended while the operation was under way, because processes with the same key opened many newer ones.
  /// The operation may have been executed. It will not be executed from now on.
  session_ended,
  /// f+1 replicas executed another request with the session and timestamp of this one, because another process uses the
  /// same key and the same session. This operation was not executed.
  name_taken,
};
inline constexpr auto client_error_last = client_error::name_taken;

[[nodiscard]] constexpr std::string_view to_string(client_error error) {
  switch (error) {
    case client_error::timed_out:
      return "timed_out";
    case client_error::too_many_pending:
      return "too_many_pending";
    case client_error::overloaded:
      return "overloaded";
    case client_error::stale_timestamp:
      return "stale_timestamp";
    case client_error::too_large:
      return "too_large";
    case client_error::stopped:
      return "stopped";
    case client_error::session_ended:
      return "session_ended";
    case client_error::name_taken:
      return "name_taken";
  }
  return "unknown";
}

}  // namespace hypermesh
