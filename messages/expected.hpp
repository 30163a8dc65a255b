#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

#include "messages/kinds.hpp"

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

/// A value, or the reason why the bytes of a peer or client are refused.
template <class Value>
using or_rejection = tl::expected<Value, messages::rejection>;

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

/// The refusal of bytes, as an `or_rejection`.
[[nodiscard]] constexpr tl::unexpected<messages::rejection> rejected(messages::rejection reason) {
  return tl::unexpected<messages::rejection>{reason};
}

/// The refusal of an invalid input, as an `or_reason`.
[[nodiscard]] inline tl::unexpected<std::string> invalid(std::string reason) {
  return tl::unexpected<std::string>{std::move(reason)};
}

}  // namespace hypermesh
