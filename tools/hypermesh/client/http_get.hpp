#pragma once

#include <string>

#include "messages/time.hpp"
#include "runtime/links/address.hpp"

namespace hypermesh::cli {

/// A question to the HTTP server of a node.
struct http_question {
  replica_address server;
  /// For example "/api/v1/trace".
  std::string path;
  /// Empty if the server needs none.
  std::string token;
  /// Limits the whole exchange, from the first name that is resolved to the last byte.
  duration patience = 5s;
  /// A longer answer is an error.
  std::size_t body_bytes_max = 0;
};

/// The body of the answer. The server may be faulty, so time and bytes are bounded and nothing of it is trusted. An
/// answer other than 200 is an error with the server's own text. Without TLS.
[[nodiscard]] or_error<std::string> http_get(const http_question& asked);

}  // namespace hypermesh::cli
