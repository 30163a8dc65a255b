#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "actors/ports.hpp"

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

/// The longest certificate chain or key that the server reads.
inline constexpr std::size_t pem_bytes_max = std::size_t{64} * 1024;

/// The content of a private file, such as a TLS key. The error says that the file is missing, too large, or that other
/// users may read it.
[[nodiscard]] or_error<std::string> read_private_file(const std::filesystem::path& file, std::size_t bytes_max);

}  // namespace hypermesh::http
