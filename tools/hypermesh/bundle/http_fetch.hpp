#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>

#include "messages/expected.hpp"
#include "runtime/links/address.hpp"

namespace hypermesh::cli {

/// The longest answer that is read.
inline constexpr std::size_t fetch_bytes_max = std::size_t{8} << 20U;

/// The HTTP server of a node of this machine.
struct fetch_target {
  links::replica_address address;
  /// Shown as bearer token if it is not empty.
  std::string token;
  /// The PEM file with the server's certificate if it uses TLS; otherwise empty.
  std::filesystem::path certificate = {};
};

/// The body that a node gives for GET `path`. With TLS, the first certificate of the file and the one of the server
/// must be equal. So nobody else gets the token, and neither its issuer nor its host name matters. The whole call takes
/// at most `patience`, and another few seconds while a name server does not answer. The reason of a failure never
/// contains the token.
[[nodiscard]] or_reason<std::string> fetch(const fetch_target& target, const std::string& path,
                                           std::chrono::milliseconds patience);

/// The body of a complete HTTP/1.1 answer with status 200 that ends with its connection. Pure.
[[nodiscard]] or_reason<std::string> body_of(const std::string& answer);

}  // namespace hypermesh::cli
