#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "actors/ports.hpp"
#include "runtime/http/http_settings.hpp"

namespace hypermesh::http {

/// The secret that a request shows as "Authorization: Bearer TOKEN" (RFC 6750). Only the digest of the token is kept.
/// Immutable, so thread-safe.
class bearer_token {
 public:
  /// A token of 16 to 512 printable characters without spaces. The error says what is wrong, without the token.
  [[nodiscard]] static or_error<bearer_token> make(std::string_view token);
  /// Reads the first line of a file that only its owner may read.
  [[nodiscard]] static or_error<bearer_token> read(const std::filesystem::path& file);

  /// Whether the value of the header Authorization shows the token. Takes the same time for every value of one length.
  [[nodiscard]] bool is_shown_by(std::string_view authorization) const;

 private:
  explicit bearer_token(digest content) : content_(content) {}

  digest content_;
};

/// Whether other machines would reach the server and no token is configured. Such a server is never started, because
/// the answers tell an attacker much about the cluster.
[[nodiscard]] bool is_exposed(const http_settings& settings);

/// The token of the settings; nothing if none is needed. The error says that the server would be exposed, or that the
/// file cannot be used.
[[nodiscard]] or_error<std::optional<bearer_token>> token_of(const http_settings& settings);

}  // namespace hypermesh::http
