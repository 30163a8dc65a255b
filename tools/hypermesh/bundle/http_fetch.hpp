#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "messages/expected.hpp"
#include "runtime/links/address.hpp"

namespace hypermesh::cli {

/// The longest answer that is read.
inline constexpr std::size_t fetch_bytes_max = std::size_t{8} << 20U;

/// The body that a node of this machine gives for GET `path`, without TLS. `token` is shown as bearer token if it is
/// not empty. The whole call takes at most `patience`, and another few seconds while a name server does not answer. The
/// reason of a failure never contains the token.
[[nodiscard]] or_reason<std::string> fetch(const links::replica_address& address, const std::string& path,
                                           const std::string& token, std::chrono::milliseconds patience);

/// The body of a complete HTTP/1.1 answer with status 200 that ends with its connection. Pure.
[[nodiscard]] or_reason<std::string> body_of(const std::string& answer);

}  // namespace hypermesh::cli
