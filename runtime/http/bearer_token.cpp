#include "runtime/http/bearer_token.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sodium.h>

#include "runtime/base/private_file.hpp"

namespace hypermesh::http {

namespace {

constexpr std::size_t token_bytes_min = 16;
constexpr std::size_t token_bytes_max = 512;
constexpr std::string_view scheme = "bearer ";

digest digest_of_token(std::string_view token) {
  digest out;
  crypto_generichash(reinterpret_cast<unsigned char*>(out.bytes.data()), out.bytes.size(),
                     reinterpret_cast<const unsigned char*>(token.data()), token.size(), nullptr, 0);
  return out;
}

bool is_printable(char letter) { return letter > ' ' && letter <= '~'; }

/// Whether the value begins with "Bearer ", in any case as RFC 9110 allows.
bool has_scheme(std::string_view authorization) {
  return authorization.size() >= scheme.size() &&
         std::ranges::equal(scheme, authorization.substr(0, scheme.size()), [](char want, char have) {
           return want == (have >= 'A' && have <= 'Z' ? static_cast<char>(have - 'A' + 'a') : have);
         });
}

}  // namespace

or_error<bearer_token> bearer_token::make(std::string_view token) {
  const bool has_size = token.size() >= token_bytes_min && token.size() <= token_bytes_max;
  if (has_size && std::ranges::all_of(token, is_printable)) return bearer_token{digest_of_token(token)};
  return tl::unexpected(world_error{
      fmt::format("a token has {} to {} printable characters and no space", token_bytes_min, token_bytes_max),
      "write a new one: (umask 077; head -c 32 /dev/urandom | base64 > token)", fault_origin::configuration});
}

or_error<bearer_token> bearer_token::read(const std::filesystem::path& file) {
  const auto content = read_private_file(file, token_bytes_max + 2);
  if (!content) return failure_of(content);
  auto made = make(std::string_view{*content}.substr(0, content->find_first_of("\r\n")));
  if (!made) made.error().what = fmt::format("{}: {}", quoted(file), made.error().what);
  return made;
}

bool bearer_token::is_shown_by(std::string_view authorization) const {
  if (!has_scheme(authorization)) return false;
  auto shown = authorization.substr(scheme.size());
  // The length is bounded by the memory of a connection, and digests have one length. So the time of the comparison
  // tells nothing about the token.
  const auto offered = digest_of_token(shown);
  return sodium_memcmp(offered.bytes.data(), content_.bytes.data(), content_.bytes.size()) == 0;
}

bool is_exposed(const http_settings& settings) {
  return settings.token_file.empty() && !is_loopback(settings.listen.host);
}

or_error<std::optional<bearer_token>> token_of(const http_settings& settings) {
  if (is_exposed(settings)) {
    return tl::unexpected(world_error{
        fmt::format("other machines reach the HTTP server on {}, so it needs a token", to_string(settings.listen)),
        "set 'token_file' of [http], or listen on 127.0.0.1", fault_origin::configuration});
  }
  if (settings.token_file.empty()) return std::nullopt;
  auto token = bearer_token::read(settings.token_file);
  if (!token) return failure_of(token);
  return *token;
}

}  // namespace hypermesh::http
