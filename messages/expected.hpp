#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

#include "messages/kinds.hpp"

/// A value, or the reason why there is none: the one form in which a function says that it can fail. There is an alias
/// for each kind of fault that is not ours; `void` as the value means that success has nothing to say.
///
///     const auto key = read_secret_key(path);
///     if (!key) return failure_of(key);
///     use(*key);
namespace hypermesh {

/// Where to look for the cause of a `world_error`; the exit codes of the binaries distinguish the two.
enum class fault_origin {
  /// Disk, memory, network, another process.
  machine,
  /// Input of the operator: a file, an option, the path of a directory.
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
using or_rejection = tl::expected<Value, rejection>;

/// A value, or the reason, as a phrase for people, why an input has none. The caller knows where the input came from.
template <class Value>
using or_reason = tl::expected<Value, std::string>;

/// The error of `outcome`, for a caller that fails for the same reason. Requires that there is one.
template <class Value, class Error>
[[nodiscard]] tl::unexpected<Error> failure_of(const tl::expected<Value, Error>& outcome) {
  return tl::unexpected<Error>{outcome.error()};
}

/// The same for an outcome that is not needed any more.
template <class Value, class Error>
[[nodiscard]] tl::unexpected<Error> failure_of(tl::expected<Value, Error>&& outcome) {
  return tl::unexpected<Error>{std::move(outcome).error()};
}

/// The refusal of bytes, as an `or_rejection`.
[[nodiscard]] constexpr tl::unexpected<rejection> rejected(rejection reason) {
  return tl::unexpected<rejection>{reason};
}

/// An input that has no value, as an `or_reason`.
[[nodiscard]] inline tl::unexpected<std::string> invalid(std::string reason) {
  return tl::unexpected<std::string>{std::move(reason)};
}

}  // namespace hypermesh
